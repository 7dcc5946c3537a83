// Progress goes to standard error: standard output belongs to the command that follows (`--json` results).
const startedAt = performance.now()

/** One progress line with the seconds since the start. */
export function report(area, message) {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)
  process.stderr.write(`[${seconds} s] ${area}: ${message}\n`)
}

/** Runs `task` and says every 15 s that it is still going, so that a long download never looks dead. */
export async function withHeartbeat(area, what, task) {
  const begin = performance.now()
  const timer = setInterval(() => {
    report(area, `${what}: still going after ${Math.round((performance.now() - begin) / 1000)} s`)
  }, 15_000)
  try {
    return await task()
  } finally {
    clearInterval(timer)
  }
}

/** A set-up step that cannot be done here; `fix` is what the person can do about it. */
export class SetupError extends Error {
  constructor(message, fix = '') {
    super(message)
    this.name = 'SetupError'
    this.fix = fix
  }
}

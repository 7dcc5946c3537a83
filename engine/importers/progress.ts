import type { JobContext } from '../protocol.ts'

const reportEveryMs = 150
/** Too early a guess jumps about; nothing is said before this much work was timed. */
const guessAfterMs = 1500

/** Progress of one stage, at most seven reports a second, with the seconds left from the speed so far. */
export interface StageProgress {
  /** Sets how much is done; the last report (`done` = total) is always sent. */
  set: (done: number) => void
}

/** Starts a stage and reports it at once; `total` null while unknown, `doneBefore` what an earlier attempt had finished. */
export function startStage(context: JobContext, stage: string, total: number | null, doneBefore = 0): StageProgress {
  const startedMs = performance.now()
  let reportedMs = startedMs
  context.progress({ stage, done: doneBefore, total, secondsLeft: null })
  return {
    set(done) {
      const nowMs = performance.now()
      const isLast = total !== null && done >= total
      if (!isLast && nowMs - reportedMs < reportEveryMs) return
      reportedMs = nowMs
      const elapsedMs = nowMs - startedMs
      const canGuess = total !== null && done > doneBefore && elapsedMs > guessAfterMs
      const secondsLeft = isLast ? 0 : canGuess ? Math.ceil((elapsedMs / (done - doneBefore)) * (total - done) / 1000) : null
      context.progress({ stage, done, total, secondsLeft })
    },
  }
}

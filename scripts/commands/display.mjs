import { spawn } from 'node:child_process'
import { SetupError } from '../setup/progress.mjs'
import { findProgram } from '../setup/process.mjs'

const START_LIMIT_MS = 20_000

/** Whether a window can be shown to somebody. */
export function hasScreen() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/**
 * Runs `task` with a screen: the one that is there, or a virtual one made for the time being (Linux without DISPLAY).
 * @param {(env: Record<string, string>) => Promise<number>} task gets what to add to the environment
 */
export async function withDisplay(task) {
  if (hasScreen()) return task({})
  if (!findProgram('Xvfb')) {
    throw new SetupError('There is no display, and Xvfb is not installed.', 'Run it on a desktop, or install Xvfb (Debian: apt-get install xvfb).')
  }
  // The server picks a free number itself and tells it over descriptor 3: two runs at once never collide.
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '2048x1280x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  try {
    const number = await readDisplayNumber(server)
    return await task({ DISPLAY: `:${number}` })
  } finally {
    server.kill('SIGTERM')
  }
}

function readDisplayNumber(server) {
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new SetupError(`Xvfb did not start: ${why}.`))
    const timer = setTimeout(() => fail(`no answer within ${START_LIMIT_MS / 1000} s`), START_LIMIT_MS)
    let text = ''
    server.stdio[3].on('data', (chunk) => {
      text += chunk
      if (!text.includes('\n')) return
      clearTimeout(timer)
      resolve(text.trim())
    })
    server.on('error', (error) => { clearTimeout(timer); fail(error.message) })
    server.on('exit', (code) => { clearTimeout(timer); fail(`it ended with status ${code}`) })
  })
}

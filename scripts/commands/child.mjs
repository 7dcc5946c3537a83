import { spawn } from 'node:child_process'

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Runs a program in the foreground: same streams, signals passed on.
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, stdout?: 'inherit' | 'stderr' }} options
 * @returns {Promise<number>} its exit status; 128 + the signal number when a signal ended it
 */
export function runChild(program, args, { env = process.env, cwd = process.cwd(), stdout = 'inherit' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['inherit', stdout === 'stderr' ? 2 : 'inherit', 'inherit'], windowsHide: false })
    const forward = (signal) => {
      // A terminal sends Ctrl+C to the whole group: the child has it already, and twice would mean "at once".
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    }
    for (const signal of passedOn) process.on(signal, forward)
    const finish = () => passedOn.forEach((signal) => process.off(signal, forward))
    child.on('error', (error) => { finish(); reject(error) })
    child.on('close', (code, signal) => { finish(); resolve(code ?? 128 + (signalNumbers[signal] ?? 0)) })
  })
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

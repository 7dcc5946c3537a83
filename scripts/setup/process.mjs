import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Runs a program to its end without a shell and collects its output.
 * @returns {Promise<{ status: number, stdout: string, stderr: string }>} status -1 when it could not start
 */
export function runProgram(program, args, { cwd, env, timeoutMs, signal, onStart, shell = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, shell, signal, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    if (child.pid) onStart?.(child.pid)
    let stdout = ''
    let stderr = ''
    let timedOut = false
    const timer = timeoutMs ? setTimeout(() => { timedOut = true; child.kill('SIGKILL') }, timeoutMs) : undefined
    child.stdout.on('data', (chunk) => { stdout += chunk })
    child.stderr.on('data', (chunk) => { stderr += chunk })
    child.on('error', (error) => { clearTimeout(timer); resolve({ status: -1, stdout, stderr: error.message }) })
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ status: code ?? -1, stdout, stderr: timedOut ? `${stderr}\nstopped after ${timeoutMs} ms` : stderr })
    })
  })
}

/** Runs npm itself: the copy that started us where npm did, so that its version and settings are the caller's. */
export function runNpm(args, options = {}) {
  const cli = process.env.npm_execpath
  if (cli && /npm-cli\.js$/.test(cli)) return runProgram(process.execPath, [cli, ...args], options)
  // npm is a .cmd file on Windows, which only a shell starts.
  return runProgram('npm', args, { ...options, shell: process.platform === 'win32' })
}

/** Full path of a program on PATH, or undefined. */
export function findProgram(name) {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const suffix of suffixes) {
      const path = join(folder, name + suffix)
      if (folder && existsSync(path)) return path
    }
  }
  return undefined
}

/** True when the program starts and ends with status 0. */
export function succeeds(program, args) {
  return spawnSync(program, args, { stdio: 'ignore', windowsHide: true }).status === 0
}

/** The first lines of a program's output that say something: npm tells the cause first and a manual page after it. */
export function firstLines(text, count = 4) {
  return text.split('\n').filter((line) => !/^npm error\s*$/.test(line)).slice(0, count).join(' | ').slice(0, 600)
}

/** The last lines of a program's output, for an error message. */
export function lastLines(text, count = 4) {
  return text.trim().split('\n').slice(-count).join(' | ').slice(0, 600)
}

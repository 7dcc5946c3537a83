import { readdirSync, readFileSync } from 'node:fs'

/** The engine processes that a running app has started, largest memory first: the one with the models leads. Linux only. */
export function engineProcesses(parentPid: number): number[] {
  const found: { pid: number; residentPages: number }[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      // The command in brackets may hold blanks; the fields after it do not.
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
      if (Number(fields[1]) !== parentPid || !readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('worker.js')) continue
      found.push({ pid: Number(name), residentPages: Number(fields[21]) })
    } catch {
      // It ended while being looked at.
    }
  }
  return found.sort((first, second) => second.residentPages - first.residentPages).map(({ pid }) => pid)
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

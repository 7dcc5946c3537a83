import { readFileSync, writeFileSync } from 'node:fs'

/** Resident memory of this process now and at its highest, in MB of 2^20 bytes (Linux; VmRSS and VmHWM of /proc/self/status). */
export function memoryOf(): { residentMegabytes: number; peakMegabytes: number } {
  const status = readFileSync('/proc/self/status', 'utf8')
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024
  return { residentMegabytes: field('VmRSS'), peakMegabytes: field('VmHWM') }
}

/** Starts VmHWM anew from what is resident now, so that the peak of the steps can be told from that of starting up. */
export function resetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5')
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}

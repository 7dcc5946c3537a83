import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withoutPaths } from '../../engine/domain/errors.ts'

const rotateAtBytes = 2_000_000

/** The app's one log: `lacuna.log` beside the database, rotated once. Callers never pass names or notes of patients; paths in what libraries say are cut out here. */
export function createLog(dir: string): (line: string) => void {
  const file = join(dir, 'lacuna.log')
  try {
    mkdirSync(dir, { recursive: true })
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > rotateAtBytes) renameSync(file, `${file}.1`)
  } catch {
    // A log that cannot be rotated is no reason not to start.
  }
  return (line) => {
    try {
      appendFileSync(file, `${new Date().toISOString()} ${withoutPaths(line)}\n`)
    } catch {
      // A full disk must not take the app down through its log; the store reports it properly.
    }
  }
}

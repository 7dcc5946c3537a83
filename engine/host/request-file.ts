import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'

/**
 * A job's request that goes to the engine by file: as a message, 20,000 studies would be serialised by the process of the windows.
 * It holds what the message would hold, notes included: only its owner may read it, and whoever reads it deletes it.
 */
export function writeRequestFile(file: string, request: unknown): void {
  // What a process that was killed may have left; `wx` refuses to write into a file, or through a link, that somebody else put there.
  rmSync(file, { force: true })
  writeFileSync(file, serialize(request), { mode: 0o600, flag: 'wx' })
}

/** The request, its file deleted. */
export function takeRequestFile(file: string): unknown {
  try {
    return deserialize(readFileSync(file))
  } finally {
    rmSync(file, { force: true })
  }
}

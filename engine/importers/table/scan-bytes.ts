import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { tableFileError } from '../file-errors.ts'
import type { ByteScan } from './encoding.ts'

const headLength = 256 * 1024
const windowLength = 2048
const maxWindows = 64

/**
 * Reads a table once: SHA-256 of its bytes, whether all of it is valid UTF-8, and a sample for guessing the encoding.
 * @throws AppError IMPORT_TABLE_MISSING and its kin; an AbortError when cancelled
 */
export async function scanBytes(file: string, signal: AbortSignal): Promise<ByteScan & { sha256: string; byteSize: number }> {
  const hash = createHash('sha256')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const pieces: Buffer[] = []
  let headMissing = headLength
  let windowCount = 0
  let isValidUtf8 = true
  let byteSize = 0
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      signal.throwIfAborted()
      hash.update(chunk)
      byteSize += chunk.length
      if (headMissing > 0) {
        pieces.push(chunk.subarray(0, headMissing))
        headMissing -= chunk.length
      } else if (windowCount < maxWindows) {
        const at = chunk.findIndex((byte) => byte >= 0x80)
        if (at >= 0) {
          // Even offsets keep the two bytes of UTF-16 characters in step.
          const start = Math.max(0, at - windowLength) & ~1
          pieces.push(chunk.subarray(start, start + 2 * windowLength))
          windowCount++
        }
      }
      if (isValidUtf8) {
        try {
          decoder.decode(chunk, { stream: true })
        } catch {
          isValidUtf8 = false
        }
      }
    }
    if (isValidUtf8) {
      try {
        decoder.decode()
      } catch {
        isValidUtf8 = false
      }
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw tableFileError(error)
  }
  return { sha256: hash.digest('hex'), byteSize, isValidUtf8, sample: Buffer.concat(pieces) }
}

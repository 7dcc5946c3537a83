import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PrefixEntry } from '../../adapters/network.ts'

interface Spilled {
  presence: number
  tokens: number
  segments: Uint8Array
  offset: number
  xLength: number
  outputLength: number
}

/** Frozen prefixes of a run by study and pattern; the first ones in memory, the rest in a file that the system pages in. */
export interface PrefixStore {
  put: (key: string, entry: PrefixEntry) => void
  get: (key: string) => PrefixEntry
  has: (key: string) => boolean
  dispose: () => void
}

/** @param budgetBytes memory to use before entries go to `file`, which is deleted at the end */
export function createPrefixStore(budgetBytes: number, file: string): PrefixStore {
  const inMemory = new Map<string, PrefixEntry>()
  const onDisk = new Map<string, Spilled>()
  let usedBytes = 0
  let endOffset = 0
  let handle: number | null = null

  function spill(key: string, entry: PrefixEntry): void {
    if (handle === null) {
      mkdirSync(dirname(file), { recursive: true })
      handle = openSync(file, 'w+')
    }
    const output = entry.blockOutput ?? new Float32Array(0)
    onDisk.set(key, { presence: entry.presence, tokens: entry.tokens, segments: entry.segments, offset: endOffset, xLength: entry.x.length, outputLength: output.length })
    for (const values of [entry.x, output]) {
      if (values.length === 0) continue
      writeSync(handle, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 0, values.byteLength, endOffset)
      endOffset += values.byteLength
    }
  }

  function readValues(offset: number, length: number): Float32Array {
    const values = new Float32Array(length)
    readSync(handle!, new Uint8Array(values.buffer), 0, values.byteLength, offset)
    return values
  }

  return {
    put: (key, entry) => {
      const bytes = entry.x.byteLength + (entry.blockOutput?.byteLength ?? 0)
      if (usedBytes + bytes > budgetBytes) return spill(key, entry)
      usedBytes += bytes
      inMemory.set(key, entry)
    },
    get: (key) => {
      const entry = inMemory.get(key)
      if (entry) return entry
      const at = onDisk.get(key)
      if (!at) throw new Error(`No prefix for ${key}`)
      return {
        presence: at.presence, tokens: at.tokens, segments: at.segments,
        x: readValues(at.offset, at.xLength),
        blockOutput: at.outputLength === 0 ? null : readValues(at.offset + at.xLength * 4, at.outputLength),
      }
    },
    has: (key) => inMemory.has(key) || onDisk.has(key),
    dispose: () => {
      if (handle !== null) closeSync(handle)
      rmSync(file, { force: true })
      inMemory.clear()
      onDisk.clear()
    },
  }
}

import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PrefixEntry } from '../../adapters/network.ts'
import type { SamplePart } from '../../backbones/backbone.ts'

interface Spilled {
  presence: number
  tokens: number
  segments: Uint8Array
  offset: number
  xLength: number
  outputLength: number
  /** The parts without their numbers, which lie in the file one after the other. */
  source?: readonly (SamplePart & { length: number })[]
}

/** The numbers of a part that can be many: pixels and grids go to the file, words stay. */
function numbersOf(part: SamplePart): Float32Array {
  return part.kind === 'text' ? new Float32Array() : part.kind === 'pixels' ? part.pixels : part.features
}

function withNumbers(part: SamplePart, numbers: Float32Array): SamplePart {
  return part.kind === 'text' ? part : part.kind === 'pixels' ? { ...part, pixels: numbers } : { ...part, features: numbers }
}

/** What is written of an entry, in order. */
function arraysOf({ x, blockOutput, source = [] }: PrefixEntry): Float32Array[] {
  return [x, blockOutput ?? new Float32Array(), ...source.map(numbersOf)]
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
    onDisk.set(key, {
      presence: entry.presence, tokens: entry.tokens, segments: entry.segments, offset: endOffset, xLength: entry.x.length, outputLength: entry.blockOutput?.length ?? 0,
      // The lengths stay with the parts, as empty views would not tell them.
      ...(entry.source === undefined ? {} : { source: entry.source.map((part) => ({ ...withNumbers(part, new Float32Array()), length: numbersOf(part).length })) }),
    })
    for (const values of arraysOf(entry)) {
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

  function readSource(parts: readonly (SamplePart & { length: number })[], offset: number): SamplePart[] {
    let at = offset
    return parts.map(({ length, ...part }) => {
      const whole = withNumbers(part, readValues(at, length))
      at += length * 4
      return whole
    })
  }

  return {
    put: (key, entry) => {
      const bytes = arraysOf(entry).reduce((sum, { byteLength }) => sum + byteLength, 0)
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
        ...(at.source === undefined ? {} : { source: readSource(at.source, at.offset + (at.xLength + at.outputLength) * 4) }),
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

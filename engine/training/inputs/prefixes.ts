import { freemem } from 'node:os'
import { join } from 'node:path'
import type { Network, PrefixEntry, Sample } from '../../adapters/network.ts'
import { type MemoryGuard, createMemoryGuard, piecesOf } from '../../compute/out-of-memory.ts'
import type { Tf } from '../../compute/tensorflow.ts'
import type { TrainingStudy } from '../../domain/exchange.ts'
import { slotIdsOfPattern, type Slot } from '../../domain/slots.ts'
import type { JobContext } from '../../protocol.ts'
import { createPace } from '../pace.ts'
import { createPrefixStore } from './prefix-store.ts'

/** One study under one presence pattern. */
export interface Shown {
  index: number
  pattern: string
}

/** Frozen prefixes of a run. `fill` computes what is missing; `get` hands out what was filled. */
export interface Prefixes {
  fill: (network: Network, wanted: readonly Shown[], stage: string) => Promise<void>
  get: (index: number, pattern: string) => PrefixEntry
  /** Prefixes for one use, such as a prediction: taken from the run's or the session's when there, else computed and not kept. */
  once: (network: Network, wanted: readonly Shown[]) => Promise<PrefixEntry[]>
  dispose: () => void
}

export interface PrefixOptions {
  studies: readonly TrainingStudy[]
  /** In the run's order: the place of an image or a table among them is part of what its features mean. */
  slots: readonly Slot[]
  buildSample: (study: TrainingStudy, pattern: string) => Promise<Sample>
  /** Changes whenever the same study and pattern would give another input, beyond its files: text length, statistics of a fold. */
  inputKey: string
  withBlockOutput: boolean
  cacheDir: string
  runId: number
  context: JobContext
  /** Knows how many samples the device holds at once. */
  guard: MemoryGuard
}

/** Share of the free memory that cached prefixes may take; the rest go to a file. */
const prefixMemoryShare = 0.3
const samplesPerBatch = 16
/** Entries kept for later runs of the session are small: pooled vectors and probe features, never token sequences. */
const keptEntryBytes = 64 * 1024
const keptTotalBytes = 512 * 1024 * 1024

/** Small prefixes of earlier runs of this process: another seed, fold or head on the same frozen features computes nothing again. */
const kept = new Map<string, PrefixEntry>()
let keptBytes = 0

function keep(key: string, entry: PrefixEntry): void {
  const bytes = entry.x.byteLength
  if (bytes > keptEntryBytes || entry.blockOutput !== null || entry.source !== undefined || keptBytes + bytes > keptTotalBytes) return
  kept.set(key, entry)
  keptBytes += bytes
}

/** Frozen inputs in smaller pieces after each failure for memory; the run is marked once for each, though its numbers stay the same up to rounding. */
export function createInputGuard(tf: Tf, notes: string[]): MemoryGuard {
  return createMemoryGuard(tf, (limit) => notes.push(`Frozen inputs were computed ${limit} at a time after out-of-memory.`))
}

export function createPrefixes(options: PrefixOptions): Prefixes {
  const { studies, context } = options
  const store = createPrefixStore(freemem() * prefixMemoryShare, join(options.cacheDir, `prefixes-run-${options.runId}.bin`))
  const keyOf = ({ index, pattern }: Shown) => `${index} ${pattern}`
  const slotOrder = options.slots.map(({ slotId, modality }) => `${slotId}:${modality}`).join(' ')
  const sessionKey = (network: Network, { index, pattern }: Shown): string | null => {
    if (network.prefixKey === undefined) return null
    const present = new Set(slotIdsOfPattern(pattern))
    const content = studies[index]!.items.filter((item) => present.has(item.slotId)).map((item) => `${item.slotId}:${item.sha256}`).join(' ')
    return `${network.prefixKey} ${options.inputKey} ${slotOrder} ${pattern} ${content}`
  }
  const fromSession = (network: Network, shown: Shown): PrefixEntry | undefined => {
    const key = sessionKey(network, shown)
    return key === null ? undefined : kept.get(key)
  }
  const compute = async (network: Network, batch: readonly Shown[]): Promise<PrefixEntry[]> => {
    const samples = await Promise.all(batch.map(({ index, pattern }) => options.buildSample(studies[index]!, pattern)))
    const entries = options.guard.attempt(samples.length, (size) => piecesOf(samples.length, size).flatMap(({ from, to }) =>
      network.computePrefix(samples.slice(from, to), options.withBlockOutput)))
    batch.forEach((shown, position) => {
      const key = sessionKey(network, shown)
      if (key !== null && !kept.has(key)) keep(key, entries[position]!)
    })
    return entries
  }

  return {
    fill: async (network, wanted, stage) => {
      const missing: Shown[] = []
      const asked = new Set<string>()
      for (const shown of wanted) {
        const key = keyOf(shown)
        if (asked.has(key) || store.has(key)) continue
        asked.add(key)
        const entry = fromSession(network, shown)
        if (entry === undefined) missing.push(shown)
        else store.put(key, entry)
      }
      const pace = createPace(missing.length)
      for (let start = 0; start < missing.length; start += samplesPerBatch) {
        context.signal.throwIfAborted()
        const batch = missing.slice(start, start + samplesPerBatch)
        const entries = await compute(network, batch)
        batch.forEach((shown, position) => store.put(keyOf(shown), entries[position]!))
        context.progress({ stage, ...pace.at(start + batch.length) })
        // Lets cancel, stop and the sign of life through between batches.
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    },
    get: (index, pattern) => store.get(keyOf({ index, pattern })),
    once: async (network, wanted) => {
      const found = wanted.map((shown) => (store.has(keyOf(shown)) ? store.get(keyOf(shown)) : fromSession(network, shown)))
      const missing = wanted.filter((_, position) => found[position] === undefined)
      const computed = missing.length === 0 ? [] : await compute(network, missing)
      let next = 0
      return found.map((entry) => entry ?? computed[next++]!)
    },
    dispose: () => store.dispose(),
  }
}

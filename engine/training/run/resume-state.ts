import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { encodeSafetensors, openSafetensors } from '../../backbones/safetensors.ts'
import type { HostValues } from '../../compute/parameters.ts'
import { AppError } from '../../domain/errors.ts'
import type { OptimizerState } from '../optimise/optimizer.ts'

const spentSchema = z.object({ elapsedMs: z.number(), peakBytes: z.number(), notes: z.array(z.string()) })
/** What the sessions of a run took together, and what they had to tell. */
export type Spent = z.infer<typeof spentSchema>

const progressSchema = z.object({
  /** Phase of training that the state belongs to, and the fold's epochs before it. */
  phase: z.number().int(),
  epochsBefore: z.number().int(),
  /** Epochs of this phase that are finished. */
  epochsDone: z.number().int(),
  bestMetric: z.number().nullable(),
  bestLoss: z.number().nullable(),
  bestEpoch: z.number().int(),
  epochsWithoutBetter: z.number().int(),
  /** Training of the fold has ended; only its predictions may be left. */
  isTrained: z.boolean(),
  /** Predictions of the fold are in the store. */
  isDelivered: z.boolean(),
  optimizerStep: z.number().int(),
  /** SHA-256 of configuration, split and backbone: a state of another run must never be picked up. */
  fingerprint: z.string(),
  /** Of the whole run until this state was saved; absent in states of 0.3 and before. */
  spent: spentSchema.optional(),
})
export type FoldProgress = z.infer<typeof progressSchema>

export interface FoldState {
  progress: FoldProgress
  trained: Record<string, HostValues>
  optimizer: OptimizerState
}

const fileOf = (runDir: string, fold: number) => join(runDir, `fold_${fold}`, 'resume.safetensors')

/** Saves all that the next epoch needs in one file, made lasting and replaced in one step: after a kill or a power cut at most one epoch is repeated. */
export function saveFoldState(runDir: string, fold: number, state: FoldState): void {
  const tensors: Record<string, HostValues> = {}
  const add = (prefix: string, values: Record<string, HostValues>) => {
    for (const [name, value] of Object.entries(values)) tensors[`${prefix}/${name}`] = value
  }
  add('trained', state.trained)
  add('first', state.optimizer.first)
  add('second', state.optimizer.second)
  const file = fileOf(runDir, fold)
  mkdirSync(join(runDir, `fold_${fold}`), { recursive: true })
  const handle = openSync(`${file}.part`, 'w')
  try {
    const bytes = encodeSafetensors(tensors, { progress: JSON.stringify(state.progress) })
    for (let done = 0; done < bytes.byteLength;) done += writeSync(handle, bytes, done)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(`${file}.part`, file)
}

/**
 * The state of a fold, or null when there is none or it belongs to another configuration. One that cannot be read (a damaged disk) is removed and
 * told by `onDamaged`: training the fold anew gives the same numbers, while a run that can never be resumed would be lost.
 */
export function loadFoldState(runDir: string, fold: number, fingerprint: string, onDamaged: () => void): FoldState | null {
  const file = fileOf(runDir, fold)
  if (!existsSync(file)) return null
  try {
    return readState(file, fingerprint)
  } catch (error) {
    if (!isDamage(error)) throw error
    rmSync(file, { force: true })
    onDamaged()
    return null
  }
}

function readState(file: string, fingerprint: string): FoldState | null {
  const opened = openSafetensors(file)
  try {
    const progress = progressOf(opened.metadata, fingerprint)
    if (progress === null) return null
    const take = (prefix: string) => Object.fromEntries([...opened.entries.keys()].filter((name) => name.startsWith(`${prefix}/`)).map((name) => [name.slice(prefix.length + 1), opened.readFloats(name)]))
    return { progress, trained: take('trained'), optimizer: { step: progress.optimizerStep, first: take('first'), second: take('second') } }
  } finally {
    opened.close()
  }
}

/** Errors of the system (no right to read, a network drive that is gone) are none: the state may be whole. */
const isDamage = (error: unknown): boolean => (error instanceof AppError && error.code.startsWith('WEIGHTS_')) || error instanceof SyntaxError

/** What earlier sessions of a run took, from the state that was saved last; null for a run that begins. */
export function readSpent(runDir: string, foldCount: number, fingerprint: string): Spent | null {
  const all = Array.from({ length: foldCount }, (_, fold) => loadProgress(runDir, fold, fingerprint)?.spent ?? null).filter((spent) => spent !== null)
  return all.reduce<Spent | null>((latest, spent) => (latest === null || spent.elapsedMs > latest.elapsedMs ? spent : latest), null)
}

function loadProgress(runDir: string, fold: number, fingerprint: string): FoldProgress | null {
  const file = fileOf(runDir, fold)
  if (!existsSync(file)) return null
  try {
    const opened = openSafetensors(file)
    try {
      return progressOf(opened.metadata, fingerprint)
    } finally {
      opened.close()
    }
  } catch (error) {
    // Told where the fold begins, see loadFoldState.
    if (isDamage(error)) return null
    throw error
  }
}

/** A state of another configuration, or one that an older version wrote, cannot be gone on with. */
function progressOf(metadata: Readonly<Record<string, string>>, fingerprint: string): FoldProgress | null {
  const parsed = progressSchema.safeParse(JSON.parse(metadata.progress ?? 'null'))
  return parsed.success && parsed.data.fingerprint === fingerprint ? parsed.data : null
}

import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { encodeSafetensors, openSafetensors } from '../../backbones/safetensors.ts'
import type { HostValues } from '../../compute/parameters.ts'
import type { OptimizerState } from '../optimise/optimizer.ts'

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
})
export type FoldProgress = z.infer<typeof progressSchema>

export interface FoldState {
  progress: FoldProgress
  trained: Record<string, HostValues>
  optimizer: OptimizerState
}

const fileOf = (runDir: string, fold: number) => join(runDir, `fold_${fold}`, 'resume.safetensors')

/** Saves all that the next epoch needs in one file, replaced in one step: after a kill at any moment at most one epoch is repeated. */
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
  writeFileSync(`${file}.part`, encodeSafetensors(tensors, { progress: JSON.stringify(state.progress) }))
  renameSync(`${file}.part`, file)
}

/** The state of a fold, or null when there is none or it belongs to another configuration. */
export function loadFoldState(runDir: string, fold: number, fingerprint: string): FoldState | null {
  const file = fileOf(runDir, fold)
  if (!existsSync(file)) return null
  const opened = openSafetensors(file)
  try {
    const parsed = progressSchema.safeParse(JSON.parse(opened.metadata.progress ?? 'null'))
    // A state that an older version wrote cannot be gone on with either.
    if (!parsed.success || parsed.data.fingerprint !== fingerprint) return null
    const progress = parsed.data
    const take = (prefix: string) => Object.fromEntries([...opened.entries.keys()].filter((name) => name.startsWith(`${prefix}/`)).map((name) => [name.slice(prefix.length + 1), opened.readFloats(name)]))
    return { progress, trained: take('trained'), optimizer: { step: progress.optimizerStep, first: take('first'), second: take('second') } }
  } finally {
    opened.close()
  }
}

import type { Phase } from '../../adapters/method.ts'
import type { TrainingStudy } from '../../domain/exchange.ts'
import type { RunConfig, Split } from '../../domain/run.ts'
import { patternKey, slotIdsOfPattern, subPatterns, type Modality, type Slot } from '../../domain/slots.ts'
import { actualPattern, type ModalityPlan } from '../inputs/inputs.ts'
import { simulateMissingness } from './missingness.ts'
import { createRng } from '../rng.ts'

/** The presence pattern each study of a run is shown with, by the side it stands on: what is really there less the simulated losses. */
export type ShownTables = Record<Split, readonly string[]>

/** Order in which kinds are thought of as dropped; part of what a seed means. */
const kindOrder: readonly Modality[] = ['image', 'text', 'tabular']

/** Which pattern a study is shown under: naturally, in a phase, with modalities dropped, at prediction. No tensors, no files. */
export interface Showing {
  /** What each study really has. */
  natural: readonly string[]
  tables: ShownTables
  /** Modality bits of a pattern, as networks know them. */
  bitsOf: (pattern: string) => number
  /** The pattern of a study in a phase, or null when it takes no part. */
  inPhase: (index: number, side: 'train' | 'val', phase: Phase) => string | null
  /** What modality dropout may show in place of `pattern`: every non-empty proper subset of its kinds, those that lose least first. */
  reductionsOf: (pattern: string) => readonly string[]
  /** What-if patterns of a study: subPatterns, every reduction by kind and the pattern of the test table; its own pattern first. */
  whatIf: (index: number) => readonly string[]
}

export function createShowing(slots: readonly Slot[], plan: ModalityPlan, studies: readonly TrainingStudy[], config: RunConfig, given?: ShownTables): Showing {
  const natural = studies.map((study) => actualPattern(slots, study))
  const tables = given ?? legacyTables(slots, natural, config)
  const bitsOf = (pattern: string): number => slotIdsOfPattern(pattern).reduce((bits, slotId) => bits | (1 << plan.modalityOfSlot.get(slotId)!), 0)
  const restrict = (pattern: string, bits: number): string => {
    const present = new Set(slotIdsOfPattern(pattern))
    return patternKey(slots, (slotId) => present.has(slotId) && ((bits >> plan.modalityOfSlot.get(slotId)!) & 1) === 1)
  }
  const known = new Map<string, readonly string[]>()
  const reductionsOf = (pattern: string): readonly string[] => {
    const before = known.get(pattern)
    if (before !== undefined) return before
    const reductions = reduceByKind(slots, pattern)
    known.set(pattern, reductions)
    return reductions
  }
  return {
    natural, tables, bitsOf, reductionsOf,
    inPhase: (index, side, phase) => {
      const pattern = tables[side][index]!
      if (phase.shows === 'own-pattern') return pattern
      return (bitsOf(pattern) & phase.shows) === phase.shows ? restrict(pattern, phase.shows) : null
    },
    whatIf: (index) => {
      const pattern = natural[index]!
      return [...new Set([...subPatterns(pattern), ...reductionsOf(pattern), tables.test[index]!])]
    },
  }
}

/** Patterns with whole kinds hidden, the fewest kinds first. */
function reduceByKind(slots: readonly Slot[], pattern: string): string[] {
  const present = new Set(slotIdsOfPattern(pattern))
  const kindOf = new Map(slots.map((slot) => [slot.slotId, slot.modality]))
  const kinds = kindOrder.filter((kind) => [...present].some((slotId) => kindOf.get(slotId) === kind))
  const dropped: Modality[][] = []
  for (let bits = 1; bits < (1 << kinds.length) - 1; bits++) dropped.push(kinds.filter((_, index) => (bits >> index) & 1))
  dropped.sort((a, b) => a.length - b.length)
  return dropped.map((gone) => patternKey(slots, (slotId) => present.has(slotId) && !gone.includes(kindOf.get(slotId)!)))
}

/** Runs without tables of their own: one random loss over training and validation studies, test studies as they are. */
function legacyTables(slots: readonly Slot[], natural: readonly string[], config: RunConfig): ShownTables {
  const shown = simulateMissingness(slots, natural, config.trainMissingness, createRng(config.seed).fork('train-missingness'))
  return { train: shown, val: shown, test: natural }
}

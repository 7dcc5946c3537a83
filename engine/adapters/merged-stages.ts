import type { ParameterSet } from '../compute/parameters.ts'
import { signatureOf } from './frozen-features.ts'
import type { Stage } from './stages/stage.ts'

/** The stages of a network as predictions use them, with everything trained folded into weights, so that the fast frozen block serves. */
export interface MergedStages {
  /** The stages for a batch of these patterns, or null when folding does not pay or cannot be done. They stay this object's. */
  for(patterns: readonly number[], batchSize: number): readonly Stage[] | null
  /** Frees the folded weights; before training goes on and at the end. */
  forget(): void
}

/** From how many samples on a copy of the blocks costs less than it saves. */
const WORTHWHILE_BATCH = 4

/** `byPattern`: the trained parts differ between patterns, so a batch must have one only. Keeps the copy of one pattern at a time. */
export function createMergedStages(parameters: ParameterSet, stages: readonly Stage[], byPattern: boolean): MergedStages {
  let kept: { key: string; stages: Stage[]; dispose(): void } | null = null
  const forget = (): void => {
    kept?.dispose()
    kept = null
  }
  const fold = (pattern: number): { stages: Stage[]; dispose(): void } | null => {
    const folded = stages.map((stage) => stage.merged?.(pattern) ?? null)
    const dispose = (): void => folded.forEach((one) => one?.dispose())
    if (folded.some((one, i) => one === null && stages[i]!.merged !== undefined)) {
      dispose()
      return null
    }
    return { stages: folded.map((one, i) => one?.stage ?? stages[i]!), dispose }
  }
  const hasSomething = stages.some((stage) => stage.merged !== undefined)
  return {
    forget,
    for: (patterns, batchSize) => {
      if (!hasSomething || batchSize < WORTHWHILE_BATCH || (byPattern && patterns.length > 1)) return null
      const pattern = byPattern ? patterns[0]! : 0
      const key = `${pattern} ${signatureOf(parameters)}`
      if (kept?.key !== key) {
        forget()
        const folded = fold(pattern)
        kept = folded === null ? null : { key, ...folded }
      }
      return kept?.stages ?? null
    },
  }
}

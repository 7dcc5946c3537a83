import type { Statistics } from '../network.ts'

const name = 'statistics.trainedCombinations'

/** Which combinations of modalities had a training sample: prompts start from random numbers, so their values cannot tell. */
export interface TrainedFlags extends Statistics {
  /** These patterns (bits) are in a training batch. */
  mark(patterns: Iterable<number>): void
  has(pattern: number): boolean
}

/** Outside of a run every combination counts as trained; a run begins with none. So does a checkpoint of 0.1, which does not tell. */
export function createTrainedFlags(combinations: readonly number[]): TrainedFlags {
  let trained = new Set(combinations)
  return {
    fit: () => { trained = new Set() },
    mark: (patterns) => { for (const pattern of patterns) trained.add(pattern) },
    has: (pattern) => trained.has(pattern),
    exportValues: () => ({ [name]: { shape: [combinations.length], values: Float32Array.from(combinations, (combination) => (trained.has(combination) ? 1 : 0)) } }),
    importValues: (stored) => {
      const flags = stored[name]?.values
      trained = new Set(combinations.filter((_, position) => flags === undefined || flags[position] === 1))
    },
  }
}

import { createRng } from './rng.ts'

/** Any fixed number: the same cohort must always get the same sample. */
const sampleSeed = 20_240_301

/**
 * At most `most` rows spread over all: one out of every few, drawn by a seed. Every second row, say, would be the right eyes alone of a table
 * that has one row for each eye.
 */
export function sampleRows(count: number, most: number): number[] {
  const step = Math.max(1, Math.ceil(count / most))
  const rng = createRng(sampleSeed)
  return Array.from({ length: Math.ceil(count / step) }, (_, k) => k * step + rng.integer(Math.min(step, count - k * step)))
}

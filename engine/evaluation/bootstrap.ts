/** Percentile bootstrap, Efron and Tibshirani 1993, ch. 13; a case is a patient, never an image. */
import { normalQuantile } from './comparison/distributions.ts'

export interface BootstrapInterval {
  lower: number | null
  median: number | null
  upper: number | null
  mean: number | null
  /** Sample standard deviation over the resamples; null with fewer than two. */
  standardDeviation: number | null
  usedCount: number
  /** Resamples on which the metric was not estimable; they do not enter the interval. */
  droppedCount: number
  reason?: string
}

/** Case indices with replacement, [resampleCount][caseCount]; `random` gives uniform numbers in [0, 1). */
export function drawResamples(random: () => number, caseCount: number, resampleCount: number): Uint32Array[] {
  return Array.from({ length: resampleCount }, () =>
    Uint32Array.from({ length: caseCount }, () => Math.min(caseCount - 1, Math.floor(random() * caseCount))),
  )
}

/** Interval of `metric` over given resamples; `metric` gets case indices and returns null where it is not estimable. */
export function bootstrapInterval(
  resamples: readonly ArrayLike<number>[],
  metric: (indices: ArrayLike<number>) => number | null,
  level: number = 0.95,
): BootstrapInterval {
  const values: number[] = []
  for (const indices of resamples) {
    const value = metric(indices)
    if (value !== null) values.push(value)
  }
  const usedCount = values.length
  const droppedCount = resamples.length - usedCount
  if (usedCount === 0) {
    const reason = 'not estimable on any resample'
    return { lower: null, median: null, upper: null, mean: null, standardDeviation: null, usedCount, droppedCount, reason }
  }
  const sorted = Float64Array.from(values).sort()
  const mean = values.reduce((sum, value) => sum + value, 0) / usedCount
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    lower: quantileOfSorted(sorted, (1 - level) / 2),
    median: quantileOfSorted(sorted, 0.5),
    upper: quantileOfSorted(sorted, (1 + level) / 2),
    mean,
    standardDeviation: usedCount > 1 ? Math.sqrt(squares / (usedCount - 1)) : null,
    usedCount,
    droppedCount,
  }
}

/** Quantile with linear interpolation (type 7 of Hyndman and Fan 1996); 0 <= level <= 1. Throws RangeError when empty. */
export function quantile(values: ArrayLike<number>, level: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), level)
}

function quantileOfSorted(sorted: Float64Array, level: number): number {
  if (sorted.length === 0) throw new RangeError('A quantile needs at least one value.')
  const position = (sorted.length - 1) * level
  const below = Math.floor(position)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (position - below) * (high - low)
}

/** Wilson score interval of k successes in n trials. Null for n = 0. */
export function wilsonInterval(successes: number, trials: number, level: number = 0.95): { lower: number; upper: number } | null {
  if (trials === 0) return null
  const z = normalQuantile((1 + level) / 2)
  const share = successes / trials
  const centre = (share + (z * z) / (2 * trials)) / (1 + (z * z) / trials)
  const margin = (z / (1 + (z * z) / trials)) * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))
  // At the ends the bound is exactly 0 or 1; the formula would leave rounding dust.
  return {
    lower: successes === 0 ? 0 : Math.max(0, centre - margin),
    upper: successes === trials ? 1 : Math.min(1, centre + margin),
  }
}

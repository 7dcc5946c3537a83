/**
 * A number that may not be estimable. `value` is null exactly when `reason` says why, in words that can be shown;
 * 0 and NaN never stand for "unknown". `positives` and `negatives` are the cases the number rests on.
 */
export interface Estimate {
  value: number | null
  reason?: string
  positives: number
  negatives: number
}

/** A mean over several labels or classes; `estimableCount` of them entered it. */
export interface MeanEstimate extends Estimate {
  estimableCount: number
}

/** How many cases lie on each side of a yes/no label. */
export interface ClassCounts {
  positives: number
  negatives: number
}

/** Rows of labels or probabilities: one row per patient, one column per label or class. */
export type Matrix = readonly ArrayLike<number>[]

/** Wraps a computed number. NaN and infinities are bugs of the caller, never results. */
export function estimated(value: number, counts: ClassCounts): Estimate {
  if (!Number.isFinite(value)) throw new RangeError(`A metric came out as ${value}; it must be a finite number.`)
  return { value, positives: counts.positives, negatives: counts.negatives }
}

/** Says that a number cannot be estimated and why. */
export function notEstimable(reason: string, counts: ClassCounts): Estimate {
  return { value: null, reason, positives: counts.positives, negatives: counts.negatives }
}

/** numerator / denominator, or "not estimable" for a zero denominator. */
export function ratio(numerator: number, denominator: number, reason: string, counts: ClassCounts): Estimate {
  return denominator === 0 ? notEstimable(reason, counts) : estimated(numerator / denominator, counts)
}

/** Plain mean of the estimable values; nulls are left out, not counted as 0. */
export function meanOfEstimable(estimates: readonly Estimate[], reason: string): MeanEstimate {
  return weightedMeanOfEstimable(estimates, estimates.map(() => 1), reason)
}

/** Mean of the estimable values with one non-negative weight each; null when no weight is left. */
export function weightedMeanOfEstimable(
  estimates: readonly Estimate[],
  weights: readonly number[],
  reason: string,
): MeanEstimate {
  let total = 0
  let weightTotal = 0
  let estimableCount = 0
  const counts = { positives: 0, negatives: 0 }
  estimates.forEach((estimate, index) => {
    counts.positives += estimate.positives
    counts.negatives += estimate.negatives
    if (estimate.value === null) return
    const weight = weights[index] ?? 0
    total += weight * estimate.value
    weightTotal += weight
    estimableCount += 1
  })
  if (weightTotal === 0) return { ...notEstimable(reason, counts), estimableCount }
  return { ...estimated(total / weightTotal, counts), estimableCount }
}

/**
 * Checks one label column against its probabilities and counts its classes.
 * Throws RangeError when lengths differ, a label is neither 0 nor 1, or a probability lies outside 0..1 (NaN included):
 * a silent NaN would sort anywhere and give a plausible wrong number.
 */
export function countClasses(labels: ArrayLike<number>, probabilities: ArrayLike<number>): ClassCounts {
  if (labels.length !== probabilities.length) {
    throw new RangeError(`${labels.length} labels but ${probabilities.length} probabilities.`)
  }
  let positives = 0
  for (let i = 0; i < labels.length; i += 1) {
    const label = labels[i]!
    const probability = probabilities[i]!
    if (label !== 0 && label !== 1) throw new RangeError(`Label ${i} is ${label}; it must be 0 or 1.`)
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`Probability ${i} is ${probability}; it must lie between 0 and 1.`)
    }
    positives += label
  }
  return { positives, negatives: labels.length - positives }
}

/** One column of a matrix as doubles. Throws RangeError when a row is too short. */
export function columnOf(matrix: Matrix, column: number): Float64Array {
  const values = new Float64Array(matrix.length)
  matrix.forEach((row, index) => {
    if (column >= row.length) throw new RangeError(`Row ${index} has ${row.length} columns, expected more than ${column}.`)
    values[index] = row[column]!
  })
  return values
}

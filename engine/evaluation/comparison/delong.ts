/**
 * Two correlated AUROCs on the same patients, DeLong et al. 1988, by midranks (Sun and Xu 2014).
 * The variance of the difference is taken from the differences of the placements, so that two models with the
 * same ranking give exactly 0 and no spurious p-value.
 */
import { countClasses, type ClassCounts } from '../estimate.ts'
import { normalQuantile, normalUpperTail } from './distributions.ts'
import { averageRanks } from './ranks.ts'

export interface DeLongResult {
  counts: ClassCounts
  aurocFirst: number | null
  aurocSecond: number | null
  difference: number | null
  varianceFirst: number | null
  varianceSecond: number | null
  covariance: number | null
  varianceOfDifference: number | null
  z: number | null
  pValue: number | null
  /** 95 % normal intervals; those of the single areas are clipped to 0..1. */
  intervalOfDifference: [number, number] | null
  intervalFirst: [number, number] | null
  intervalSecond: [number, number] | null
  /** Why the p-value (and whatever else is null) cannot be estimated. */
  reason?: string
}

const QUANTILE_975 = normalQuantile(0.975)
// Placements are multiples of 1/(2m): a real variance is far above this, rounding noise far below.
const ZERO_VARIANCE = 1e-24

/** Compares two columns of probabilities [N] against the same labels 0/1 [N]. */
export function deLong(labels: ArrayLike<number>, first: ArrayLike<number>, second: ArrayLike<number>): DeLongResult {
  const counts = countClasses(labels, first)
  countClasses(labels, second)
  if (counts.positives === 0 || counts.negatives === 0) return unknown(counts, 'one class only')
  const a = placements(labels, first)
  const b = placements(labels, second)
  const aurocFirst = mean(a.positives)
  const aurocSecond = mean(b.positives)
  const areas = { aurocFirst, aurocSecond, difference: aurocFirst - aurocSecond }
  if (counts.positives < 2 || counts.negatives < 2) return { ...unknown(counts, 'fewer than 2 in a class'), ...areas }

  const varianceFirst = spread(a, a)
  const varianceSecond = spread(b, b)
  const gap = { positives: subtract(a.positives, b.positives), negatives: subtract(a.negatives, b.negatives) }
  const gapVariance = spread(gap, gap)
  const varianceOfDifference = gapVariance < ZERO_VARIANCE ? 0 : gapVariance
  const shared = {
    counts,
    ...areas,
    varianceFirst,
    varianceSecond,
    covariance: spread(a, b),
    varianceOfDifference,
    intervalFirst: interval(aurocFirst, varianceFirst, true),
    intervalSecond: interval(aurocSecond, varianceSecond, true),
  }
  if (varianceOfDifference === 0) {
    return { ...shared, z: null, pValue: null, intervalOfDifference: null, reason: 'variance of the difference is 0' }
  }
  const z = areas.difference / Math.sqrt(varianceOfDifference)
  return {
    ...shared,
    z,
    pValue: 2 * normalUpperTail(Math.abs(z)),
    intervalOfDifference: interval(areas.difference, varianceOfDifference, false),
  }
}

interface Placements {
  positives: Float64Array
  negatives: Float64Array
}

// For each positive the share of negatives below it; for each negative the share of positives above it. Ties count 1/2.
function placements(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Placements {
  const pick = (label: number) => Float64Array.from(Array.from(probabilities).filter((_, i) => labels[i] === label))
  const positives = pick(1)
  const negatives = pick(0)
  const joint = averageRanks([...positives, ...negatives]).ranks
  const ranksPositives = averageRanks(positives).ranks
  const ranksNegatives = averageRanks(negatives).ranks
  return {
    positives: positives.map((_, i) => (joint[i]! - ranksPositives[i]!) / negatives.length),
    negatives: negatives.map((_, j) => 1 - (joint[positives.length + j]! - ranksNegatives[j]!) / positives.length),
  }
}

function spread(a: Placements, b: Placements): number {
  return (
    sampleCovariance(a.positives, b.positives) / a.positives.length +
    sampleCovariance(a.negatives, b.negatives) / a.negatives.length
  )
}

function sampleCovariance(a: Float64Array, b: Float64Array): number {
  const meanA = mean(a)
  const meanB = mean(b)
  return a.reduce((sum, value, i) => sum + (value - meanA) * (b[i]! - meanB), 0) / (a.length - 1)
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!)
}

function interval(centre: number, variance: number, isClipped: boolean): [number, number] {
  const margin = QUANTILE_975 * Math.sqrt(variance)
  const ends: [number, number] = [centre - margin, centre + margin]
  return isClipped ? [Math.max(0, ends[0]), Math.min(1, ends[1])] : ends
}

function unknown(counts: ClassCounts, reason: string): DeLongResult {
  return {
    counts,
    aurocFirst: null,
    aurocSecond: null,
    difference: null,
    varianceFirst: null,
    varianceSecond: null,
    covariance: null,
    varianceOfDifference: null,
    z: null,
    pValue: null,
    intervalOfDifference: null,
    intervalFirst: null,
    intervalSecond: null,
    reason,
  }
}

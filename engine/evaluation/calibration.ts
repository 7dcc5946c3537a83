/**
 * How far probabilities can be taken at their word: Brier score, log loss, expected calibration error
 * (Naeini et al. 2015) and the logistic recalibration intercept and slope (Cox 1958; Van Calster et al. 2019).
 */
import { countClasses, estimated, notEstimable, type ClassCounts, type Estimate } from './estimate.ts'

/** Double machine epsilon: log loss clips probabilities to [this, 1 - this], as the common reference library does. */
export const LOG_LOSS_CLIP = 2.220446049250313e-16
const LOGIT_CLIP = 1e-6
const DEFAULT_BIN_COUNT = 15
const MAX_ITERATIONS = 200

/** Mean squared difference between probability and label, 0..1. */
export function brier(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Estimate {
  const counts = countClasses(labels, probabilities)
  if (labels.length === 0) return notEstimable('no cases', counts)
  let total = 0
  for (let i = 0; i < labels.length; i += 1) total += (probabilities[i]! - labels[i]!) ** 2
  return estimated(total / labels.length, counts)
}

/** Mean negative log likelihood in nats. */
export function logLoss(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Estimate {
  const counts = countClasses(labels, probabilities)
  if (labels.length === 0) return notEstimable('no cases', counts)
  let total = 0
  for (let i = 0; i < labels.length; i += 1) {
    total -= Math.log(clip(labels[i] === 1 ? probabilities[i]! : 1 - probabilities[i]!, LOG_LOSS_CLIP))
  }
  return estimated(total / labels.length, counts)
}

/** Expected calibration error over equal-width bins (lo, hi]: sum of n_b / n * |mean probability - mean label|. */
export function expectedCalibrationError(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  binCount: number = DEFAULT_BIN_COUNT,
): Estimate {
  const counts = countClasses(labels, probabilities)
  if (labels.length === 0) return notEstimable('no cases', counts)
  const probabilitySums = new Float64Array(binCount)
  const labelSums = new Float64Array(binCount)
  for (let i = 0; i < labels.length; i += 1) {
    const bin = Math.min(Math.max(Math.ceil(probabilities[i]! * binCount) - 1, 0), binCount - 1)
    probabilitySums[bin]! += probabilities[i]!
    labelSums[bin]! += labels[i]!
  }
  // n_b cancels: n_b / n * |sum_p / n_b - sum_y / n_b| = |sum_p - sum_y| / n.
  let total = 0
  for (let bin = 0; bin < binCount; bin += 1) total += Math.abs(probabilitySums[bin]! - labelSums[bin]!)
  return estimated(total / labels.length, counts)
}

/** Recalibration on the log-odds scale; standard errors are null where their estimate is. */
export interface CalibrationFit {
  /** Calibration in the large: intercept with the slope fixed at 1. */
  inTheLarge: Estimate
  inTheLargeStandardError: number | null
  intercept: Estimate
  interceptStandardError: number | null
  slope: Estimate
  slopeStandardError: number | null
}

/**
 * Maximum-likelihood fit of y ~ intercept + slope * logit(p), p clipped to [1e-6, 1 - 1e-6], without penalty.
 * Not estimable with one class, with all probabilities equal, or when the classes are separated (the slope is infinite).
 */
export function fitCalibration(labels: ArrayLike<number>, probabilities: ArrayLike<number>): CalibrationFit {
  const counts = countClasses(labels, probabilities)
  const logits = Float64Array.from({ length: labels.length }, (_, i) => {
    const p = clip(probabilities[i]!, LOGIT_CLIP)
    return Math.log(p / (1 - p))
  })
  if (counts.positives === 0 || counts.negatives === 0) {
    const none = notEstimable('one class only', counts)
    return withoutSlope({ inTheLarge: none, inTheLargeStandardError: null }, none)
  }
  const large = fitOffset(labels, logits, counts)
  const why = whyNoSlope(labels, logits)
  if (why !== null) return withoutSlope(large, notEstimable(why, counts))
  return { ...large, ...fitLine(labels, logits, counts) }
}

type LargeFit = Pick<CalibrationFit, 'inTheLarge' | 'inTheLargeStandardError'>
type LineFit = Omit<CalibrationFit, keyof LargeFit>

function withoutSlope(large: LargeFit, none: Estimate): CalibrationFit {
  return { ...large, intercept: none, interceptStandardError: null, slope: none, slopeStandardError: null }
}

function whyNoSlope(labels: ArrayLike<number>, logits: Float64Array): string | null {
  const low = [Infinity, Infinity]
  const high = [-Infinity, -Infinity]
  for (let i = 0; i < logits.length; i += 1) {
    const side = labels[i]!
    low[side] = Math.min(low[side]!, logits[i]!)
    high[side] = Math.max(high[side]!, logits[i]!)
  }
  if (Math.min(low[0]!, low[1]!) === Math.max(high[0]!, high[1]!)) return 'all predictions equal'
  if (low[1]! >= high[0]! || low[0]! >= high[1]!) return 'separation'
  return null
}

// The log likelihood is concave in the offset and its gradient falls monotonically: bracket, then Newton kept inside.
function fitOffset(labels: ArrayLike<number>, logits: Float64Array, counts: ClassCounts): LargeFit {
  let low = -60
  let high = 60
  let offset = 0
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration += 1) {
    const { gradient, information } = offsetDerivatives(labels, logits, offset)
    if (gradient > 0) low = offset
    else high = offset
    let next = offset + gradient / information
    if (!(next > low && next < high)) next = (low + high) / 2
    const step = Math.abs(next - offset)
    offset = next
    if (step <= 1e-14 * Math.max(1, Math.abs(offset))) break
  }
  const { information } = offsetDerivatives(labels, logits, offset)
  return { inTheLarge: estimated(offset, counts), inTheLargeStandardError: 1 / Math.sqrt(information) }
}

function offsetDerivatives(labels: ArrayLike<number>, logits: Float64Array, offset: number): {
  gradient: number
  information: number
} {
  let gradient = 0
  let information = 0
  for (let i = 0; i < logits.length; i += 1) {
    const fitted = sigmoid(offset + logits[i]!)
    gradient += labels[i]! - fitted
    information += fitted * (1 - fitted)
  }
  return { gradient, information }
}

// Newton with step halving; the logits are centred so that the 2 x 2 information is well conditioned.
function fitLine(labels: ArrayLike<number>, logits: Float64Array, counts: ClassCounts): LineFit {
  const centre = logits.reduce((sum, z) => sum + z, 0) / logits.length
  const centred = logits.map((z) => z - centre)
  let a = Math.log(counts.positives / counts.negatives)
  let b = 0
  let state = lineDerivatives(labels, centred, a, b)
  let hasConverged = false
  for (let iteration = 0; iteration < MAX_ITERATIONS && !hasConverged; iteration += 1) {
    const determinant = state.aa * state.bb - state.ab * state.ab
    const stepA = (state.bb * state.gradientA - state.ab * state.gradientB) / determinant
    const stepB = (state.aa * state.gradientB - state.ab * state.gradientA) / determinant
    if (!Number.isFinite(stepA) || !Number.isFinite(stepB)) break
    let scale = 1
    let trial = lineDerivatives(labels, centred, a + stepA, b + stepB)
    while (trial.logLikelihood < state.logLikelihood - 1e-12 * Math.abs(state.logLikelihood) && scale > 1e-10) {
      scale /= 2
      trial = lineDerivatives(labels, centred, a + scale * stepA, b + scale * stepB)
    }
    a += scale * stepA
    b += scale * stepB
    state = trial
    hasConverged = scale === 1 && Math.abs(stepA) <= 1e-12 * (1 + Math.abs(a)) && Math.abs(stepB) <= 1e-12 * (1 + Math.abs(b))
  }
  if (!hasConverged) {
    const none = notEstimable('the fit did not converge', counts)
    return { intercept: none, interceptStandardError: null, slope: none, slopeStandardError: null }
  }
  const determinant = state.aa * state.bb - state.ab * state.ab
  const varianceA = state.bb / determinant
  const varianceB = state.aa / determinant
  const covariance = -state.ab / determinant
  return {
    intercept: estimated(a - b * centre, counts),
    interceptStandardError: Math.sqrt(varianceA - 2 * centre * covariance + centre * centre * varianceB),
    slope: estimated(b, counts),
    slopeStandardError: Math.sqrt(varianceB),
  }
}

function lineDerivatives(labels: ArrayLike<number>, logits: Float64Array, a: number, b: number) {
  let gradientA = 0
  let gradientB = 0
  let aa = 0
  let ab = 0
  let bb = 0
  let logLikelihood = 0
  for (let i = 0; i < logits.length; i += 1) {
    const z = logits[i]!
    const eta = a + b * z
    const fitted = sigmoid(eta)
    const residual = labels[i]! - fitted
    const weight = fitted * (1 - fitted)
    gradientA += residual
    gradientB += residual * z
    aa += weight
    ab += weight * z
    bb += weight * z * z
    logLikelihood -= Math.max(eta, 0) - labels[i]! * eta + Math.log1p(Math.exp(-Math.abs(eta)))
  }
  return { gradientA, gradientB, aa, ab, bb, logLikelihood }
}

function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))
}

function clip(p: number, margin: number): number {
  return Math.min(Math.max(p, margin), 1 - margin)
}

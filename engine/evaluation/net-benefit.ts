/** Decision-curve analysis, Vickers and Elkin 2006. */
import { countClasses, estimated, notEstimable, type Estimate } from './estimate.ts'

/** The thresholds reported by default: 0.05, 0.10 ... 0.95. */
export const decisionThresholds: readonly number[] = Array.from({ length: 19 }, (_, index) => (index + 1) / 20)

/** TP/n - FP/n * t/(1-t) at threshold t (0 < t < 1), treating when probability >= t. */
export function netBenefit(labels: ArrayLike<number>, probabilities: ArrayLike<number>, threshold: number): Estimate {
  const counts = countClasses(labels, probabilities)
  const total = labels.length
  if (total === 0) return notEstimable('no cases', counts)
  let truePositives = 0
  let falsePositives = 0
  for (let i = 0; i < total; i += 1) {
    if (probabilities[i]! < threshold) continue
    if (labels[i] === 1) truePositives += 1
    else falsePositives += 1
  }
  return estimated(truePositives / total - (falsePositives / total) * (threshold / (1 - threshold)), counts)
}

/** Net benefit of treating everybody: prevalence - (1 - prevalence) t/(1-t). */
export function netBenefitTreatAll(labels: ArrayLike<number>, threshold: number): Estimate {
  const counts = countClasses(labels, labels)
  if (labels.length === 0) return notEstimable('no cases', counts)
  const prevalence = counts.positives / labels.length
  return estimated(prevalence - ((1 - prevalence) * threshold) / (1 - threshold), counts)
}

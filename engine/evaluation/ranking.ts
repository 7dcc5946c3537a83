/** Threshold-free discrimination: area under the ROC curve and average precision. */
import { countClasses, estimated, notEstimable, type Estimate } from './estimate.ts'

/** Cases that share one probability, highest probability first. */
interface TieGroup {
  positives: number
  negatives: number
}

function tieGroups(labels: ArrayLike<number>, probabilities: ArrayLike<number>): TieGroup[] {
  const order = Uint32Array.from({ length: labels.length }, (_, index) => index)
  order.sort((a, b) => probabilities[b]! - probabilities[a]!)
  const groups: TieGroup[] = []
  let previous = Number.NaN
  let group: TieGroup | undefined
  for (const index of order) {
    const probability = probabilities[index]!
    if (group === undefined || probability !== previous) {
      group = { positives: 0, negatives: 0 }
      groups.push(group)
      previous = probability
    }
    if (labels[index] === 1) group.positives += 1
    else group.negatives += 1
  }
  return groups
}

/** Probability that a random positive ranks above a random negative; ties count one half. Null with one class. */
export function auroc(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Estimate {
  const counts = countClasses(labels, probabilities)
  if (counts.positives === 0 || counts.negatives === 0) return notEstimable('one class only', counts)
  let negativesBelow = counts.negatives
  let wins = 0
  for (const group of tieGroups(labels, probabilities)) {
    negativesBelow -= group.negatives
    wins += group.positives * (negativesBelow + group.negatives / 2)
  }
  return estimated(wins / counts.positives / counts.negatives, counts)
}

/**
 * Average precision: sum over distinct thresholds of (R_n - R_(n-1)) P_n, without interpolation.
 * Null with no positives (libraries often return 0 there, which reads like a bad model).
 */
export function auprc(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Estimate {
  const counts = countClasses(labels, probabilities)
  if (counts.positives === 0) return notEstimable('no positives', counts)
  let truePositives = 0
  let predicted = 0
  let area = 0
  for (const group of tieGroups(labels, probabilities)) {
    truePositives += group.positives
    predicted += group.positives + group.negatives
    area += (group.positives / counts.positives) * (truePositives / predicted)
  }
  return estimated(area, counts)
}

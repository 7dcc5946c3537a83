import { notEstimable, estimated, ratio, type ClassCounts, type Estimate } from './estimate.ts'

/** Counts of a yes/no decision against the truth. */
export interface BinaryConfusion {
  trueNegatives: number
  falsePositives: number
  falseNegatives: number
  truePositives: number
}

/** Counts decisions `probability >= threshold`; inputs are checked by `countClasses` in the callers. */
export function countDecisions(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  threshold: number,
): BinaryConfusion {
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < labels.length; i += 1) {
    counts[(labels[i] === 1 ? 2 : 0) + (probabilities[i]! >= threshold ? 1 : 0)]! += 1
  }
  return {
    trueNegatives: counts[0]!,
    falsePositives: counts[1]!,
    falseNegatives: counts[2]!,
    truePositives: counts[3]!,
  }
}

/** How many cases the truth calls positive and negative. */
export function classCountsOf(confusion: BinaryConfusion): ClassCounts {
  return {
    positives: confusion.truePositives + confusion.falseNegatives,
    negatives: confusion.trueNegatives + confusion.falsePositives,
  }
}

/** Sum of several confusions: the basis of micro averages. */
export function sumConfusions(confusions: readonly BinaryConfusion[]): BinaryConfusion {
  const total = { trueNegatives: 0, falsePositives: 0, falseNegatives: 0, truePositives: 0 }
  for (const confusion of confusions) {
    total.trueNegatives += confusion.trueNegatives
    total.falsePositives += confusion.falsePositives
    total.falseNegatives += confusion.falseNegatives
    total.truePositives += confusion.truePositives
  }
  return total
}

/** Share of predicted positives that are right (positive predictive value). */
export function precision(confusion: BinaryConfusion): Estimate {
  const { truePositives, falsePositives } = confusion
  return ratio(truePositives, truePositives + falsePositives, 'no predicted positives', classCountsOf(confusion))
}

/** Share of true positives that are found (sensitivity). */
export function recall(confusion: BinaryConfusion): Estimate {
  const { truePositives, falseNegatives } = confusion
  return ratio(truePositives, truePositives + falseNegatives, 'no positives', classCountsOf(confusion))
}

/** Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). */
export function f1(confusion: BinaryConfusion): Estimate {
  const { truePositives, falsePositives, falseNegatives } = confusion
  const denominator = 2 * truePositives + falsePositives + falseNegatives
  return ratio(2 * truePositives, denominator, 'no positives and no predicted positives', classCountsOf(confusion))
}

/** Share of true negatives that are left alone. */
export function specificity(confusion: BinaryConfusion): Estimate {
  const { trueNegatives, falsePositives } = confusion
  return ratio(trueNegatives, trueNegatives + falsePositives, 'no negatives', classCountsOf(confusion))
}

/** Share of predicted negatives that are right. */
export function negativePredictiveValue(confusion: BinaryConfusion): Estimate {
  const { trueNegatives, falseNegatives } = confusion
  return ratio(trueNegatives, trueNegatives + falseNegatives, 'no predicted negatives', classCountsOf(confusion))
}

/** Share of right decisions. */
export function accuracy(confusion: BinaryConfusion): Estimate {
  const counts = classCountsOf(confusion)
  const right = confusion.truePositives + confusion.trueNegatives
  return ratio(right, counts.positives + counts.negatives, 'no cases', counts)
}

/** Mean of sensitivity and specificity; needs both classes. */
export function balancedAccuracy(confusion: BinaryConfusion): Estimate {
  const sensitivity = recall(confusion).value
  const selectivity = specificity(confusion).value
  const counts = classCountsOf(confusion)
  if (sensitivity === null || selectivity === null) return notEstimable('one class only', counts)
  return estimated((sensitivity + selectivity) / 2, counts)
}

/** [[TN, FP], [FN, TP]]: rows are the truth. */
export function toMatrix(confusion: BinaryConfusion): number[][] {
  return [
    [confusion.trueNegatives, confusion.falsePositives],
    [confusion.falseNegatives, confusion.truePositives],
  ]
}

import type { Task } from './records.ts'

/**
 * Which labels a model calls present. Multi-label: each probability that reaches its threshold.
 * Multi-class: the most probable class alone (the first among equals); thresholds play no part there.
 *
 * @param probabilities 0..1, one for each label
 * @param thresholds 0..1, one for each label
 */
export function decide(task: Task, probabilities: ArrayLike<number>, thresholds: ArrayLike<number>): boolean[] {
  if (task === 'multi-label') return Array.from(probabilities, (probability, label) => probability >= thresholds[label]!)
  const top = indexOfLargest(probabilities)
  return Array.from(probabilities, (_, label) => label === top)
}

/**
 * Whether a study has a place among the classes of a run. A study whose one class was not chosen has none: to a model that must name one of
 * the chosen classes every answer about it is wrong, and counted as a negative of each it would fill F1 and AUROC with cases that the
 * question leaves out. Such studies are neither trained on nor counted. Unknown classes (NaN) are another matter and stay.
 *
 * @param reference 1, 0 or NaN for each chosen label
 */
export function hasChosenClass(task: Task, reference: ArrayLike<number>): boolean {
  return task === 'multi-label' || Array.from(reference).some((value) => value !== 0)
}

/** Index of the largest value, the first among equals; -1 of an empty list. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let top = values.length === 0 ? -1 : 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[top]!) top = i
  return top
}

/** How far a probability lies from its threshold, as a share of what is possible on its side: 0 on the threshold, 1 certain. */
export function confidenceOf(probability: number, threshold: number): number {
  if (probability >= threshold) return threshold === 1 ? 1 : (probability - threshold) / (1 - threshold)
  return (threshold - probability) / threshold
}

/**
 * Confidence of a whole prediction: the least certain label decides (multi-label), or the lead of the first class over the second (multi-class).
 */
export function confidenceOfAll(task: Task, probabilities: ArrayLike<number>, thresholds: ArrayLike<number>): number {
  if (task === 'multi-label') {
    let least = 1
    for (let label = 0; label < probabilities.length; label++) least = Math.min(least, confidenceOf(probabilities[label]!, thresholds[label]!))
    return least
  }
  const top = indexOfLargest(probabilities)
  let second = 0
  for (let label = 0; label < probabilities.length; label++) if (label !== top) second = Math.max(second, probabilities[label]!)
  return top === -1 ? 0 : probabilities[top]! - second
}

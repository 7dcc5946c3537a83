/** Below this many validation positives (or negatives) a tuned threshold would be noise: 0.5 is used instead. */
const minimumOfEachClass = 5

/**
 * Decision threshold for one label: the one with the best F1 on validation probabilities.
 * Candidates lie midway between neighbouring distinct probabilities; among equal F1 the one nearest 0.5 wins, which is the least tuned.
 *
 * @param probabilities 0..1, one for each validation sample
 * @param truth 1, 0 or NaN (unknown, left out)
 * @returns a threshold in (0, 1); a case is called positive when its probability is at least the threshold
 */
export function chooseThreshold(probabilities: Float32Array | number[], truth: Float32Array | number[]): number {
  const cases: { probability: number; truth: number }[] = []
  for (let i = 0; i < truth.length; i++) {
    if (!Number.isNaN(truth[i]!)) cases.push({ probability: probabilities[i]!, truth: truth[i]! })
  }
  const positives = cases.filter((item) => item.truth === 1).length
  if (positives < minimumOfEachClass || cases.length - positives < minimumOfEachClass) return 0.5
  cases.sort((a, b) => b.probability - a.probability)
  let best = { f1: -1, threshold: 0.5 }
  let truePositives = 0
  for (let i = 0; i < cases.length; i++) {
    truePositives += cases[i]!.truth
    const here = cases[i]!.probability
    const next = cases[i + 1]?.probability
    if (next === here) continue
    const threshold = next === undefined ? here : (here + next) / 2
    const f1 = (2 * truePositives) / (i + 1 + positives)
    const isBetter = f1 > best.f1 + 1e-12
    const isCloser = Math.abs(f1 - best.f1) <= 1e-12 && Math.abs(threshold - 0.5) < Math.abs(best.threshold - 0.5)
    if (isBetter || isCloser) best = { f1, threshold }
  }
  return Math.min(Math.max(best.threshold, 1e-6), 1 - 1e-6)
}

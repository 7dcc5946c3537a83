import { createRng } from '../../compute/rng.ts'
import { designEffect } from '../../evaluation/comparison/clusters.ts'
import { deLong } from '../../evaluation/comparison/delong.ts'
import { normalQuantile, normalUpperTail } from '../../evaluation/comparison/distributions.ts'
import { averageRanks } from '../../evaluation/comparison/ranks.ts'
import { dot, fitLogistic, type SparseRows } from './logistic.ts'

/** How well something that should know nothing of a label tells it. */
export interface ProbeResult {
  auroc: number
  /** 95 % interval. */
  interval: [number, number]
  /** One-sided, against 0.5; not corrected for the number of labels. */
  pValue: number
  positives: number
  negatives: number
  persons: number
}

const foldCount = 5
/** Fewer persons than this with or without the label: not estimable, and named by the alarm for rare labels instead. */
export const minimumPersons = 10
/**
 * The five folds share most of their training data, so their areas vary together. The cross terms of a quadratic form in the labels come
 * twice, which at most doubles the variance; simulated random labels stay below (grouped-probe.test.ts).
 */
const sharedTraining = 2
const quantile975 = normalQuantile(0.975)

export interface ProbeOptions {
  seed: number
  /** C of the logistic regression. */
  cost: number
}

/**
 * Trains on four fifths of the persons and ranks the rest, five times, so that nobody is judged by a model that saw the same person.
 * Areas are taken within a fold, since scores of different models have different offsets, and weighted by the information of each
 * (the inverse of the variance under chance, Mann and Whitney 1947). Variances are raised by the studies of each person, which are not
 * independent. Null where fewer than ten persons have, or lack, the label.
 *
 * @param labels 1, 0, or -1 (unknown, left out) of each row [N]
 * @param persons number of the person of each row [N]
 */
export function probeLabel(rows: SparseRows, labels: Int8Array, persons: ArrayLike<number>, { seed, cost }: ProbeOptions): ProbeResult | null {
  const known = Array.from(labels, (_, i) => i).filter((i) => labels[i] !== -1)
  const byPerson = Map.groupBy(known, (i) => persons[i]!)
  const rng = createRng(seed)
  const isPositive = (members: number[]) => members.some((i) => labels[i] === 1)
  const sides = [true, false].map((positive) => rng.shuffle([...byPerson.values()].filter((members) => isPositive(members) === positive)))
  if (sides.some((side) => side.length < minimumPersons)) return null
  const foldOf = new Int8Array(labels.length).fill(-1)
  for (const side of sides) side.forEach((members, place) => members.forEach((i) => (foldOf[i] = place % foldCount)))

  let weightSum = 0
  let areaSum = 0
  let varianceSum = 0
  for (let fold = 0; fold < foldCount; fold++) {
    const train = Int32Array.from(known.filter((i) => foldOf[i] !== fold))
    const test = known.filter((i) => foldOf[i] === fold)
    const weights = fitLogistic(rows, train, Int8Array.from(train, (i) => labels[i]!), cost, rng.fork(`fold ${fold}`))
    // Ranks instead of probabilities: the logistic function rounds large scores to ties.
    const scores = averageRanks(test.map((i) => dot(rows, i, weights))).ranks.map((rank) => rank / (test.length + 1))
    const reference = test.map((i) => labels[i]!)
    const { aurocFirst, varianceFirst, counts } = deLong(reference, scores, scores)
    if (aurocFirst === null) continue
    const weight = (12 * counts.positives * counts.negatives) / (counts.positives + counts.negatives + 1)
    weightSum += weight
    areaSum += weight * aurocFirst
    varianceSum += weight ** 2 * (varianceFirst ?? 1 / weight)
  }
  if (weightSum === 0) return null
  const auroc = areaSum / weightSum
  const clustering = designEffect([...byPerson.values()].map((members) => members.length))
  const deviation = Math.sqrt(Math.max(varianceSum / weightSum ** 2, 1e-12) * clustering)
  const positives = known.filter((i) => labels[i] === 1).length
  return {
    auroc,
    interval: [Math.max(0, auroc - quantile975 * deviation), Math.min(1, auroc + quantile975 * deviation)],
    pValue: normalUpperTail((auroc - 0.5) / Math.sqrt((sharedTraining * clustering) / weightSum)),
    positives, negatives: known.length - positives, persons: byPerson.size,
  }
}

import type { MetricEstimate } from '../domain/results.ts'
import type { LabelledPrediction } from './summarise.ts'

/** Probabilities of exactly 0 or 1 are rounding of single precision; one of them on the wrong side must not make the whole sum infinite. */
const smallestProbability = 2 ** -24

/**
 * Usable information of predictions about the labels, in bits: H(Y) - crossEntropy(Y | X_S), METHODS 3 after Li et al. 2023
 * (arXiv:2310.06383); "usable" because it is what this model gets out (Xu et al. 2020, arXiv:2002.10689), at most I(X_S; Y).
 * H(Y) is the entropy of the labels of the very studies predicted. Negative: worse than always naming their frequency.
 * Multi-label: the mean over labels with both classes. Multi-class: of the one label, over studies whose class is known.
 */
export function usableInformation(predictions: readonly LabelledPrediction[], task: 'multi-label' | 'multi-class'): MetricEstimate {
  if (predictions.length === 0) return { value: null, reason: 'no studies' }
  return task === 'multi-label' ? multiLabelInformation(predictions) : multiClassInformation(predictions)
}

function multiLabelInformation(predictions: readonly LabelledPrediction[]): MetricEstimate {
  const bits: number[] = []
  for (let label = 0; label < predictions[0]!.reference.length; label++) {
    const known = predictions.filter((prediction) => !Number.isNaN(prediction.reference[label]!))
    const positives = known.filter((prediction) => prediction.reference[label] === 1).length
    if (positives === 0 || positives === known.length) continue
    const crossEntropy = known.reduce((sum, { probabilities, reference }) => {
      const probability = probabilities[label]!
      return sum + surprise(reference[label] === 1 ? probability : 1 - probability)
    }, 0) / known.length
    bits.push(entropy([positives, known.length - positives]) - crossEntropy)
  }
  if (bits.length === 0) return { value: null, reason: 'no label is estimable' }
  return { value: bits.reduce((sum, value) => sum + value, 0) / bits.length, reason: null }
}

function multiClassInformation(predictions: readonly LabelledPrediction[]): MetricEstimate {
  const known = predictions.flatMap(({ probabilities, reference }) => {
    const label = reference.indexOf(1)
    return label === -1 ? [] : [{ label, probability: probabilities[label]! }]
  })
  const counts = [...Map.groupBy(known, ({ label }) => label).values()].map((list) => list.length)
  if (counts.length < 2) return { value: null, reason: 'fewer than two classes' }
  const crossEntropy = known.reduce((sum, { probability }) => sum + surprise(probability), 0) / known.length
  return { value: entropy(counts) - crossEntropy, reason: null }
}

const surprise = (probability: number): number => -Math.log2(Math.max(probability, smallestProbability))

/** Entropy of the frequencies, in bits. */
function entropy(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.reduce((sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)), 0)
}

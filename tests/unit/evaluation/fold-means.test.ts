import { describe, expect, it } from 'vitest'
import { foldMeans } from '../../../engine/evaluation/fold-means.ts'
import { summarisePredictions } from '../../../engine/evaluation/summarise.ts'

const labels = [{ labelId: 1, labelName: 'glaucoma' }]
const study = (fold: number, truth: number, probability: number, patientId = 0) => ({ fold, patientId, probabilities: Float32Array.of(probability), thresholds: Float32Array.of(0.5), reference: Float32Array.of(truth) })

describe('means over folds', () => {
  it('measure each fold by itself, where ranking all together mixes their levels', () => {
    // Both folds rank perfectly, at different levels.
    const predictions = [study(0, 0, 0.1), study(0, 1, 0.2), study(1, 0, 0.6), study(1, 1, 0.9)]
    expect(foldMeans(predictions, labels, 'multi-label').macroAuroc).toEqual({ mean: 1, sd: 0, folds: 2 })
    expect(summarisePredictions(predictions, labels, 'multi-label').macroAuroc.value).toBe(0.75)
  })
  it('give the sample standard deviation', () => {
    const predictions = [study(0, 0, 0.1), study(0, 1, 0.2), study(1, 0, 0.9), study(1, 1, 0.6), study(2, 0, 0.5), study(2, 1, 0.5)]
    expect(foldMeans(predictions, labels, 'multi-label').macroAuroc).toEqual({ mean: 0.5, sd: 0.5, folds: 3 })
  })
  it('leave out a fold of one class, and say nothing of one fold alone but its value', () => {
    const predictions = [study(0, 0, 0.1), study(0, 1, 0.2), study(1, 1, 0.9)]
    expect(foldMeans(predictions, labels, 'multi-label').macroAuroc).toEqual({ mean: 1, sd: null, folds: 1 })
    expect(foldMeans([study(1, 1, 0.9)], labels, 'multi-label').macroAuroc).toEqual({ mean: null, sd: null, folds: 0 })
  })
})

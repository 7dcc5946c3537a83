import { describe, expect, it } from 'vitest'
import { summarisePredictions, type LabelledPrediction } from '../../../engine/evaluation/summarise.ts'

const labels = [{ labelId: 1, labelName: 'Glaucoma' }, { labelId: 2, labelName: 'Cataract' }]

function prediction(patientId: number, probabilities: number[], reference: number[], thresholds = [0.5, 0.5]): LabelledPrediction {
  return { patientId, probabilities: Float32Array.from(probabilities), thresholds: Float32Array.from(thresholds), reference: Float32Array.from(reference) }
}

describe('summarisePredictions', () => {
  it('counts by hand: F1, AUROC, AUPRC and the macro means', () => {
    const summary = summarisePredictions([
      prediction(1, [0.9, 0.2], [1, 0]), prediction(2, [0.6, 0.7], [0, 1]), prediction(3, [0.4, 0.6], [1, 0]), prediction(3, [0.1, 0.1], [0, 1]),
    ], labels, 'multi-label')
    expect(summary).toMatchObject({ studyCount: 4, patientCount: 3, estimableLabels: 2 })
    // Label 1: called {1, 2}, true {1, 3}: one hit, so F1 = 2 / 4. Pairs ranked right: 3 of 4.
    expect(summary.labels[0]).toMatchObject({ positives: 2, negatives: 2, f1: { value: 0.5 }, auroc: { value: 0.75 } })
    expect(summary.labels[0]!.auprc.value).toBeCloseTo((1 + 2 / 3) / 2, 12)
    expect(summary.macroF1.value).toBeCloseTo((0.5 + 0.5) / 2, 12)
  })

  it('says "not estimable" for every metric where one class is absent, and leaves it out of the means', () => {
    const summary = summarisePredictions([prediction(1, [0.9, 0.2], [1, 0]), prediction(2, [0.6, 0.7], [1, 1])], labels, 'multi-label')
    for (const metric of ['f1', 'auroc', 'auprc'] as const) expect(summary.labels[0]![metric]).toEqual({ value: null, reason: 'no negatives' })
    expect(summary.macroAuroc.value).toBe(summary.labels[1]!.auroc.value)
    expect(summary.estimableLabels).toBe(1)
  })

  it('has no macro mean when nothing is estimable, as in a pattern with one patient', () => {
    const summary = summarisePredictions([prediction(1, [0.9, 0.9], [1, 0])], labels, 'multi-label')
    expect([summary.macroF1.value, summary.macroAuroc.value, summary.macroAuprc.value]).toEqual([null, null, null])
  })

  it('leaves unknown references out of a label and keeps the study for the others', () => {
    const summary = summarisePredictions([prediction(1, [0.9, 0.2], [Number.NaN, 0]), prediction(2, [0.6, 0.7], [1, 1]), prediction(3, [0.2, 0.3], [0, 0])], labels, 'multi-label')
    expect(summary.labels[0]).toMatchObject({ positives: 1, negatives: 1 })
    expect(summary.labels[1]).toMatchObject({ positives: 1, negatives: 2 })
  })

  it('uses each study\'s own thresholds and shows one only when all agree', () => {
    const rows = [prediction(1, [0.4, 0.9], [1, 1], [0.3, 0.5]), prediction(2, [0.4, 0.1], [0, 0], [0.45, 0.5])]
    const summary = summarisePredictions(rows, labels, 'multi-label')
    expect(summary.labels[0]).toMatchObject({ f1: { value: 1 }, threshold: null })
    expect(summary.labels[1]!.threshold).toBe(0.5)
  })

  it('calls the most probable class in a multi-class run', () => {
    const rows = [prediction(1, [0.3, 0.7], [0, 1]), prediction(2, [0.45, 0.55], [1, 0])]
    expect(summarisePredictions(rows, labels, 'multi-class').labels[1]!.f1.value).toBeCloseTo(2 / 3, 12)
  })

  it('leaves studies of classes that were not chosen out of every number, and counts them apart', () => {
    const rows = [prediction(1, [0.3, 0.7], [0, 1]), prediction(2, [0.45, 0.55], [1, 0])]
    const others = [prediction(3, [0.9, 0.1], [0, 0]), prediction(4, [0.2, 0.8], [0, 0])]
    const { otherClassCount, ...counted } = summarisePredictions([...rows, ...others], labels, 'multi-class')
    expect(otherClassCount).toBe(2)
    expect(counted).toEqual(summarisePredictions(rows, labels, 'multi-class'))
    // Where several labels may apply, a study without any is a negative of all.
    expect(summarisePredictions([...rows, ...others], labels, 'multi-label').labels[0]).toMatchObject({ positives: 1, negatives: 3 })
    // A class that is not known is not one that was not chosen.
    expect(summarisePredictions([...rows, prediction(5, [0.5, 0.5], [Number.NaN, Number.NaN])], labels, 'multi-class')).toMatchObject({ studyCount: 3 })
  })
})

import { describe, expect, it } from 'vitest'
import { usableInformation } from '../../../engine/evaluation/information.ts'

const predictions = (rows: [probabilities: number[], reference: number[]][]) => rows.map(([probabilities, reference], patientId) => ({
  patientId, probabilities: Float32Array.from(probabilities), thresholds: new Float32Array(probabilities.length).fill(0.5), reference: Float32Array.from(reference),
}))

describe('usableInformation', () => {
  it('is the whole entropy for a perfect model, nothing for the base rate, negative for a model worse than that', () => {
    const of = (p: number) => usableInformation(predictions([[[p], [1]], [[1 - p], [0]], [[p], [1]], [[1 - p], [0]]]), 'multi-label').value!
    expect(of(1)).toBeCloseTo(1, 6)
    expect(of(0.5)).toBeCloseTo(0, 6)
    // H = 1 bit, cross-entropy = -log2 0.25 = 2 bits.
    expect(of(0.25)).toBeCloseTo(-1, 5)
  })

  it('averages labels, leaves unknown values and labels of one class out', () => {
    const { value } = usableInformation(predictions([[[0.75, 0.5, 0.9], [1, 1, 1]], [[0.25, 0.5, 0.9], [0, 0, 1]], [[0.5, 0.5, 0.9], [Number.NaN, Number.NaN, 1]]]), 'multi-label')
    // First label: 1 - log2(4/3) = 0.585; second: 0; third has one class only.
    expect(value).toBeCloseTo((1 - Math.log2(4 / 3)) / 2, 6)
    expect(usableInformation(predictions([[[0.5], [1]]]), 'multi-label')).toEqual({ value: null, reason: 'no label is estimable' })
  })

  it('takes the classes of a multi-class label together', () => {
    const third = [1 / 3, 1 / 3, 1 / 3]
    const rows: [number[], number[]][] = [[third, [1, 0, 0]], [third, [0, 1, 0]], [third, [0, 0, 1]]]
    expect(usableInformation(predictions(rows), 'multi-class').value).toBeCloseTo(0, 6)
    expect(usableInformation(predictions(rows.map(([, label]) => [label, label])), 'multi-class').value).toBeCloseTo(Math.log2(3), 6)
  })

  it('stays finite for a certain and wrong prediction', () => {
    expect(usableInformation(predictions([[[0], [1]], [[0], [0]]]), 'multi-label').value).toBeCloseTo(1 - 12, 6)
  })
})

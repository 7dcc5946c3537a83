import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cohenKappa, countPairs, matthewsCorrelation } from '../../../engine/evaluation/agreement.ts'
import { macroF1, multilabelMetrics } from '../../../engine/evaluation/metrics.ts'
import { firstLargest, multiclassMetrics } from '../../../engine/evaluation/multiclass.ts'
import { decisionThresholds, netBenefit, netBenefitTreatAll } from '../../../engine/evaluation/net-benefit.ts'

describe('multilabelMetrics', () => {
  const labels = [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]
  const probabilities = [[0.9, 0.2, 0.1], [0.6, 0.7, 0.2], [0.4, 0.1, 0.3], [0.1, 0.5, 0.4]]
  const metrics = multilabelMetrics(labels, probabilities, 3)

  it('counts decisions at 0.5 with the bound itself as positive', () => {
    expect(metrics.labels[0]!.confusion).toEqual({ truePositives: 1, falsePositives: 1, falseNegatives: 1, trueNegatives: 1 })
    expect(metrics.labels[1]!.confusion).toEqual({ truePositives: 1, falsePositives: 1, falseNegatives: 0, trueNegatives: 2 })
  })

  it('leaves an absent label out of the means and counts it as 0 in published averages', () => {
    const absent = metrics.labels[2]!
    expect(absent.f1).toMatchObject({ value: null, reason: 'no positives and no predicted positives' })
    expect(absent.auroc).toMatchObject({ value: null, positives: 0, negatives: 4 })
    expect(metrics.meanF1.value).toBeCloseTo((0.5 + 2 / 3) / 2, 12)
    expect(metrics.meanF1.estimableCount).toBe(2)
    expect(metrics.macro.f1).toBeCloseTo((0.5 + 2 / 3) / 3, 12)
    expect(macroF1(labels, probabilities, 3)).toBe(metrics.macro.f1)
  })

  it('averages over patients and cells', () => {
    expect(metrics.samples.f1).toBeCloseTo((1 + 2 / 3 + 0 + 0) / 4, 12)
    expect(metrics.subsetAccuracy.value).toBe(0.25)
    expect(metrics.hammingLoss.value).toBeCloseTo(3 / 12, 12)
  })

  it('uses a threshold of its own for each label', () => {
    const strict = multilabelMetrics(labels, probabilities, 3, [0.65, 0.6, 0.4])
    expect(strict.labels.map((label) => label.confusion.falsePositives)).toEqual([0, 0, 1])
  })

  it('says "not estimable" for an empty group instead of a number', () => {
    const empty = multilabelMetrics([], [], 2)
    expect(empty.labels[0]!.brier).toMatchObject({ value: null, reason: 'no cases' })
    expect(empty.meanAuroc.value).toBeNull()
    expect(empty.subsetAccuracy.value).toBeNull()
  })

  it('refuses rows that are too short', () => {
    expect(() => multilabelMetrics([[1]], [[0.5]], 2)).toThrow(RangeError)
  })
})

describe('multiclassMetrics', () => {
  it('says why there is no correlation in the words of chosen classes, also where there are two', () => {
    const chosen = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]
    expect(multiclassMetrics([0, 1, 0], chosen, 2).matthewsCorrelation).toMatchObject({ value: null, reason: 'one class in truth or prediction' })
    expect(multilabelMetrics([[0], [1], [0]], [[0.1], [0.2], [0.3]], 1).labels[0]!.matthewsCorrelation).toMatchObject({ value: null, reason: 'a row or column of the confusion matrix is 0' })
  })

  it('takes the first largest probability', () => {
    expect(firstLargest([0.2, 0.4, 0.4], 3)).toBe(1)
    expect(() => firstLargest([0.2, Number.NaN], 2)).toThrow(RangeError)
  })

  it('gives null for averages over all classes when one is absent', () => {
    const metrics = multiclassMetrics([0, 0, 1, 1], [[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3]], 3)
    expect(metrics.confusion).toEqual([[1, 1, 0], [0, 2, 0], [0, 0, 0]])
    expect(metrics.accuracy.value).toBe(0.75)
    expect(metrics.balancedAccuracy.value).toBe(0.75)
    expect(metrics.macroAurocPairwise).toMatchObject({ value: null, reason: 'a class is absent' })
    expect(metrics.meanAuroc).toMatchObject({ value: 1, estimableCount: 2 })
    expect(metrics.macroF1OverPresentClasses.estimableCount).toBe(2)
  })
})

describe('agreement', () => {
  it('is 1 for equal ratings, whatever the weights, unless only one class is used', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 40 }), (ratings) => {
        const matrix = countPairs(ratings, ratings, 4)
        const expected = new Set(ratings).size > 1 ? 1 : null
        for (const weights of ['unweighted', 'linear', 'quadratic'] as const) expect(cohenKappa(matrix, weights).value).toBe(expected)
        const correlation = matthewsCorrelation(matrix).value
        if (expected === null) expect(correlation).toBeNull()
        else expect(correlation).toBeCloseTo(1, 12)
      }),
    )
  })

  it('is symmetric in the two raters', () => {
    const [a, b] = [[0, 1, 2, 2, 1, 0, 1], [0, 2, 2, 1, 1, 0, 0]]
    expect(cohenKappa(countPairs(a, b, 3), 'quadratic').value).toBeCloseTo(cohenKappa(countPairs(b, a, 3), 'quadratic').value!, 12)
  })

  it('refuses a class outside the list', () => {
    expect(() => countPairs([0, 3], [0, 1], 3)).toThrow(RangeError)
  })
})

describe('netBenefit', () => {
  it('equals treating everybody when every probability is above the threshold', () => {
    for (const threshold of decisionThresholds) {
      expect(netBenefit([1, 0, 0, 1], [1, 1, 1, 1], threshold).value).toBeCloseTo(netBenefitTreatAll([1, 0, 0, 1], threshold).value!, 12)
    }
  })
})

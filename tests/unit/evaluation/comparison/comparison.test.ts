import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deLong } from '../../../../engine/evaluation/comparison/delong.ts'
import * as distributions from '../../../../engine/evaluation/comparison/distributions.ts'
import * as hypothesis from '../../../../engine/evaluation/comparison/hypothesis-tests.ts'
import { benjaminiHochberg, bonferroni, holm } from '../../../../engine/evaluation/comparison/multiplicity.ts'
import { wilcoxonExact, wilcoxonNormal } from '../../../../engine/evaluation/comparison/wilcoxon.ts'
import { auroc } from '../../../../engine/evaluation/ranking.ts'

describe('distributions', () => {
  it('have closed forms for some parameters', () => {
    for (const x of [1e-8, 0.3, 1, 7, 40, 500]) {
      expect(distributions.chiSquareUpperTail(x, 2) / Math.exp(-x / 2)).toBeCloseTo(1, 12)
      expect(distributions.studentUpperTail(x, 1)).toBeCloseTo(0.5 - Math.atan(x) / Math.PI, 14)
      expect(distributions.studentUpperTail(-x, 2)).toBeCloseTo(0.5 + x / (2 * Math.sqrt(2 + x * x)), 13)
    }
    expect(distributions.fairBinomialLowerTail(1, 4)).toBeCloseTo(5 / 16, 13)
  })

  it('invert each other and keep the digits of far tails', () => {
    for (const q of [1e-200, 1e-9, 0.02, 0.3, 0.5, 0.8, 0.9999]) {
      const z = distributions.normalQuantile(q)
      expect(distributions.normalUpperTail(-z) / q).toBeCloseTo(1, 10)
    }
    expect(() => distributions.normalQuantile(0)).toThrow(RangeError)
    expect(() => distributions.normalQuantile(1)).toThrow(RangeError)
  })
})

describe('deLong', () => {
  const labels = [1, 0, 1, 0, 0, 1, 1, 0, 0, 1]
  const first = [0.9, 0.2, 0.7, 0.6, 0.3, 0.4, 0.8, 0.5, 0.1, 0.35]
  const second = [0.6, 0.5, 0.8, 0.4, 0.7, 0.3, 0.9, 0.45, 0.2, 0.1]

  it('agrees with the areas themselves and is antisymmetric', () => {
    const forward = deLong(labels, first, second)
    const backward = deLong(labels, second, first)
    expect(forward.aurocFirst).toBeCloseTo(auroc(labels, first).value!, 12)
    expect(forward.difference).toBeCloseTo(-backward.difference!, 12)
    expect(forward.pValue).toBeCloseTo(backward.pValue!, 12)
    expect(forward.varianceOfDifference).toBeCloseTo(forward.varianceFirst! + forward.varianceSecond! - 2 * forward.covariance!, 12)
  })

  it('gives no p-value for the same ranking', () => {
    const same = deLong(labels, first, first.map((p) => p ** 2))
    expect(same).toMatchObject({ varianceOfDifference: 0, pValue: null, z: null, reason: 'variance of the difference is 0' })
  })

  it('says why with too few cases', () => {
    expect(deLong([1, 1], [0.1, 0.2], [0.3, 0.4])).toMatchObject({ aurocFirst: null, reason: 'one class only' })
    expect(deLong([1, 0, 0], [0.9, 0.2, 0.1], [0.3, 0.4, 0.1])).toMatchObject({ aurocFirst: 1, varianceFirst: null, reason: 'fewer than 2 in a class' })
  })
})

describe('multiplicity', () => {
  it('orders the methods by strictness and keeps the order of the p-values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (pValues) => {
        const [step, strict, rate] = [holm(pValues), bonferroni(pValues), benjaminiHochberg(pValues)]
        pValues.forEach((p, i) => {
          // p * n / n may round one step below p.
          expect(rate[i]!).toBeGreaterThanOrEqual(p * (1 - 1e-15))
          expect(step[i]!).toBeGreaterThanOrEqual(rate[i]! - 1e-15)
          expect(strict[i]!).toBeGreaterThanOrEqual(step[i]!)
          expect(strict[i]!).toBeLessThanOrEqual(1)
          pValues.forEach((q, j) => {
            if (p < q) expect(step[i]!).toBeLessThanOrEqual(step[j]!)
          })
        })
      }),
    )
    expect(() => holm([0.5, Number.NaN])).toThrow(RangeError)
  })
})

describe('tests of two columns', () => {
  it('say why they are undefined instead of giving a number', () => {
    expect(hypothesis.pairedTTest([1, 2], [0, 1])).toMatchObject({ pValue: null, reason: 'all differences are equal' })
    expect(wilcoxonExact([1, 2], [1, 2])).toMatchObject({ pValue: null, reason: 'all differences are zero' })
    expect(hypothesis.spearman([1, 1, 1], [1, 2, 3])).toMatchObject({ pValue: null, reason: 'one side is constant' })
    expect(hypothesis.mannWhitney([1, 1], [1])).toMatchObject({ pValue: null, reason: 'all values are equal' })
    expect(hypothesis.mcNemar([1, 0], [1, 0])).toMatchObject({ exactPValue: 1, chiSquare: null, reason: 'the two never differ' })
    expect(() => hypothesis.pearson([1, 2, 3], [1, 2])).toThrow(RangeError)
    expect(() => hypothesis.pairedTTest([1, Number.NaN], [1, 2])).toThrow(RangeError)
  })

  it('count sign patterns exactly, with ties', () => {
    // Four positive differences: 2 of 16 patterns are as extreme.
    expect(wilcoxonExact([2, 3, 4, 5], [1, 1, 1, 1]).pValue).toBeCloseTo(2 / 16, 14)
    expect(wilcoxonExact([2, 2, 2, 2], [1, 1, 1, 1]).pValue).toBeCloseTo(2 / 16, 14)
    const values = Array.from({ length: 30 }, (_, i) => Math.sin(i * 3) + 0.2)
    const zeros = values.map(() => 0)
    expect(Math.abs(wilcoxonExact(values, zeros).pValue! - wilcoxonNormal(values, zeros).pValue!)).toBeLessThan(0.02)
  })

  it('see a perfect monotone relation', () => {
    expect(hypothesis.spearman([1, 2, 3, 4], [1, 8, 27, 64])).toMatchObject({ statistic: 1, pValue: 0 })
    expect(hypothesis.friedman([[1, 1, 1], [2, 2, 2], [3, 3, 3]]).statistic).toBeCloseTo(6, 12)
  })
})

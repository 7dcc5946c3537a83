import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auprc, auroc } from '../../../engine/evaluation/ranking.ts'

const cases = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 20 }).map((step) => step / 20)), { minLength: 2, maxLength: 60 })
  .filter((rows) => rows.some(([label]) => label === 1) && rows.some(([label]) => label === 0))
const split = (rows: readonly (readonly [number, number])[]) => [rows.map(([label]) => label), rows.map(([, p]) => p)] as const

describe('auroc', () => {
  it('is the share of concordant pairs, ties counted half', () => {
    fc.assert(
      fc.property(cases, (rows) => {
        const [labels, probabilities] = split(rows)
        let wins = 0
        let pairs = 0
        rows.forEach(([a, p]) => rows.forEach(([b, q]) => {
          if (a !== 1 || b !== 0) return
          pairs += 1
          wins += p > q ? 1 : p === q ? 0.5 : 0
        }))
        expect(auroc(labels, probabilities).value).toBeCloseTo(wins / pairs, 12)
      }),
    )
  })

  it('does not change under a monotone map or a new order of the patients', () => {
    fc.assert(
      fc.property(cases, (rows) => {
        const [labels, probabilities] = split(rows)
        const value = auroc(labels, probabilities).value!
        expect(auroc(labels, probabilities.map((p) => p ** 3 / 2)).value).toBeCloseTo(value, 12)
        expect(auroc([...labels].reverse(), [...probabilities].reverse()).value).toBeCloseTo(value, 12)
      }),
    )
  })

  it('turns around when classes are swapped or probabilities reversed', () => {
    fc.assert(
      fc.property(cases, (rows) => {
        const [labels, probabilities] = split(rows)
        const value = auroc(labels, probabilities).value!
        expect(auroc(labels.map((label) => 1 - label), probabilities).value).toBeCloseTo(1 - value, 12)
        expect(auroc(labels, probabilities.map((p) => 1 - p)).value).toBeCloseTo(1 - value, 12)
      }),
    )
  })

  it('is not estimable with one class, with the counts given', () => {
    expect(auroc([1, 1, 1], [0.1, 0.2, 0.3])).toEqual({ value: null, reason: 'one class only', positives: 3, negatives: 0 })
    expect(auroc([], [])).toEqual({ value: null, reason: 'one class only', positives: 0, negatives: 0 })
  })

  it('refuses input that would sort anywhere', () => {
    expect(() => auroc([0, 1], [0.5, Number.NaN])).toThrow(RangeError)
    expect(() => auroc([0, 2], [0.5, 0.5])).toThrow(RangeError)
    expect(() => auroc([0, 1], [0.5, 1.5])).toThrow(RangeError)
    expect(() => auroc([0, 1], [0.5])).toThrow(RangeError)
  })
})

describe('auprc', () => {
  it('agrees with a worked example and treats ties as one threshold', () => {
    // Thresholds 0.9 (P 1, R 1/2), 0.6 (P 2/3 after a tie of one each, R 1).
    expect(auprc([1, 1, 0, 0], [0.9, 0.6, 0.6, 0.1]).value).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3), 12)
    expect(auprc([1, 0, 1], [0.5, 0.5, 0.5]).value).toBeCloseTo(2 / 3, 12)
  })

  it('is 1 when all are positive and not estimable when none is', () => {
    expect(auprc([1, 1], [0.2, 0.9]).value).toBe(1)
    expect(auprc([0, 0], [0.2, 0.9])).toMatchObject({ value: null, reason: 'no positives', negatives: 2 })
  })

  it('is never below the smallest possible and never above 1', () => {
    fc.assert(
      fc.property(cases, (rows) => {
        const { value } = auprc(...split(rows))
        expect(value).toBeGreaterThan(0)
        expect(value).toBeLessThanOrEqual(1 + 1e-12)
      }),
    )
  })
})

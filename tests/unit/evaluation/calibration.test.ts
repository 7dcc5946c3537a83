import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brier, expectedCalibrationError, fitCalibration, logLoss } from '../../../engine/evaluation/calibration.ts'

describe('fitCalibration', () => {
  it('finds the exact line when the observed shares lie on it', () => {
    // Three groups whose share of positives is sigmoid(0.5 * logit(p)): the likelihood peaks exactly at (0, 0.5).
    const groups = [[16 / 17, 4, 1], [0.5, 2, 2], [1 / 17, 1, 4]] as const
    const labels = groups.flatMap(([, positives, negatives]) => [...new Array<number>(positives).fill(1), ...new Array<number>(negatives).fill(0)])
    const probabilities = groups.flatMap(([p, positives, negatives]) => new Array<number>(positives + negatives).fill(p))
    const fit = fitCalibration(labels, probabilities)
    expect(fit.slope.value).toBeCloseTo(0.5, 9)
    expect(fit.intercept.value).toBeCloseTo(0, 9)
    expect(fit.inTheLarge.value).toBeCloseTo(0, 9)
    expect(fit.slopeStandardError).toBeGreaterThan(0)
  })

  it('undoes a shift and a stretch of the log-odds', () => {
    const labels = Array.from({ length: 200 }, (_, i) => ((i * 37) % 11 < 3 + (i % 5) ? 1 : 0))
    const logits = labels.map((_, i) => ((i % 5) - 2) * 0.6 + ((i * 13) % 7) * 0.05)
    const plain = fitCalibration(labels, logits.map((z) => 1 / (1 + Math.exp(-z))))
    const moved = fitCalibration(labels, logits.map((z) => 1 / (1 + Math.exp(-(2 * z + 1)))))
    expect(moved.slope.value).toBeCloseTo(plain.slope.value! / 2, 8)
    expect(moved.intercept.value).toBeCloseTo(plain.intercept.value! - plain.slope.value! / 2, 8)
  })

  it.each([
    ['one class only', [1, 1, 1], [0.2, 0.4, 0.6], true],
    ['all predictions equal', [0, 1, 1], [0.3, 0.3, 0.3], false],
    ['separation', [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], false],
    ['separation', [1, 1, 0, 0], [0.1, 0.2, 0.2, 0.9], false],
  ])('is not estimable: %s', (reason, labels, probabilities, isAllNull) => {
    const fit = fitCalibration(labels, probabilities)
    expect(fit.slope).toMatchObject({ value: null, reason })
    expect(fit.intercept.value).toBeNull()
    expect(fit.slopeStandardError).toBeNull()
    expect(fit.inTheLarge.value === null).toBe(isAllNull)
  })

  it('always gives finite numbers or a reason', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 40 })
    fc.assert(
      fc.property(rows, (cases) => {
        const fit = fitCalibration(cases.map(([label]) => label), cases.map(([, p]) => p))
        for (const one of [fit.slope, fit.intercept, fit.inTheLarge]) expect(one.value === null ? one.reason : Number.isFinite(one.value)).toBeTruthy()
      }),
    )
  })
})

describe('probability errors', () => {
  it('are 0 for certain and right, and finite for certain and wrong', () => {
    expect(brier([1, 0], [1, 0]).value).toBe(0)
    expect(logLoss([1, 0], [1, 0]).value).toBeCloseTo(0, 12)
    expect(logLoss([1], [0]).value).toBeCloseTo(-Math.log(2.220446049250313e-16), 9)
  })

  it('puts a bin edge into the lower bin', () => {
    // 0.2 = 3/15 belongs to (2/15, 3/15], together with 0.15.
    expect(expectedCalibrationError([1, 0], [0.2, 0.15]).value).toBeCloseTo(Math.abs(0.35 - 1) / 2, 12)
    expect(expectedCalibrationError([0, 1], [0, 1]).value).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { bootstrapInterval, drawResamples, quantile, wilsonInterval } from '../../../engine/evaluation/bootstrap.ts'
import { auroc } from '../../../engine/evaluation/ranking.ts'

// A small linear congruential generator: the tests need repeatable, not good, randomness.
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('bootstrap', () => {
  it('draws the same resamples for the same seed, indices in range', () => {
    const first = drawResamples(createRandom(3), 17, 50)
    expect(drawResamples(createRandom(3), 17, 50)).toEqual(first)
    expect(first).toHaveLength(50)
    expect(first.every((row) => row.length === 17 && row.every((index) => index < 17))).toBe(true)
    expect(drawResamples(() => 0.999999999999, 3, 1)[0]).toEqual(Uint32Array.from([2, 2, 2]))
  })

  it('drops and counts resamples on which the metric is not estimable', () => {
    const labels = [1, 0, 0]
    const metric = (indices: ArrayLike<number>) => auroc(Array.from(indices, (i) => labels[i]!), Array.from(indices, (i) => [0.9, 0.1, 0.2][i]!)).value
    const interval = bootstrapInterval([[0, 1, 2], [1, 2, 2], [0, 0, 1]], metric)
    expect(interval).toMatchObject({ usedCount: 2, droppedCount: 1, lower: 1, upper: 1, mean: 1, standardDeviation: 0 })
    const none = bootstrapInterval([[1, 1, 1]], metric)
    expect(none).toMatchObject({ lower: null, upper: null, usedCount: 0, droppedCount: 1, reason: 'not estimable on any resample' })
  })

  it('covers the mean of a symmetric sample', () => {
    const values = Array.from({ length: 101 }, (_, i) => i - 50)
    const resamples = drawResamples(createRandom(1), 101, 400)
    const { lower, upper, median } = bootstrapInterval(resamples, (indices) => Array.from(indices).reduce((sum, i) => sum + values[i]!, 0) / 101)
    expect(lower).toBeLessThan(0)
    expect(upper).toBeGreaterThan(0)
    expect(Math.abs(median!)).toBeLessThan(1.5)
    // Standard error 29.15 / sqrt(101) = 2.9: the interval is near +-5.7.
    expect(upper! - lower!).toBeGreaterThan(9)
    expect(upper! - lower!).toBeLessThan(14)
  })
})

describe('quantile', () => {
  it('interpolates between order statistics (type 7)', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
    expect(quantile([10, 20], 0.25)).toBe(12.5)
    expect(quantile([7], 0.9)).toBe(7)
    expect(() => quantile([], 0.5)).toThrow(RangeError)
  })
})

describe('wilsonInterval', () => {
  it('stays within 0..1 and is exact at the ends', () => {
    expect(wilsonInterval(0, 5)).toMatchObject({ lower: 0 })
    expect(wilsonInterval(5, 5)).toMatchObject({ upper: 1 })
    expect(wilsonInterval(0, 0)).toBeNull()
    const half = wilsonInterval(50, 100)!
    expect(half.lower + half.upper).toBeCloseTo(1, 12)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseThreshold } from '../../../engine/training/run/thresholds.ts'

function f1At(threshold: number, probabilities: number[], truth: number[]): number {
  const called = probabilities.map((probability) => probability >= threshold)
  const hits = called.filter((value, i) => value && truth[i] === 1).length
  return (2 * hits) / (called.filter(Boolean).length + truth.filter((value) => value === 1).length)
}

describe('chooseThreshold', () => {
  it('finds the best F1 of all possible thresholds', () => {
    fc.assert(fc.property(fc.array(fc.record({ probability: fc.integer({ min: 1, max: 99 }).map((value) => value / 100), truth: fc.constantFrom(0, 1) }), { minLength: 20, maxLength: 60 }), (cases) => {
      const probabilities = cases.map((item) => item.probability)
      const truth = cases.map((item) => item.truth)
      const positives = truth.filter((value) => value === 1).length
      fc.pre(positives >= 5 && truth.length - positives >= 5)
      const best = Math.max(...probabilities.map((threshold) => f1At(threshold, probabilities, truth)))
      expect(f1At(chooseThreshold(probabilities, truth), probabilities, truth)).toBeCloseTo(best, 9)
    }), { numRuns: 100 })
  })

  it('stays at 0.5 when a class has fewer than five known cases', () => {
    expect(chooseThreshold([0.9, 0.8, 0.1, 0.2, 0.3, 0.3], [1, 1, 0, 0, 0, 0])).toBe(0.5)
    expect(chooseThreshold(new Array(20).fill(0.9), new Array(20).fill(Number.NaN))).toBe(0.5)
  })
})

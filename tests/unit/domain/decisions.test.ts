import { describe, expect, it } from 'vitest'
import { confidenceOf, confidenceOfAll, decide, hasChosenClass, indexOfLargest } from '../../../engine/domain/decisions.ts'

it('knows a study whose one class was not chosen from one without any label or of unknown class', () => {
  expect(hasChosenClass('multi-class', [0, 0])).toBe(false)
  expect(hasChosenClass('multi-class', [0, 1])).toBe(true)
  expect(hasChosenClass('multi-class', [Number.NaN, Number.NaN])).toBe(true)
  expect(hasChosenClass('multi-label', [0, 0])).toBe(true)
})

describe('decide', () => {
  it('calls every label that reaches its threshold, the threshold itself included', () => {
    expect(decide('multi-label', [0.5, 0.49, 0.9], [0.5, 0.5, 0.95])).toEqual([true, false, false])
  })

  it('calls the most probable class alone, whatever the thresholds', () => {
    expect(decide('multi-class', [0.2, 0.3, 0.3], [0.1, 0.1, 0.1])).toEqual([false, true, false])
    expect(decide('multi-class', [], [])).toEqual([])
    expect(indexOfLargest([])).toBe(-1)
  })
})

describe('confidence', () => {
  it('is 0 on the threshold and 1 at either end', () => {
    expect(confidenceOf(0.2, 0.2)).toBe(0)
    expect(confidenceOf(1, 0.2)).toBe(1)
    expect(confidenceOf(0, 0.2)).toBe(1)
    expect(confidenceOf(0.1, 0.2)).toBeCloseTo(0.5)
    expect(confidenceOf(0.6, 0.2)).toBeCloseTo(0.5)
    expect(confidenceOf(1, 1)).toBe(1)
    expect(confidenceOf(0, 0)).toBe(0)
  })

  it('of a whole prediction is its least certain label, or the lead of the first class', () => {
    expect(confidenceOfAll('multi-label', [1, 0.6], [0.5, 0.2])).toBeCloseTo(0.5)
    expect(confidenceOfAll('multi-class', [0.1, 0.6, 0.3], [0.5, 0.5, 0.5])).toBeCloseTo(0.3)
    expect(confidenceOfAll('multi-class', [], [])).toBe(0)
  })
})

import { expect, it } from 'vitest'
import { histogramOf } from '../../../engine/fingerprint/histogram.ts'

const lengths = [22, 40, 63, 64, 64, 65, 66, 77]

it('bins of a round width cover all values', () => {
  const { edges, counts } = histogramOf(lengths, 30)
  expect(edges[0]).toBe(22)
  expect(edges[1]! - edges[0]!).toBe(2)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(lengths.length)
})

it('bins part at an edge that is asked for, so that none holds what fits and what does not', () => {
  const limit = 64
  const { edges, counts } = histogramOf(lengths, 30, limit + 1)
  expect(edges).toContain(limit + 1)
  expect(edges[0]).toBeLessThanOrEqual(22)
  expect(edges.at(-1)).toBeGreaterThan(77)
  const beyond = counts.filter((_, i) => edges[i]! >= limit + 1).reduce((sum, count) => sum + count, 0)
  expect(beyond).toBe(lengths.filter((length) => length > limit).length)
})

it('an edge beyond the values leaves the bins whole', () => {
  const { edges, counts } = histogramOf([3, 4, 9], 30, 65)
  expect(edges).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
  expect(counts).toEqual([1, 1, 0, 0, 0, 0, 1])
})

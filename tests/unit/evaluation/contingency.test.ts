import { describe, expect, it } from 'vitest'
import { chiSquareTest, fisherExact, kruskalWallis } from '../../../engine/evaluation/comparison/contingency.ts'

// scipy.stats.fisher_exact, chi2_contingency(correction=False), kruskal; scipy 1.16.
describe('fisherExact', () => {
  it.each([
    [[8, 2, 1, 5], 20, 0.034965034965034975],
    [[3, 10, 12, 9], 0.225, 0.07899114958649706],
    [[0, 7, 9, 20], 0, 0.1561044505778851],
    [[120, 380, 90, 410], 1.4385964912280702, 0.024206354334461135],
    [[1200, 3800, 1150, 3850], 1.05720823798627, 0.2478154054592359],
  ])('equals scipy for %j', ([a, b, c, d], odds, pValue) => {
    const result = fisherExact(a!, b!, c!, d!)
    expect(result.statistic).toBeCloseTo(odds, 10)
    expect(result.pValue).toBeCloseTo(pValue, 9)
  })

  it('says why there is none', () => {
    expect(fisherExact(0, 0, 3, 4)).toMatchObject({ pValue: null, reason: expect.stringContaining('empty') })
    expect(() => fisherExact(-1, 2, 3, 4)).toThrow(RangeError)
  })
})

describe('chiSquareTest', () => {
  it('equals scipy', () => {
    const result = chiSquareTest([[12, 20, 8], [30, 15, 25]])
    expect(result.statistic).toBeCloseTo(9.727891156462587, 10)
    expect(result.pValue).toBeCloseTo(0.0077199639995172474, 12)
    expect(result.smallestExpected).toBe(12)
  })
})

describe('kruskalWallis', () => {
  it('equals scipy, with ties', () => {
    expect(kruskalWallis([[1, 2, 2, 5, 7], [3, 3, 8, 9], [1, 1, 2, 4, 10, 11]])).toMatchObject({ statistic: expect.closeTo(1.3195402298850634, 10), pValue: expect.closeTo(0.5169701645485354, 10) })
    expect(kruskalWallis([[0, 0.5, 1, 0, 0], [1, 1, 0.5, 0.25], [0, 0, 0]])).toMatchObject({ statistic: expect.closeTo(5.483231707317072, 10), pValue: expect.closeTo(0.06446609491256368, 10) })
    expect(kruskalWallis([[1, 1], [1]]).pValue).toBeNull()
  })
})

import { describe, expect, it } from 'vitest'
import { pagesOfRange, pagesToDrop } from '../../../../../renderer/composables/patient/page-window.ts'

describe('pages of a long list', () => {
  it('asks for what is seen first, then one page around it', () => {
    expect(pagesOfRange(0, 20, null)).toEqual([0, 1])
    expect(pagesOfRange(950, 980, 20_000)).toEqual([9, 8, 10])
    expect(pagesOfRange(190, 215, 20_000)).toEqual([1, 0, 2, 3])
  })
  it('stops at the last page', () => {
    expect(pagesOfRange(0, 20, 0)).toEqual([0])
    expect(pagesOfRange(0, 20, 30)).toEqual([0])
    expect(pagesOfRange(19_980, 19_999, 20_000)).toEqual([199, 198])
  })
  it('forgets the farthest pages', () => {
    expect(pagesToDrop([1, 2, 3, 40], 2, 3)).toEqual([40])
    expect(pagesToDrop([1, 2], 2, 3)).toEqual([])
  })
})

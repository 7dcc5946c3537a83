import { describe, expect, it } from 'vitest'
import { fileNameOf, formatBytes, formatCount, formatRows, formatSeconds, formatShare } from '../../../../../renderer/composables/common/format.ts'

describe('formatShare', () => {
  it.each([[0, 400, '0 %'], [400, 400, '100 %'], [12, 400, '3.0 %'], [120, 400, '30 %'], [1, 100_000, '< 0.1 %'], [99_999, 100_000, '> 99.9 %'], [397, 400, '99.3 %'], [303, 600, '50 %'], [297, 600, '50 %'], [46, 400, '12 %'], [354, 400, '88 %'], [0, 0, '–']])('%i of %i is %s', (part, total, text) => {
    expect(formatShare(part, total)).toBe(text)
  })
})

describe('formatBytes', () => {
  it.each([[0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [999_600, '1.0 MB'], [12_345_678, '12 MB'], [2_300_000_000, '2.3 GB']])('%i is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

describe('formatSeconds', () => {
  it.each([[0, '0 s'], [59.4, '59 s'], [59.6, '1 min'], [200, '3 min 20 s'], [3599, '1 h'], [2400, '40 min'], [7500, '2 h 5 min']])('%f is %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text)
  })
})

it('counts with separators, shortens row lists, names files of any system', () => {
  expect(formatCount(100_000)).toBe('100,000')
  expect(formatRows([3, 7, 12])).toBe('3, 7, 12')
  expect(formatRows([1, 2, 3, 4], 2)).toBe('1, 2 and 2 more')
  expect([fileNameOf('/a/b.csv'), fileNameOf('C:\\data\\b.xlsx')]).toEqual(['b.csv', 'b.xlsx'])
})

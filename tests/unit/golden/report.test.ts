import { describe, expect, it } from 'vitest'
import { checkKeys, largestDifference, relativeDifference } from '../../golden/comparison.ts'
import { createReport } from '../../golden/report.ts'

describe('golden comparison', () => {
  it('needs "not estimable" on both sides and finds a wrong number anywhere', () => {
    expect(largestDifference(null, null)).toBe(0)
    expect(largestDifference(0, null)).toBe(Infinity)
    expect(largestDifference(null, 0)).toBe(Infinity)
    expect(largestDifference(Number.NaN, 0.5)).toBe(Infinity)
    expect(largestDifference([1, [2, 3]], [1, [2, 3.5]])).toBeCloseTo(0.5 / 3.5, 12)
    expect(largestDifference([1, 2], [1, 2, 3])).toBe(Infinity)
    expect(relativeDifference(2e-6, 1e-6)).toBeCloseTo(1, 12)
  })

  it('prints one line for each case and names what it does not know', () => {
    const lines: string[] = []
    const report = createReport('item', (line) => lines.push(line))
    checkKeys(report, 'good', { a: 1, b: null }, { a: 1, b: null, c: 3 }, 0)
    checkKeys(report, 'bad', { a: 1 }, { a: 2 }, 1e-6)
    report.check('nan', Number.NaN, 1)
    expect(lines).toEqual([
      'NOT CHECKED item/good.c',
      'PASS item/good (2 values) error=0 bound=0',
      'FAIL item/bad.a error=5.00e-1 bound=1.00e-6',
      'FAIL item/nan error=NaN bound=1',
    ])
    expect(report.totals).toEqual({ passed: 1, failed: 2, notChecked: 1 })
  })
})

import { describe, expect, it } from 'vitest'
import { runConfigSchema } from '../../../../../engine/domain/run.ts'
import { numberOfText, textOfNumber } from '../../../../../renderer/composables/run/number-text.ts'
import { epochTextOf, foldCountOf, formatParameterShare, subtitleOf } from '../../../../../renderer/composables/run/run-format.ts'
import { settingRowsOf } from '../../../../../renderer/composables/run/run-settings.ts'

const config = runConfigSchema.parse({ cohortId: 1, slotIds: ['notes'], labelIds: [4], split: { kind: 'k-fold', folds: 3 } })

describe('run numbers', () => {
  it('says nothing twice under a title', () => {
    expect(subtitleOf('MoRA', ['MoRA', 'Eyes 2024'])).toBe('Eyes 2024')
    expect(subtitleOf('Results', ['MoRA on Eyes 2024', 'MoRA', 'Eyes 2024'])).toBe('MoRA on Eyes 2024')
    expect(subtitleOf('Results', ['First try', 'Zero-fill', 'Eyes 2024'])).toBe('First try · Zero-fill · Eyes 2024')
  })
  it('shows a parameter share with two significant digits', () => {
    expect([formatParameterShare(455_432, 46_912_344), formatParameterShare(1_790_000, 113_000_000), formatParameterShare(1, 4), formatParameterShare(0, 0)]).toEqual(['0.97', '1.6', '25', '0'])
  })
  it('counts epochs over all folds', () => {
    expect([foldCountOf(config), epochTextOf({ epochsDone: 7, config })]).toEqual([3, '7 / 60'])
    // Two uni-modal stages and the fusion have 20 each.
    expect(epochTextOf({ epochsDone: 60, config: { ...config, adapter: 'late-fusion' } })).toBe('60')
  })
})

describe('number fields', () => {
  it('read a decimal point and refuse everything that could be misread', () => {
    expect(['4', ' 0.001 ', '1e-3', '.5', '-2'].map(numberOfText)).toEqual([4, 0.001, 0.001, 0.5, -2])
    expect(['', '1,000', '0,5', '4x', '0x10', 'Infinity', '1 000'].map(numberOfText).every(Number.isNaN)).toBe(true)
  })
  it('write back what they read', () => {
    for (const value of [0, 20, 0.001, 1e-8, 0.35]) expect(numberOfText(textOfNumber(value))).toBe(value)
    expect(textOfNumber(Number.NaN)).toBe('')
  })
})

describe('settings in words', () => {
  const names = (adapter: 'mora' | 'zero-fill'): string[] => settingRowsOf({ ...config, adapter }, [], new Map()).map(([name]) => name)
  it('leaves out what the method does not have', () => {
    expect(names('mora')).toContain('Rank')
    expect(names('zero-fill')).not.toContain('Rank')
  })
})

import { describe, expect, it } from 'vitest'
import { missingnessSettingsSchema } from '../../../../../engine/domain/missingness.ts'
import { choiceOfSetting, filterOfCell, hasPatientLists, isSimulationValid, patternRowKey, settingChoicesOf, settingPresets } from '../../../../../renderer/composables/results/results-format.ts'

describe('test settings', () => {
  it('recognises the ready-made ones and calls the rest custom', () => {
    for (const [choice, setting] of Object.entries(settingPresets)) expect(choiceOfSetting(setting)).toBe(choice)
    expect(choiceOfSetting({ kind: 'simulated', image: 0.35, text: 0.35, seed: 2 })).toBe('custom')
  })
  it('offer the losses that the run was given for its test patients, where it was given any', () => {
    const loss = { target: { kind: 'modality', modality: 'image' }, rate: 0.4 } as const
    const choices = (missingness: unknown) => settingChoicesOf({ missingness: missingness === null ? null : missingnessSettingsSchema.parse(missingness) })
    expect(choices({ test: { losses: [loss] } })).toContain('table')
    for (const without of [null, {}, { train: { losses: [loss] } }]) expect(choices(without)).toEqual(['actual', 'image-only', 'text-only', 'simulated-35-35', 'custom'])
  })
  it('refuses losses that would take everything', () => {
    expect([{ image: 0.5, text: 0.5 }, { image: 0.7, text: 0.4 }, { image: -0.1, text: 0 }, { image: Number.NaN, text: 0 }].map(isSimulationValid)).toEqual([true, false, false, false])
  })
  it('has lists of patients only where the patterns are real', () => {
    expect([hasPatientLists(settingPresets.actual), hasPatientLists(settingPresets['text-only']), hasPatientLists(settingPresets.table)]).toEqual([true, false, false])
  })
})

describe('rows of the results table', () => {
  it('keeps the overall row apart from the empty pattern', () => expect([patternRowKey({ pattern: null }), patternRowKey({ pattern: '' })]).toEqual(['overall', 'pattern:']))
  it('open the test patients they were counted over', () => {
    expect(filterOfCell(1, 2, { pattern: 'notes' }, null)).toEqual({ cohortId: 1, runId: 2, split: 'test', pattern: 'notes', labelId: null })
    expect(filterOfCell(1, 2, { pattern: null }, 5)).toMatchObject({ pattern: null, labelId: 5, sortBy: 'probability', descending: true })
  })
})

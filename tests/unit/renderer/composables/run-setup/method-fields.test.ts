import { describe, expect, it } from 'vitest'
import { adapterSchema, runConfigSchema, type AdapterName, type RunConfig } from '../../../../../engine/domain/run.ts'
import { problemsOfDraft } from '../../../../../renderer/composables/run/run-draft.ts'
import { fieldsOf, ownSettingsOnly, valueOf, withValue, type MethodField } from '../../../../../renderer/composables/run-setup/method-fields.ts'
import { settingRowsOf } from '../../../../../renderer/composables/run/run-settings.ts'
import { enMethods } from '../../../../../renderer/locales/en-methods.ts'

const draft = (adapter: AdapterName, settings: object = {}): RunConfig => runConfigSchema.parse({ cohortId: 1, slotIds: ['right-eye'], labelIds: [1, 2], adapter, ...settings })
const keysOf = (config: RunConfig): string[] => fieldsOf(config).map(({ key }) => key)
const everyField = adapterSchema.options.flatMap((adapter) => fieldsOf(draft(adapter, { lora: { by: 'combination' } })).map((field): [string, MethodField, RunConfig] => [field.path, field, draft(adapter, { lora: { by: 'combination' } })]))

describe('the settings of a method', () => {
  it('are those of the chosen method alone', () => {
    expect(keysOf(draft('mora'))).toEqual(['rank', 'blocks', 'beside', 'missingEnters', 'modalitiesBy', 'adapterRate'])
    expect(keysOf(draft('late-fusion'))).toEqual(['head', 'substitute', 'width', 'unimodalShare'])
    expect(keysOf(draft('head-only'))).toEqual([])
  })

  it('leave out what has no effect as the method stands', () => {
    expect(keysOf(draft('lora'))).not.toContain('untrained')
    expect(keysOf(draft('lora', { lora: { by: 'combination' } }))).toEqual(expect.arrayContaining(['untrained', 'baseShare', 'trainHead']))
    expect(keysOf(draft('ssf', { ssf: { training: 'joint' } }))).not.toContain('baseShare')
    expect(keysOf(draft('ssf'))).not.toContain('baseRate')
    expect(keysOf(draft('ssf', { ssf: { base: 'network' } }))).toContain('baseRate')
    expect(keysOf(draft('ssf', { backbone: 'vilt-0123456789' }))).toContain('baseRate')
    expect(keysOf(draft('lora', { lora: { by: 'combination', training: 'joint' } }))).toEqual(expect.not.arrayContaining(['base', 'baseRate']))
    expect(keysOf(draft('lora', { lora: { by: 'combination', training: 'joint' } }))).toContain('untrained')
  })

  it.each(everyField)('%s has words for itself and for each of its options', (path, field) => {
    const words = enMethods.setting(path)
    expect(words.label).not.toBe(path)
    for (const option of field.options) expect(words.options?.[option]).toBeTruthy()
  })

  it.each(everyField.filter(([, field]) => field.rule !== null))('%s is refused beyond the limits that the form tells, in the same words', (path, field, config) => {
    const rule = field.rule!
    const step = rule.isWhole ? 1 : 1e-6
    const smallest = rule.isMinExcluded ? rule.min + step : rule.min
    for (const accepted of [smallest, rule.max]) expect(problemsOfDraft(withValue(config, field, accepted))).toEqual({})
    for (const refused of [smallest - step, rule.max + step, Number.NaN]) expect(problemsOfDraft(withValue(config, field, refused))).toEqual({ [path]: { kind: 'number', rule } })
  })

  it('of another method neither block the form nor travel with the run', () => {
    const rank = fieldsOf(draft('mora')).find(({ key }) => key === 'rank')!
    const config = { ...withValue(draft('mora'), rank, Number.NaN), adapter: 'prompt' as const }
    expect(problemsOfDraft(config)).toEqual({})
    expect(valueOf(ownSettingsOnly(config), rank)).toBe(4)
  })

  it('tell why an odd prompt length cannot stand inside attention, and that something must be chosen', () => {
    expect(problemsOfDraft({ ...draft('prompt'), prompt: { ...draft('prompt').prompt, level: 'attention', length: 15 } })).toEqual({ 'prompt.length': { kind: 'other', message: expect.stringContaining('even') } })
    expect(problemsOfDraft({ ...draft('prompt'), prompt: { ...draft('prompt').prompt, blocks: [] } })).toEqual({ 'prompt.blocks': { kind: 'no-blocks' } })
    expect(problemsOfDraft({ ...draft('lora'), lora: { ...draft('lora').lora, targets: [] } })).toEqual({ 'lora.targets': { kind: 'no-choice' } })
  })

  it('stand in the record of a run, with its losses on each side', () => {
    const config = draft('lora', { lora: { rank: 8 }, missingness: { test: { losses: [{ target: { kind: 'modality', modality: 'image' }, rate: 0.4, mechanism: { kind: 'mnar', driver: { kind: 'label', labelId: 2 }, strength: 1 } }], seed: 5 } } })
    const rows = settingRowsOf(config, [{ slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' }], new Map([[2, 'Glaucoma']]))
    expect(rows).toContainEqual(['Rank', '8'])
    expect(rows).toContainEqual(['Layers', 'query, value'])
    expect(rows).toContainEqual(['What is missing, training', 'as they are'])
    expect(rows).toContainEqual(['What is missing, test', 'all images from 40 %, by label Glaucoma (MNAR); fall independently; seed 5'])
    // "6" alone would read as six blocks.
    expect(settingRowsOf({ ...draft('mora'), mora: { ...draft('mora').mora, blocks: [5] } }, [], new Map())).toContainEqual(['Blocks', 'block 6'])
  })
})

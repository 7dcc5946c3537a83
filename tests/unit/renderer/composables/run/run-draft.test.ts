import { describe, expect, it } from 'vitest'
import { runConfigSchema, type RunConfig } from '../../../../../engine/domain/run.ts'
import { blockPresetOf, numberRules, percentOfShare, problemsOfDraft, sharesOfPercents, toggled, type NumberField } from '../../../../../renderer/composables/run/run-draft.ts'

const draft = (overrides: Partial<RunConfig> = {}): RunConfig => ({ ...runConfigSchema.parse({ cohortId: 1, slotIds: ['right-eye'], labelIds: [1, 2] }), ...overrides })

/** The value at a dotted path, set on a copy. */
function withValue(config: RunConfig, path: string, value: number): RunConfig {
  const copy = structuredClone(path === 'split.folds' ? { ...config, split: { kind: 'k-fold' as const, folds: 5 } } : config)
  const keys = path.split('.')
  const parent = keys.slice(0, -1).reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy as unknown as Record<string, unknown>)
  parent[keys.at(-1)!] = value
  return copy
}

describe('problemsOfDraft', () => {
  it('accepts the defaults', () => expect(problemsOfDraft(draft())).toEqual({}))

  it.each(Object.entries(numberRules))('words the same limits for %s as the schema holds', (field, rule) => {
    const path = field as NumberField
    const step = rule.isWhole ? 1 : 1e-6
    const smallest = 'isMinExcluded' in rule ? rule.min + step : rule.min
    expect(problemsOfDraft(withValue(draft(), path, smallest))).toEqual({})
    expect(problemsOfDraft(withValue(draft(), path, rule.max))).toEqual({})
    for (const refused of [smallest - step, rule.max + step, Number.NaN, ...(rule.isWhole ? [rule.min + 0.5] : [])]) {
      expect(problemsOfDraft(withValue(draft(), path, refused))).toEqual({ [path]: { kind: 'number', rule } })
    }
  })

  it('tells about shares that do not add up or leave a side empty', () => {
    expect(problemsOfDraft(draft({ split: { kind: 'holdout', train: 0.6, val: 0.3, test: 0.2 } }))['split']).toEqual({ kind: 'shares' })
    expect(problemsOfDraft(draft({ split: { kind: 'holdout', train: 0.8, val: 0.2, test: 0 } }))['split']).toEqual({ kind: 'share-range' })
    expect(problemsOfDraft(draft({ split: { kind: 'holdout', train: Number.NaN, val: 0.2, test: 0.2 } }))['split']).toEqual({ kind: 'shares' })
  })

  it('tells about empty choices', () => {
    expect(problemsOfDraft(draft({ labelIds: [] }))).toEqual({ labelIds: { kind: 'no-labels' } })
    expect(problemsOfDraft(draft({ slotIds: [] }))).toEqual({ slotIds: { kind: 'no-slots' } })
    expect(problemsOfDraft(draft({ name: '   ' }))).toEqual({ name: { kind: 'name' } })
    expect(problemsOfDraft(draft({ mora: { ...draft().mora, blocks: [] } }))).toEqual({ 'mora.blocks': { kind: 'no-blocks' } })
    expect(problemsOfDraft(draft({ task: 'multi-class', labelIds: [1] }))).toEqual({ labelIds: { kind: 'one-class' } })
  })

  it('tells about simulated losses above 100 %', () => {
    expect(problemsOfDraft(draft({ trainMissingness: { image: 0.7, text: 0.6 } }))).toEqual({ trainMissingness: { kind: 'missingness' } })
  })
})

describe('small conversions', () => {
  it('shows shares without binary dust', () => {
    expect([0.35, 0.1 + 0.2, 1 / 3].map(percentOfShare)).toEqual([35, 30, 33.3])
    expect(sharesOfPercents({ train: 60, val: 20, test: 20 })).toEqual({ train: 0.6, val: 0.2, test: 0.2 })
  })
  it('toggles and keeps the order', () => {
    expect(toggled([1, 2, 3], [3, 1], 2)).toEqual([1, 2, 3])
    expect(toggled([1, 2, 3], [3, 1], 3)).toEqual([1])
  })
  it('recognises the placements of the paper', () => {
    expect([[0], [2, 0, 1], [0, 1, 2, 3, 4, 5], [3]].map((blocks) => blockPresetOf(blocks, 6))).toEqual(['first', 'first-three', 'all', 'custom'])
  })
})

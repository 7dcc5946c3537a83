import { runConfigSchema, type RunConfig } from '../../../engine/domain/run.ts'
import { isBlockChoice, methodRule, ownSettingsOnly } from '../run-setup/method-fields.ts'

/** Fewer positives than this and neither training nor its test says much about a label. */
export const fewPositives = 10

/** Every setting that is a single number, with what the field accepts. The schema has the last word; this words its refusal. */
export interface NumberRule { min: number; max: number; isWhole: boolean; isMinExcluded?: boolean }

export const numberRules = {
  seed: { min: 0, max: 2 ** 31 - 1, isWhole: true },
  epochs: { min: 1, max: 500, isWhole: true },
  batchSize: { min: 1, max: 256, isWhole: true },
  learningRate: { min: 0, max: 1, isWhole: false, isMinExcluded: true },
  weightDecay: { min: 0, max: 1, isWhole: false },
  warmUpShare: { min: 0, max: 0.9, isWhole: false },
  modalityDropout: { min: 0, max: 0.9, isWhole: false },
  patience: { min: 0, max: 100, isWhole: true },
  maxTextTokens: { min: 8, max: 512, isWhole: true },
  'split.folds': { min: 2, max: 20, isWhole: true },
} as const satisfies Record<string, NumberRule>
export type NumberField = keyof typeof numberRules

/** A problem with a setting, in a form that the locale words: `rule` for numbers, `reason` for the rest. */
export type FieldProblem =
  | { kind: 'number'; rule: NumberRule }
  | { kind: 'shares' } | { kind: 'share-range' } | { kind: 'missingness' }
  | { kind: 'no-labels' } | { kind: 'one-class' } | { kind: 'no-slots' } | { kind: 'no-blocks' } | { kind: 'no-choice' }
  | { kind: 'name' } | { kind: 'other'; message: string }

/** Problems by field, at most one each. The name of a field is its path in the configuration. */
export type FieldProblems = Record<string, FieldProblem>

function problemOf(path: string, message: string): [string, FieldProblem] {
  if (path in numberRules) return [path, { kind: 'number', rule: numberRules[path as NumberField] }]
  if (path.startsWith('trainMissingness')) return ['trainMissingness', { kind: 'missingness' }]
  if (path.startsWith('split')) return ['split', { kind: 'shares' }]
  if (path.startsWith('labelIds')) return ['labelIds', { kind: 'no-labels' }]
  if (path.startsWith('slotIds')) return ['slotIds', { kind: 'no-slots' }]
  const rule = methodRule(path)
  if (rule !== undefined) return [path, { kind: 'number', rule }]
  if (isBlockChoice(path)) return [path, { kind: 'no-blocks' }]
  if (path === 'lora.targets') return [path, { kind: 'no-choice' }]
  // A refusal of the whole method: its prompt length does not fit its level.
  if (path === 'prompt') return ['prompt.length', { kind: 'other', message }]
  if (path === 'name') return ['name', { kind: 'name' }]
  return [path, { kind: 'other', message }]
}

/**
 * Everything that keeps a draft from being started. An emptied number field is NaN, which no rule accepts.
 * Beyond the schema: shares of a hold-out must each leave somebody on every side, and a blank name is none.
 */
export function problemsOfDraft(draft: RunConfig): FieldProblems {
  const problems: FieldProblems = {}
  const parsed = runConfigSchema.safeParse(ownSettingsOnly(draft))
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const [field, problem] = problemOf(issue.path.join('.'), issue.message)
      problems[field] ??= problem
    }
  }
  if (draft.name.trim() === '') problems['name'] = { kind: 'name' }
  if (draft.split.kind === 'holdout') {
    const { train, val, test } = draft.split
    if ([train, val, test].some((share) => !(share >= 0.05 && share <= 0.9))) problems['split'] ??= { kind: 'share-range' }
  }
  if (draft.task === 'multi-class' && draft.labelIds.length === 1) problems['labelIds'] ??= { kind: 'one-class' }
  return problems
}

/** Shares in per cent as the fields show them; the schema wants shares that add up to 1. */
export function sharesOfPercents(percents: { train: number; val: number; test: number }): { train: number; val: number; test: number } {
  return { train: percents.train / 100, val: percents.val / 100, test: percents.test / 100 }
}

/** A share as a whole or one-decimal percentage, free of binary dust (0.35 -> 35, not 35.00000000000001). */
export function percentOfShare(share: number): number {
  return Math.round(share * 1000) / 10
}

/** Adds or removes one member and keeps the order of `all`. */
export function toggled<T>(all: readonly T[], chosen: readonly T[], member: T): T[] {
  const next = new Set(chosen)
  if (!next.delete(member)) next.add(member)
  return all.filter((candidate) => next.has(candidate))
}

/** Which ready-made placement a choice of blocks is; the paper's default and its ablation (Shi et al. 2024, section 4). */
export function blockPresetOf(blocks: readonly number[], blockCount: number): 'first' | 'first-three' | 'all' | 'custom' {
  const key = [...blocks].sort((a, b) => a - b).join()
  if (key === '0') return 'first'
  if (key === '0,1,2') return 'first-three'
  return key === Array.from({ length: blockCount }, (_, block) => block).join() ? 'all' : 'custom'
}

import type { RunConfig } from '../../../engine/domain/run.ts'
import type { Slot } from '../../../engine/domain/slots.ts'
import { enMethods } from '../../locales/en-methods.ts'
import { enRuns } from '../../locales/en-runs.ts'
import { choiceOfMechanism, missingnessSides, togetherOf } from '../run-setup/missingness-draft.ts'
import { fieldsOf, valueOf, type MethodField } from '../run-setup/method-fields.ts'
import { percentOfShare } from './run-draft.ts'

/** Every setting of a run as name and value in words. Settings that the method does not have are left out. */
export function settingRowsOf(config: RunConfig, slots: readonly Slot[], labelNames: ReadonlyMap<number, string>): [string, string][] {
  const text = enRuns.setup
  const percent = (share: number): string => `${percentOfShare(share)} %`
  const rows: [string, string][] = [
    [text.method, enRuns.methodNames[config.adapter]],
    [text.record.backbone, config.backbone],
    [text.record.items, config.slotIds.map((slotId) => slots.find((slot) => slot.slotId === slotId)?.title ?? slotId).join(', ')],
    [text.record.labels, config.labelIds.map((labelId) => labelNames.get(labelId) ?? `#${labelId}`).join(', ')],
    [text.record.task, text.record.tasks[config.task]],
    [text.split, config.split.kind === 'holdout' ? `${text.holdout} ${percent(config.split.train)} / ${percent(config.split.val)} / ${percent(config.split.test)}` : text.kFoldOf(config.split.folds)],
  ]
  for (const field of fieldsOf(config)) rows.push([enMethods.setting(field.path).label, settingText(config, field)])
  for (const name of ['epochs', 'batchSize', 'learningRate', 'weightDecay', 'warmUpShare', 'patience', 'modalityDropout', 'maxTextTokens'] as const) rows.push([text.fields[name].label, String(config[name])])
  rows.push(
    [text.trainOn.label, text.trainOnOptions[config.trainOn]],
    [text.classWeighting.label, text.classWeightingOptions[config.classWeighting]],
    [text.threshold.label, text.thresholdOptions[config.threshold]],
    [text.memory.label, text.memoryOptions[config.memory]],
    ...missingnessRowsOf(config, slots, labelNames),
  )
  return rows
}

/** The value of a method's setting in the words of the form. */
function settingText(config: RunConfig, field: MethodField): string {
  const value = valueOf(config, field)
  const word = (option: string): string => enMethods.setting(field.path).options?.[option] ?? option
  if (field.kind === 'flag') return value === true ? enMethods.yes : enMethods.no
  if (field.kind === 'blocks') return enMethods.blockNames((value as number[]).map((block) => block + 1).join(', '))
  if (Array.isArray(value)) return (value as string[]).map(word).join(', ')
  return field.kind === 'number' ? String(value) : word(String(value))
}

/** What each side was shown with; runs of 0.1 had one pair of rates to train with. */
function missingnessRowsOf(config: RunConfig, slots: readonly Slot[], labelNames: ReadonlyMap<number, string>): [string, string][] {
  const text = enMethods.missingness
  const { missingness, trainMissingness } = config
  if (missingness === null) {
    const { label } = enRuns.setup.trainMissingness
    const { missingnessParts } = enRuns.setup
    return [[label, `${missingnessParts.image} ${percentOfShare(trainMissingness.image)} %, ${missingnessParts.text.toLowerCase()} ${percentOfShare(trainMissingness.text)} %`]]
  }
  return missingnessSides.map((side) => {
    const losses = missingness[side].losses.map(({ target, rate, mechanism }) => {
      const what = target.kind === 'modality' ? text.targets[target.modality] : text.onlyTarget(slots.find((slot) => slot.slotId === target.slotId)?.title ?? target.slotId)
      const choice = choiceOfMechanism(mechanism)
      const isLabel = mechanism.kind !== 'mcar' && mechanism.driver.kind === 'label'
      const whom = isLabel ? text.byLabel(labelNames.get(Number(choice.split(':').at(-1))) ?? choice)
        : mechanism.kind !== 'mcar' && mechanism.driver.kind === 'column' ? text.byColumn(mechanism.driver.column, mechanism.kind === 'mnar') : (text.mechanismNames[choice] ?? choice)
      return text.recordLoss(what, String(percentOfShare(rate)), whom)
    })
    return [`${text.title}, ${text.sides[side].toLowerCase()}`, losses.length === 0 ? text.none : `${losses.join('; ')}; ${text.togetherOptions[togetherOf(missingness[side])]}; ${text.seed.toLowerCase()} ${missingness[side].seed}`]
  })
}

import type { RunConfig } from '../../../engine/domain/run.ts'
import type { Slot } from '../../../engine/domain/slots.ts'
import { enRuns } from '../../locales/en-runs.ts'
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
    [text.split, config.split.kind === 'holdout' ? `${text.holdout} ${percent(config.split.train)} / ${percent(config.split.val)} / ${percent(config.split.test)}` : `${text.kFold}, ${config.split.folds}`],
  ]
  if (config.adapter === 'mora') {
    rows.push(
      [text.fields['mora.rank'].label, String(config.mora.rank)],
      [text.blocks.label, config.mora.blocks.map((block) => block + 1).join(', ')],
      [text.modalitiesBy.label, text.modalitiesByOptions[config.mora.modalitiesBy]],
      [text.missingEnters.label, text.missingEntersOptions[config.mora.missingEnters]],
    )
  }
  for (const name of ['epochs', 'batchSize', 'learningRate', 'weightDecay', 'warmUpShare', 'patience', 'modalityDropout', 'maxTextTokens'] as const) rows.push([text.fields[name].label, String(config[name])])
  rows.push(
    [text.trainOn.label, text.trainOnOptions[config.trainOn]],
    [text.classWeighting.label, text.classWeightingOptions[config.classWeighting]],
    [text.threshold.label, text.thresholdOptions[config.threshold]],
    [text.trainMissingness.label, `${text.missingnessParts.image} ${percent(config.trainMissingness.image)}, ${text.missingnessParts.text.toLowerCase()} ${percent(config.trainMissingness.text)}`],
  )
  return rows
}

import { basePrefix } from '../../adapters/sites/base-network.ts'
import type { HostValues } from '../../compute/parameters.ts'
import { trainsInStages } from '../../domain/method-settings.ts'
import { describePattern } from '../../domain/slots.ts'
import type { AdapterConfig } from './checkpoint.ts'

/**
 * README.md beside the tensors: what the model is, what it was trained on, how it did while training and what it must not be used for.
 * Counts and hashes only; no patient, no file name, no free text of the cohort but slot titles and label names.
 */
export function modelCard(checkpoint: AdapterConfig, trained: Record<string, HostValues>): string {
  const { config, slots, labelNames, validation } = checkpoint
  const isMultiLabel = config.task === 'multi-label'
  const number = (value: number | null | undefined, digits = 3): string => (value == null ? 'not estimable' : value.toFixed(digits))
  const patterns = checkpoint.trainedPatterns?.map((pattern) => `- ${cell(describePattern(slots, pattern))}`) ?? ['- not recorded']
  const thresholds = labelNames.map((name, label) => `| ${cell(name)} | ${number(checkpoint.thresholds[label])} |`)
  const share = checkpoint.trainedParameters === undefined || checkpoint.totalParameters === undefined ? 'not recorded'
    : `${checkpoint.trainedParameters.toLocaleString('en-GB')} of ${checkpoint.totalParameters.toLocaleString('en-GB')} (${(100 * checkpoint.trainedParameters / checkpoint.totalParameters).toFixed(2)} %)`
  return `${[
    `# ${cell(config.name)}, fold ${checkpoint.fold}`,
    '',
    '**For research only. Not a medical device. Not for diagnosis, triage or treatment of a patient.**',
    '',
    '## Model',
    `- Method: ${config.adapter}, settings in \`adapter_config.json\``,
    `- Frozen backbone: ${checkpoint.base_model_name_or_path}, SHA-256 of its weights ${checkpoint.backboneHash}`,
    `- Trained parameters: ${share}`,
    ...(checkpoint.base === undefined ? [] : [`  - of these for the base that the combinations stand on, in \`${checkpoint.base.file}\` (SHA-256 ${checkpoint.base.sha256}): ${baseCount(trained).toLocaleString('en-GB')}`]),
    ...countByCombination(trained).map(([combination, count]) => `  - of these for ${cell(combination)} alone: ${count.toLocaleString('en-GB')}${shareOf(count, checkpoint.totalParameters)}`),
    `- Task: ${isMultiLabel ? 'several labels may apply to one study' : 'exactly one label applies to each study'}`,
    `- Inputs: ${slots.map(({ title, modality }) => `${cell(title)} (${modality})`).join(', ')}`,
    '',
    '## Training',
    `- Cohort: content hash ${checkpoint.cohortHash ?? 'not recorded'}`,
    `- Seed ${config.seed}, fold ${checkpoint.fold}, epoch ${checkpoint.epoch + 1}${trainsInStages(config) ? ', counted over all stages' : ` of at most ${config.epochs}`}; split by patient`,
    '- Presence patterns shown while training:',
    ...patterns,
    '',
    '## Results on the validation patients of this fold',
    validation === undefined ? '- Not measured at this epoch. Results on test patients belong to the run, not to this file.'
      : `- Macro-AUROC ${number(validation.macroAuroc)}, loss ${number(validation.loss, 4)}; this epoch was chosen by them, so they flatter. Results on test patients belong to the run, not to this file.`,
    '',
    ...(isMultiLabel ? ['| Label | Decision threshold |', '|---|---|', ...thresholds] : ['The most probable class is called; no threshold plays a part.']),
    '',
    '## Use and limits',
    '- Meant for the comparison of methods and the study of missing modalities on data like that of the training cohort.',
    '- A pattern that is not listed above was never trained: its predictions are extrapolation, or come from the base network, and are marked.',
    `- Probabilities are the plain ${isMultiLabel ? 'sigmoids' : 'softmax'} of the logits; no calibration was fitted. Other scanners, languages, hospitals and populations are untested.`,
    '- It belongs to the backbone with the hash above and is refused on any other.',
  ].join('\n')}\n`
}

function baseCount(trained: Record<string, HostValues>): number {
  return Object.entries(trained).reduce((sum, [name, { values }]) => sum + (name.startsWith(basePrefix) ? values.length : 0), 0)
}

/** Numbers in the set of each combination of modalities; its tensors begin with the combination's name and a slash. */
function countByCombination(trained: Record<string, HostValues>): [combination: string, count: number][] {
  const counts = new Map<string, number>()
  for (const [name, { values }] of Object.entries(trained)) {
    const slash = name.indexOf('/')
    if (slash > 0) counts.set(name.slice(0, slash), (counts.get(name.slice(0, slash)) ?? 0) + values.length)
  }
  return [...counts]
}

function shareOf(count: number, total: number | undefined): string {
  return total === undefined ? '' : ` (${(100 * count / total).toFixed(2)} %)`
}

/** Names are typed by users: kept from breaking the Markdown. */
function cell(text: string): string {
  return text.replaceAll(/[|<>\s`]+/g, ' ').trim()
}

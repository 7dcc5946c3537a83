import type { RunRecord } from '../../../engine/domain/records.ts'
import { trainsInStages } from '../../../engine/domain/method-settings.ts'
import type { RunConfig } from '../../../engine/domain/run.ts'
import { formatCount } from '../common/format.ts'

/** Trained parameters as a percentage of all, to two significant digits: "0.97", "1.6", "12". */
export function formatParameterShare(trained: number, total: number): string {
  if (total <= 0) return '0'
  const percent = (100 * trained) / total
  if (percent >= 10) return percent.toFixed(0)
  return Number(percent.toPrecision(2)).toString()
}

/** A loss to three significant digits. */
export function formatLoss(loss: number): string {
  return loss.toPrecision(3)
}

/** How many trainings a configuration takes. */
export function foldCountOf(config: RunConfig): number {
  return config.split.kind === 'k-fold' ? config.split.folds : 1
}

/** Finished epochs out of all that could be: "19 / 20". Without the second where training goes through stages: each has its own number of them. */
export function epochTextOf({ epochsDone, config }: Pick<RunRecord, 'epochsDone' | 'config'>): string {
  return trainsInStages(config) ? formatCount(epochsDone) : `${formatCount(epochsDone)} / ${formatCount(config.epochs * foldCountOf(config))}`
}

/** What stands under a title: the parts that say something new, so that a run named "MoRA" is not "MoRA · MoRA". */
export function subtitleOf(title: string, parts: readonly string[]): string {
  const isNew = (part: string, before: readonly string[]): boolean => ![title, ...before].some((other) => other.toLowerCase().includes(part.toLowerCase()))
  return parts.filter((part, index) => isNew(part, parts.slice(0, index))).join(' · ')
}

/** Number of trained parameters, or nothing while unknown. */
export function trainedTextOf(run: Pick<RunRecord, 'trainedParameters'>): string {
  return run.trainedParameters === null ? '' : formatCount(run.trainedParameters)
}

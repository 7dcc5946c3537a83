import type { StudyFilterInput } from '../../../engine/domain/records.ts'
import type { Interval, MetricsRow, ResultIntervals, RowIntervals, TestSetting } from '../../../engine/domain/results.ts'
import type { RunConfig } from '../../../engine/domain/run.ts'
import { describePattern, type Slot } from '../../../engine/domain/slots.ts'

/** The settings that the results screen offers at once; anything else is "custom". */
export const settingPresets = {
  actual: { kind: 'actual' },
  'image-only': { kind: 'only', modality: 'image' },
  'text-only': { kind: 'only', modality: 'text' },
  'simulated-35-35': { kind: 'simulated', image: 0.35, text: 0.35, seed: 1 },
  'table': { kind: 'table' },
} as const satisfies Record<string, TestSetting>
export type SettingChoice = keyof typeof settingPresets | 'custom'

/** Settings to choose among; the run's own test losses only where it was given any. */
export function settingChoicesOf(config: Pick<RunConfig, 'missingness'>): SettingChoice[] {
  const hasTable = (config.missingness?.test.losses ?? []).length > 0
  const presets = (Object.keys(settingPresets) as (keyof typeof settingPresets)[]).filter((choice) => choice !== 'table')
  return [...presets, ...(hasTable ? (['table'] as const) : []), 'custom']
}

/** Only under the real items do the table's patterns stand for lists of patients; simulated ones exist in the table alone. */
export function hasPatientLists(setting: TestSetting): boolean {
  return setting.kind === 'actual'
}

/** The patient list behind a row or a label cell of the results table: test patients, those of the pattern, sorted by the label. */
export function filterOfCell(cohortId: number, runId: number, row: Pick<MetricsRow, 'pattern'>, labelId: number | null): StudyFilterInput {
  return {
    cohortId,
    runId,
    split: 'test',
    pattern: row.pattern,
    labelId,
    ...(labelId === null ? {} : { sortBy: 'probability' as const, descending: true }),
  }
}

/** A metric to three decimals ("0.873"); three are shown because two hide the order of close runs, and more is noise at these counts. */
export function formatMetric(value: number): string {
  return value.toFixed(3)
}

/** Bits to three decimals with a sign of their own below zero: less is known than from the frequency of the label alone. */
export function formatBits(bits: number): string {
  // A rounded minus zero would look like a loss.
  const rounded = bits.toFixed(3)
  return rounded === '-0.000' ? '0.000' : rounded.replace('-', '−')
}

/** How many of a row's studies were not answered by parameters that were trained on their pattern; null where that is not known. */
export function untrainedCountOf(row: Pick<MetricsRow, 'servedBy'>): { base: number; extrapolated: number } | null {
  return row.servedBy === undefined ? null : { base: row.servedBy.base, extrapolated: row.servedBy.extrapolated }
}

/** An interval to two decimals ("0.81–0.93"); empty where there is none, which `reason` explains. */
export function formatInterval(interval: Interval): string {
  return interval.lower === null || interval.upper === null ? '' : `${interval.lower.toFixed(2)}–${interval.upper.toFixed(2)}`
}

/** The intervals of a row, once they are known. */
export function intervalsOfRow(intervals: ResultIntervals | null, row: Pick<MetricsRow, 'pattern'>): RowIntervals | undefined {
  return intervals?.rows.find(({ pattern }) => pattern === row.pattern)
}

/** Key of a row of the results table; the overall row has no pattern, and the empty string is a pattern of its own. */
export function patternRowKey(row: Pick<MetricsRow, 'pattern'>): string {
  return row.pattern === null ? 'overall' : `pattern:${row.pattern}`
}

/** The preset that a setting is, or "custom". */
export function choiceOfSetting(setting: TestSetting): SettingChoice {
  const key = JSON.stringify(setting)
  const found = Object.entries(settingPresets).find(([, preset]) => JSON.stringify(preset) === key)
  return found === undefined ? 'custom' : (found[0] as SettingChoice)
}

/** Whether simulated losses can be drawn: each 0..1 and together at most 1, so that "all missing" never occurs. */
export function isSimulationValid(rates: { image: number; text: number }): boolean {
  const isShare = (share: number): boolean => share >= 0 && share <= 1
  return isShare(rates.image) && isShare(rates.text) && rates.image + rates.text <= 1 + 1e-9
}

/** What a row of the results table stands for, in words. */
export function rowTitleOf(row: Pick<MetricsRow, 'pattern'>, slots: readonly Slot[], overall: string): string {
  return row.pattern === null ? overall : describePattern(slots, row.pattern)
}

import type { EChartsCoreOption } from 'echarts/core'
import type { Degradation } from '../../../engine/domain/degradation.ts'
import type { DegradedResults, MetricsRow } from '../../../engine/domain/results.ts'
import type { Modality } from '../../../engine/domain/slots.ts'
import type { PlotPalette } from '../run/curve-options.ts'
import { degradationOption } from './degraded-plot.ts'

export type DegradationKind = Degradation['kind']

/** Levels of a series from hardly to badly worse; each about doubles the last. */
export const usualLevels: Record<DegradationKind, readonly number[]> = { blur: [1, 2, 4, 8], noise: [0.05, 0.1, 0.2, 0.4], truncate: [40, 20, 10, 5] }

/** The kinds that a run has inputs for. */
export function kindsFor(modalities: readonly Modality[]): DegradationKind[] {
  return [...(modalities.includes('image') ? (['blur', 'noise'] as const) : []), ...(modalities.includes('text') ? (['truncate'] as const) : [])]
}

/** The levels of a kind that are not tested yet. */
export function untestedLevels(kind: DegradationKind, tested: readonly DegradedResults[]): Degradation[] {
  const done = new Set(tested.filter(({ degradation }) => degradation.kind === kind).map(({ degradation }) => degradation.level))
  return usualLevels[kind].filter((level) => !done.has(level)).map((level) => ({ kind, level }))
}

/** One line of the table: the inputs as they are (`degradation` null), then each level from the mildest on. */
export interface DegradedRow { key: string; degradation: Degradation | null; row: MetricsRow }

export function rowsOfKind(kind: DegradationKind, asTheyAre: MetricsRow, tested: readonly DegradedResults[]): DegradedRow[] {
  const own = tested.filter(({ degradation }) => degradation.kind === kind)
  // Fewer words are worse, more blur and noise are.
  own.sort((a, b) => (kind === 'truncate' ? b.degradation.level - a.degradation.level : a.degradation.level - b.degradation.level))
  return [{ key: 'actual', degradation: null, row: asTheyAre }, ...own.map(({ degradation, results }) => ({ key: String(degradation.level), degradation, row: results.overall }))]
}

/** The curve of a kind: macro-AUROC by level, the inputs as they are at the left. */
export function plotOf(rows: readonly DegradedRow[], palette: PlotPalette, words: { level: (degradation: Degradation | null) => string; axis: string; auroc: string; f1: string }): EChartsCoreOption {
  return degradationOption(rows.map(({ degradation, row }) => ({ level: words.level(degradation), auroc: row.macroAuroc.value, f1: row.macroF1.value })), palette, words)
}

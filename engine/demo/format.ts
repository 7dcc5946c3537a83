import type { MetricEstimate } from '../domain/results.ts'
import type { Slot } from '../domain/slots.ts'
import { kindsOfPattern, summariseDemo, type ComparedMetric, type ComparedRun, type Difference } from './comparison.ts'

const titleWidth = 42
const groups = ['all', 'pictures and note', 'pictures only', 'note only'] as const

/** Methods by presence, each cell macro-AUROC, macro-AUPRC and macro-F1 of the test patients who have just that. */
export function formatMethods(slots: readonly Slot[], runs: readonly (ComparedRun & { patterns: readonly string[] })[]): string {
  const rowsOf = (run: (typeof runs)[number], group: (typeof groups)[number]) =>
    run.predictions.filter((_, index) => group === 'all' || kindsOfPattern(slots, run.patterns[index]!) === group)
  const shown = groups.filter((group) => rowsOf(runs[0]!, group).length > 0)
  const head = shown.map((group) => `${group} (n=${rowsOf(runs[0]!, group).length})`.padStart(27)).join('')
  const lines = runs.map((run) => {
    const cells = shown.map((group) => {
      const { macroAuroc, macroAuprc, macroF1 } = summariseDemo(rowsOf(run, group))
      return [macroAuroc, macroAuprc, macroF1].map(formatEstimate).join(' ').padStart(27)
    })
    return `${run.title.padEnd(titleWidth)}${cells.join('')}`
  })
  return [`${'Test patients as they are'.padEnd(titleWidth)}${head}`, `${''.padEnd(titleWidth)}${shown.map(() => 'AUROC AUPRC    F1'.padStart(27)).join('')}`, ...lines].join('\n')
}

/** How far the first run is ahead (+) or behind (-), with 95 % intervals. */
export function formatDifferences(first: ComparedRun, others: readonly { title: string; difference: Record<ComparedMetric, Difference> }[]): string {
  const columns: [ComparedMetric, string][] = [['macroAuroc', 'macro-AUROC'], ['macroAuprc', 'macro-AUPRC'], ['macroF1', 'macro-F1']]
  const head = `${`${first.title} minus, with 95 % intervals`.padEnd(titleWidth)}${columns.map(([, title]) => title.padStart(26)).join('')}`
  const lines = others.map(({ title, difference }) => `${title.padEnd(titleWidth)}${columns.map(([metric]) => formatDifference(difference[metric]).padStart(26)).join('')}`)
  return [head, ...lines].join('\n')
}

function formatEstimate({ value }: MetricEstimate): string {
  return (value === null ? 'n. e.' : value.toFixed(3)).padStart(5)
}

function formatDifference({ value, lower, upper }: Difference): string {
  if (value === null || lower === null || upper === null) return 'not estimable'
  return `${signed(value)} (${signed(lower)} to ${signed(upper)})`
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`
}

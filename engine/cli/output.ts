import type { MissingnessDescription } from '../domain/missingness.ts'
import type { FoldMean, MetricEstimate, MetricsRow, RunResults } from '../domain/results.ts'
import type { Progress } from '../protocol.ts'

/**
 * What a command prints. Results go to stdout (one JSON document with --json, else words); everything else goes to stderr,
 * so that a script can always parse stdout.
 */
export interface CliOutput {
  isJson: boolean
  result: (json: unknown, text: string) => void
  note: (line: string) => void
  progress: (progress: Progress) => void
}

const progressEveryMs = 500

/** Progress is one rewritten line on a terminal and a line every ten seconds in a log file. */
export function createOutput(isJson: boolean): CliOutput {
  let lastMs = -Infinity
  let lastStage = ''
  return {
    isJson,
    result: (json, text) => process.stdout.write(isJson ? `${JSON.stringify(json)}\n` : `${text}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
    progress: (progress) => {
      const isTerminal = process.stderr.isTTY === true
      const nowMs = performance.now()
      const isDue = nowMs - lastMs >= (isTerminal ? progressEveryMs : 10_000) || progress.stage !== lastStage
      if (!isDue) return
      lastMs = nowMs
      lastStage = progress.stage
      process.stderr.write(isTerminal ? `\r\u001B[2K${describeProgress(progress)}` : `${describeProgress(progress)}\n`)
    },
  }
}

function describeProgress(progress: Progress): string {
  const share = progress.total ? ` ${progress.done} of ${progress.total}` : progress.done > 0 ? ` ${progress.done}` : ''
  const left = progress.secondsLeft === null ? '' : `, about ${formatSeconds(progress.secondsLeft)} left`
  return `${progress.stage}${share}${left}`
}

/** "1 h 05 min", "3 min 20 s", "12 s". */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${whole} s`
}

/** The results table as text: one line overall, then one for each presence pattern. */
export function formatResults(results: RunResults): string {
  const rows = [results.overall, ...results.byPattern]
  const width = Math.max(...rows.map((row) => row.patternTitle.length), 20)
  const head = `${'Presence'.padEnd(width)}  ${'patients'.padStart(8)}  ${'studies'.padStart(7)}  ${'macro-F1'.padStart(13)}  ${'AUROC'.padStart(13)}  ${'AUPRC'.padStart(13)}  labels`
  const lines = rows.map((row) => formatRow(row, width))
  const table = [`Test patients, ${results.setting}`, head, '-'.repeat(head.length), ...lines]
  return [...(results.alarms ?? []).map((alarm) => `ALARM: ${alarm}`), ...table, ...foldLines(rows, width), ...servedWarnings(results), ...informationLines(results)].join('\n')
}

/** Mean and spread over the folds, where there are several. */
function foldLines(rows: readonly MetricsRow[], width: number): string[] {
  const cell = (mean: FoldMean) => (mean.mean === null ? 'not estimable' : `${mean.mean.toFixed(3)} ± ${mean.sd === null ? '?' : mean.sd.toFixed(3)}`).padStart(13)
  const lines = rows.flatMap(({ patternTitle, patientCount, studyCount, folds }) => (folds === undefined ? [] : [`${patternTitle.padEnd(width)}  ${String(patientCount).padStart(8)}  ${String(studyCount).padStart(7)}  ${[folds.macroF1, folds.macroAuroc, folds.macroAuprc].map(cell).join('  ')}  ${folds.macroAuroc.folds}`]))
  if (lines.length === 0) return []
  return ['', 'Each fold by itself: mean ± standard deviation over the folds, and how many count', `${'Presence'.padEnd(width)}  ${'patients'.padStart(8)}  ${'studies'.padStart(7)}  ${'macro-F1'.padStart(13)}  ${'AUROC'.padStart(13)}  ${'AUPRC'.padStart(13)}  folds`, ...lines]
}

/** Which rows were answered by parameters that never saw their pattern. */
function servedWarnings(results: RunResults): string[] {
  return results.byPattern.flatMap(({ patternTitle, servedBy }) => [
    ...(servedBy !== undefined && servedBy.extrapolated > 0 ? [`WARNING: no training patient showed "${patternTitle}": ${servedBy.extrapolated} predictions are extrapolation.`] : []),
    ...(servedBy !== undefined && servedBy.base > 0 ? [`WARNING: "${patternTitle}" has no parameters of its own: the base network answered ${servedBy.base} times.`] : []),
  ])
}

function informationLines(results: RunResults): string[] {
  const rows = results.information ?? []
  if (rows.length === 0) return []
  const bits = (value: number | null | undefined) => (value === null || value === undefined ? 'n. e.' : value.toFixed(3)).padStart(9)
  const width = Math.max(...rows.map((row) => row.patternTitle.length), 20)
  return [
    '', 'Usable information in bits (mean over labels; everybody who can be shown so), and the gap to the dedicated model',
    `${'Shown'.padEnd(width)}  ${'studies'.padStart(7)}  ${'bits'.padStart(9)}  ${'dedicated'.padStart(9)}  ${'gap'.padStart(9)}`,
    ...rows.map((row) => `${row.patternTitle.padEnd(width)}  ${String(row.studyCount).padStart(7)}  ${bits(row.bits.value)}  ${bits(row.dedicatedBits?.value)}  ${bits(row.gapBits)}`),
  ]
}

/** What the studies of each side will be shown with, in words and counts. */
export function formatMissingness(descriptions: readonly MissingnessDescription[]): string {
  return descriptions.flatMap(({ sentences, patterns }) => [
    sentences.join(' '),
    ...patterns.map(({ title, natural, shown }) => `  ${String(shown).padStart(6)}  ${title}${shown === natural ? '' : ` (${natural} really)`}`),
  ]).join('\n')
}

function formatRow(row: MetricsRow, width: number): string {
  const cells = [row.macroF1, row.macroAuroc, row.macroAuprc].map(formatEstimate)
  return `${row.patternTitle.padEnd(width)}  ${String(row.patientCount).padStart(8)}  ${String(row.studyCount).padStart(7)}  ${cells.join('  ')}  ${row.estimableLabels}/${row.labels.length}`
}

function formatEstimate(estimate: MetricEstimate): string {
  return (estimate.value === null ? 'not estimable' : estimate.value.toFixed(3)).padStart(13)
}

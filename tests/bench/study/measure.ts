import type { Task } from '../../../engine/domain/records.ts'
import { usableInformation } from '../../../engine/evaluation/information.ts'
import { summarisePredictions } from '../../../engine/evaluation/summarise.ts'
import type { RunPredictions } from '../../../engine/store/repositories/prediction-reader.ts'
import type { StudyPattern } from './patterns.ts'

export const studyMetrics = ['macroAuroc', 'macroF1', 'macroAuprc', 'bits'] as const
export type StudyMetric = (typeof studyMetrics)[number]

/** One line of the study's file. */
export interface StudyLine {
  method: string
  seed: number
  fold: number
  seconds: number
  trainedParameters: number
  patterns: { name: string; patients: number; extrapolated: boolean; values: Record<StudyMetric, number | null> }[]
}

/** The metrics of one fold on its complete test patients under each column's patterns. */
export function measureFold(stored: RunPredictions, fold: number, columns: readonly StudyPattern[], task: Task): StudyLine['patterns'] {
  const width = stored.labelIds.length
  const labels = stored.labelIds.map((labelId) => ({ labelId, labelName: '' }))
  const rows = Array.from({ length: stored.count }, (_, row) => row).filter((row) => stored.folds[row] === fold)
  const complete = new Set(rows.filter((row) => stored.patterns[row] === columns[0]!.patterns[0]).map((row) => stored.studyIds[row]))
  return columns.map(({ name, patterns }) => {
    const measured = patterns.map((pattern) => {
      const shown = rows.filter((row) => stored.patterns[row] === pattern && complete.has(stored.studyIds[row]!))
      const cells = (values: Float32Array, row: number) => values.subarray(row * width, (row + 1) * width)
      const predictions = shown.map((row) => ({
        patientId: stored.patientIds[row]!, probabilities: cells(stored.probabilities, row), thresholds: cells(stored.thresholds, row), reference: cells(stored.references, row),
      }))
      const { macroAuroc, macroF1, macroAuprc } = summarisePredictions(predictions, labels, task)
      return {
        patients: predictions.length, extrapolated: shown.some((row) => stored.servedBy[row] !== 'trained'),
        values: { macroAuroc: macroAuroc.value, macroF1: macroF1.value, macroAuprc: macroAuprc.value, bits: usableInformation(predictions, task).value },
      }
    })
    const mean = (metric: StudyMetric) => {
      const values = measured.map((item) => item.values[metric])
      return values.includes(null) ? null : values.reduce<number>((sum, value) => sum + value!, 0) / values.length
    }
    return {
      name, patients: Math.min(...measured.map((item) => item.patients)), extrapolated: measured.some((item) => item.extrapolated),
      values: { macroAuroc: mean('macroAuroc'), macroF1: mean('macroF1'), macroAuprc: mean('macroAuprc'), bits: mean('bits') },
    }
  })
}

const titles: Record<StudyMetric, string> = { macroAuroc: 'Macro-AUROC', macroF1: 'Macro-F1', macroAuprc: 'Macro-AUPRC', bits: 'Usable information, bits per label' }

/** One Markdown table for each metric: mean ± standard deviation over folds and seeds, methods in the order of the study. */
export function renderStudy(lines: readonly StudyLine[], methods: readonly string[]): string {
  const byMethod = Map.groupBy(lines, (line) => line.method)
  const present = methods.filter((method) => byMethod.has(method))
  if (present.length === 0) return 'Nothing measured yet.'
  const columns = byMethod.get(present[0]!)![0]!.patterns.map(({ name }) => name)
  const tables = studyMetrics.map((metric) => {
    const rows = present.map((method) => {
      const own = byMethod.get(method)!
      const cells = columns.map((_, column) => {
        const mark = own.some((line) => line.patterns[column]!.extrapolated) ? ' *' : ''
        return `${meanAndDeviation(own.map((line) => line.patterns[column]!.values[metric]))}${mark}`
      })
      return `| ${method} | ${cells.join(' | ')} | ${own.length} |`
    })
    return [`### ${titles[metric]}`, '', `| method | ${columns.join(' | ')} | fold-runs |`, `|${'---|'.repeat(columns.length + 2)}`, ...rows].join('\n')
  })
  const costs = present.map((method) => {
    const own = byMethod.get(method)!
    return `| ${method} | ${own[0]!.trainedParameters} | ${(own.reduce((sum, line) => sum + line.seconds, 0) / own.length).toFixed(1)} |`
  })
  const cost = ['### Cost', '', '| method | trained parameters | seconds for each fold-run |', '|---|---|---|', ...costs].join('\n')
  return `${[...tables, cost].join('\n\n')}\n\n\\* predicted under a pattern that no training patient was shown with, or answered by the base network.\n`
}

/** "0.734 ± 0.021"; the deviation is that of a sample (n - 1). */
function meanAndDeviation(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return 'n. e.'
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  if (known.length === 1) return mean.toFixed(3)
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1))
  return `${mean.toFixed(3)} ± ${deviation.toFixed(3)}`
}

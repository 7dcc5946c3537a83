import { AppError } from '../domain/errors.ts'
import type { Task } from '../domain/records.ts'
import type { MetricsRow, ResultIntervals, RowIntervals, RunResults, TestSetting } from '../domain/results.ts'
import { describePattern, type Slot } from '../domain/slots.ts'
import { summaryIntervals } from '../evaluation/summary-intervals.ts'
import { summarisePredictions, type LabelledPrediction } from '../evaluation/summarise.ts'
import { onlyModality, simulateMissingness } from '../training/missingness.ts'
import { createRng } from '../training/rng.ts'
import type { Workspace } from './workspace.ts'

/** A setting in the words that tables and files use. */
export function describeSetting(setting: TestSetting): string {
  if (setting.kind === 'actual') return 'As they are'
  if (setting.kind === 'only') return setting.modality === 'image' ? 'Images only' : 'Text only'
  const percent = (rate: number) => `${Math.round(rate * 100)} %`
  return `Simulated: ${percent(setting.image)} without images, ${percent(setting.text)} without text`
}

/**
 * Metrics of a run on its test patients, overall and one row for each presence pattern, under one missingness setting.
 * Every what-if pattern was predicted when the run ended, so a setting only chooses which prediction of a study counts.
 * Studies that have nothing left under the setting are left out (and counted in the row's studyCount by their absence).
 */
export function evaluateRun(workspace: Pick<Workspace, 'store'>, runId: number, setting: TestSetting): RunResults {
  const { slots, labels, task, overall, byPattern } = predictionsUnder(workspace, runId, setting)
  const toRow = (pattern: string | null, predictions: readonly LabelledPrediction[]): MetricsRow => ({
    pattern,
    patternTitle: pattern === null ? 'All test patients' : describePattern(slots, pattern),
    ...summarisePredictions(predictions, labels, task),
  })
  return { runId, setting: describeSetting(setting), overall: toRow(null, overall), byPattern: byPattern.map(({ pattern, predictions }) => toRow(pattern, predictions)) }
}

const resampleCount = 1000
const intervalSeed = 1
const intervalLevel = 0.95

/** Intervals for every number of `evaluateRun`, rows in the same order. Seeded: the same run always shows the same intervals. */
export function intervalsOfRun(workspace: Pick<Workspace, 'store'>, runId: number, setting: TestSetting): ResultIntervals {
  const { labels, task, overall, byPattern } = predictionsUnder(workspace, runId, setting)
  const labelIds = labels.map((label) => label.labelId)
  const rows = [{ pattern: null, predictions: overall }, ...byPattern].map(({ pattern, predictions }): RowIntervals => {
    // Each row draws its own patients from a seed of its own: leaving a pattern out must not change the others.
    const rng = createRng(intervalSeed).fork(pattern ?? 'overall')
    return { pattern, ...summaryIntervals(predictions, labelIds, task, { random: () => rng.uniform(), resampleCount, level: intervalLevel }) }
  })
  return { runId, setting: describeSetting(setting), level: intervalLevel, resampleCount, seed: intervalSeed, rows }
}

interface PredictionsUnder {
  slots: Slot[]
  labels: { labelId: number; labelName: string }[]
  task: Task
  overall: TestRow[]
  /** Most frequent first. */
  byPattern: { pattern: string; predictions: TestRow[] }[]
}

/** The prediction of each test study that counts under a setting. */
function predictionsUnder(workspace: Pick<Workspace, 'store'>, runId: number, setting: TestSetting): PredictionsUnder {
  const { store } = workspace
  const run = store.runs.get(runId)
  const cohort = store.cohorts.get(run.cohortId)
  const slots = cohort.slots.filter((slot) => run.config.slotIds.includes(slot.slotId))
  const labels = run.config.labelIds.map((labelId) => ({ labelId, labelName: cohort.labels.find((label) => label.labelId === labelId)!.name }))
  const rows = testRows(workspace, runId)
  if (rows.length === 0) throw new AppError('RUN_WRONG_STATE', `"${run.name}" has no predictions for test patients yet.`)

  const studies = [...Map.groupBy(rows, (row) => row.studyId).values()].map((list) => ({ list, actual: list.find((row) => row.isActual)!.pattern }))
  const wanted = wantedPatterns(slots, studies.map((study) => study.actual), setting)
  const overall = studies.flatMap(({ list }, index) => list.filter((row) => row.pattern === wanted[index]))
  const byPattern = [...Map.groupBy(overall, (row) => row.pattern)].sort((a, b) => b[1].length - a[1].length).map(([pattern, predictions]) => ({ pattern, predictions }))
  return { slots, labels, task: run.config.task, overall, byPattern }
}

interface TestRow extends LabelledPrediction {
  studyId: number
  pattern: string
  isActual: boolean
}

/** The stored test predictions as one object for each study and pattern, in import order. */
function testRows(workspace: Pick<Workspace, 'store'>, runId: number): TestRow[] {
  const stored = workspace.store.predictions.forRun(runId, { split: 'test' })
  const width = stored.labelIds.length
  return Array.from({ length: stored.count }, (_, row) => {
    const cells = (values: Float32Array) => values.subarray(row * width, (row + 1) * width)
    return {
      studyId: stored.studyIds[row]!, patientId: stored.patientIds[row]!, pattern: stored.patterns[row]!, isActual: stored.isActual[row] === 1,
      probabilities: cells(stored.probabilities), thresholds: cells(stored.thresholds), reference: cells(stored.references),
    }
  })
}

function wantedPatterns(slots: readonly Slot[], actual: readonly string[], setting: TestSetting): string[] {
  if (setting.kind === 'actual') return [...actual]
  if (setting.kind === 'only') return actual.map((pattern) => onlyModality(slots, pattern, setting.modality))
  return simulateMissingness(slots, actual, { image: setting.image, text: setting.text }, createRng(setting.seed))
}

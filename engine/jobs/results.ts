import { AppError } from '../domain/errors.ts'
import type { ServedBy } from '../domain/exchange.ts'
import type { Task } from '../domain/records.ts'
import type { MetricsRow, ResultIntervals, RowIntervals, RunResults, TestSetting } from '../domain/results.ts'
import { describePattern, patternKey, slotIdsOfPattern, type Slot } from '../domain/slots.ts'
import { summaryIntervals } from '../evaluation/summary-intervals.ts'
import { usableInformation } from '../evaluation/information.ts'
import { foldMeans } from '../evaluation/fold-means.ts'
import { countedOf, summarisePredictions } from '../evaluation/summarise.ts'
import { onlyModality, simulateMissingness } from '../training/missingness/missingness.ts'
import { createRng } from '../training/rng.ts'
import type { StoredSplit } from '../store/repositories/run-splits.ts'
import { alarmsOf } from './run-alarms.ts'
import { informationOf, type TestRow } from './run-information.ts'
import type { Workspace } from './workspace.ts'

/** A setting in the words that tables and files use. */
export function describeSetting(setting: TestSetting, slots: readonly Slot[] = []): string {
  const percent = (rate: number) => `${Math.round(rate * 100)} %`
  switch (setting.kind) {
    case 'actual': return 'As they are'
    case 'only': return setting.modality === 'image' ? 'Images only' : 'Text only'
    case 'simulated': return `Simulated: ${percent(setting.image)} without images, ${percent(setting.text)} without text`
    case 'table': return "Simulated by the run's own test table"
    case 'pattern': return `Everybody who can be shown with: ${describePattern(slots, setting.pattern)}`
  }
}

/**
 * Metrics of a run on its test patients, overall and one row for each presence pattern, under one missingness setting.
 * Every what-if pattern was predicted when the run ended, so a setting only chooses which prediction of a study counts.
 * Studies that have nothing left under the setting are left out (and counted in the row's studyCount by their absence).
 */
export function evaluateRun(workspace: Pick<Workspace, 'store'>, runId: number, setting: TestSetting): RunResults {
  const { slots, labels, task, overall, byPattern, rows, unanswered } = predictionsUnder(workspace, runId, setting)
  const hasFolds = new Set(rows.map(({ fold }) => fold)).size > 1
  const toRow = (pattern: string | null, predictions: readonly TestRow[]): MetricsRow => ({
    pattern,
    patternTitle: pattern === null ? 'All test patients' : describePattern(slots, pattern),
    ...summarisePredictions(predictions, labels, task),
    informationBits: usableInformation(predictions, task),
    ...(hasFolds ? { folds: foldMeans(predictions, labels, task) } : {}),
    ...servedByOf(predictions),
  })
  return {
    runId, setting: describeSetting(setting, slots), alarms: [...alarmsOf(workspace.store, runId), ...otherClasses(overall, task), ...unansweredAlarms(unanswered)], information: informationOf(workspace.store, runId, slots, rows),
    overall: toRow(null, overall), byPattern: byPattern.map(({ pattern, predictions }) => toRow(pattern, predictions)),
  }
}

/** Predictions of studies outside of the chosen classes exist where a run of before 0.3 made them; they are not counted, which must be said. */
function otherClasses(predictions: readonly TestRow[], task: Task): string[] {
  const count = predictions.length - countedOf(predictions, task).length
  return count === 0 ? [] : [`${count} of ${predictions.length} test studies have a class that was not chosen for this run: no number here counts them.`]
}

/** Numbers over fewer patients than the split tests look like any others: that somebody is left out, and why, must stand beside them. */
function unansweredAlarms({ total, withoutFold, withoutAnswer }: PredictionsUnder['unanswered']): string[] {
  const studies = (count: number) => `${count} of ${total} test studies ${count === 1 ? 'has' : 'have'}`
  return [
    ...(withoutFold === 0 ? [] : [`${studies(withoutFold)} no prediction, because training was stopped before the folds that test them: no number here counts them.`]),
    ...(withoutAnswer === 0 ? [] : [`${studies(withoutAnswer)} no prediction under the items they are shown with here, because the run has no answer for that combination: no number here counts them. A run that answers for them is measured on other patients.`]),
  ]
}

const resampleCount = 1000
const intervalSeed = 1
const intervalLevel = 0.95

/** Intervals for every number of `evaluateRun`, rows in the same order. Seeded: the same run always shows the same intervals. */
export function intervalsOfRun(workspace: Pick<Workspace, 'store'>, runId: number, setting: TestSetting): ResultIntervals {
  const { slots, labels, task, overall, byPattern } = predictionsUnder(workspace, runId, setting)
  const labelIds = labels.map((label) => label.labelId)
  const rows = [{ pattern: null, predictions: overall }, ...byPattern].map(({ pattern, predictions }): RowIntervals => {
    // Each row draws its own patients from a seed of its own: leaving a pattern out must not change the others.
    const rng = createRng(intervalSeed).fork(pattern ?? 'overall')
    return { pattern, ...summaryIntervals(predictions, labelIds, task, { random: () => rng.uniform(), resampleCount, level: intervalLevel }) }
  })
  return { runId, setting: describeSetting(setting, slots), level: intervalLevel, resampleCount, seed: intervalSeed, rows }
}

interface PredictionsUnder {
  slots: Slot[]
  labels: { labelId: number; labelName: string }[]
  task: Task
  overall: TestRow[]
  /** Most frequent first. */
  byPattern: { pattern: string; predictions: TestRow[] }[]
  /** Every stored test prediction. */
  rows: TestRow[]
  /** Test studies that have what the setting shows and no prediction of it: of a fold without any prediction, and of the others. */
  unanswered: { total: number; withoutFold: number; withoutAnswer: number }
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

  // A study whose own pattern the method refuses has what-if predictions only; it counts under the settings that reach one of them.
  const patternOf = new Map(store.patients.trainingStudies(run.cohortId, run.config.slotIds, [], runId).map((study) => [study.studyId, study.pattern]))
  // Every test study of the split takes its draw, predicted or not: a method that refuses some must lose the same items of the others.
  const rowsOf = Map.groupBy(rows, (row) => row.studyId)
  const split = store.runs.getSplit(runId)
  const testIds = split?.assignments.flatMap((sides) => split.studyIds.filter((_, index) => sides[index] === 'test')) ?? []
  const studies = [...new Set([...testIds, ...rowsOf.keys()])].map((studyId) => ({ studyId, list: rowsOf.get(studyId) ?? [], actual: patternOf.get(studyId) ?? '' }))
  const wanted = wantedPatterns(slots, studies, setting, () => testTableOf(workspace, runId))
  const overall = studies.flatMap(({ list }, index) => list.filter((row) => row.pattern === wanted[index]))
  const byPattern = [...Map.groupBy(overall, (row) => row.pattern)].sort((a, b) => b[1].length - a[1].length).map(([pattern, predictions]) => ({ pattern, predictions }))
  return { slots, labels, task: run.config.task, overall, byPattern, rows, unanswered: unansweredOf(studies, wanted, untrainedIds(split, rows)) }
}

/** Test studies of folds that predicted nobody. */
function untrainedIds(split: StoredSplit | null, rows: readonly TestRow[]): number[] {
  const trained = new Set(rows.map(({ fold }) => fold))
  return split?.assignments.flatMap((sides, fold) => (trained.has(fold) ? [] : split.studyIds.filter((_, index) => sides[index] === 'test'))) ?? []
}

function unansweredOf(studies: readonly { studyId: number; list: readonly TestRow[]; actual: string }[], wanted: readonly string[], untrained: readonly number[]): PredictionsUnder['unanswered'] {
  const isUntrained = new Set(untrained)
  const silent = studies.filter(({ list, actual }, index) => {
    const pattern = wanted[index]!
    const has = new Set(slotIdsOfPattern(actual))
    return pattern !== '' && slotIdsOfPattern(pattern).every((slotId) => has.has(slotId)) && !list.some((row) => row.pattern === pattern)
  })
  const withoutFold = silent.filter(({ studyId }) => isUntrained.has(studyId)).length
  return { total: studies.length, withoutFold, withoutAnswer: silent.length - withoutFold }
}

/** The stored test predictions as one object for each study and pattern, in import order. */
function testRows(workspace: Pick<Workspace, 'store'>, runId: number): TestRow[] {
  const stored = workspace.store.predictions.forRun(runId, { split: 'test' })
  const width = stored.labelIds.length
  return Array.from({ length: stored.count }, (_, row) => {
    const cells = (values: Float32Array) => values.subarray(row * width, (row + 1) * width)
    return {
      studyId: stored.studyIds[row]!, patientId: stored.patientIds[row]!, fold: stored.folds[row]!, pattern: stored.patterns[row]!, servedBy: stored.servedBy[row]!,
      probabilities: cells(stored.probabilities), thresholds: cells(stored.thresholds), reference: cells(stored.references),
    }
  })
}

function wantedPatterns(slots: readonly Slot[], studies: readonly { studyId: number; actual: string }[], setting: TestSetting, testTable: () => Map<number, string>): string[] {
  const actual = studies.map((study) => study.actual)
  switch (setting.kind) {
    case 'actual': return actual
    case 'only': return actual.map((pattern) => onlyModality(slots, pattern, setting.modality))
    case 'simulated': return simulateMissingness(slots, actual, { image: setting.image, text: setting.text }, createRng(setting.seed))
    case 'pattern': {
      // Whatever the order it was written in; a study that lacks one of these slots has no such prediction and is left out.
      const wanted = new Set(slotIdsOfPattern(setting.pattern))
      const unknown = [...wanted].find((slotId) => !slots.some((slot) => slot.slotId === slotId))
      if (unknown !== undefined) throw new AppError('REQUEST_INVALID', `The run has no modality "${unknown}". It has: ${slots.map((slot) => slot.slotId).join(', ')}.`)
      return actual.map(() => patternKey(slots, (slotId) => wanted.has(slotId)))
    }
    case 'table': {
      const shown = testTable()
      return studies.map(({ studyId, actual: own }) => shown.get(studyId) ?? own)
    }
  }
}

/** What the run's test table shows each study with; empty for runs of 0.1, which tested patients as they are. */
function testTableOf({ store }: Pick<Workspace, 'store'>, runId: number): Map<number, string> {
  const stored = store.runs.getMissingness(runId)
  const split = store.runs.getSplit(runId)
  if (stored === null || split === null) return new Map()
  return new Map(split.studyIds.map((studyId, index) => [studyId, stored.patterns[stored.shown.test[index]!]!]))
}

/** Who answered, counted; nothing where a run of 0.1 does not tell. */
export function servedByOf(predictions: readonly Pick<TestRow, 'servedBy'>[]): Pick<MetricsRow, 'servedBy'> {
  if (predictions.some(({ servedBy }) => servedBy === null)) return {}
  const count = (by: ServedBy) => predictions.filter(({ servedBy }) => servedBy === by).length
  return { servedBy: { trained: count('trained'), extrapolated: count('extrapolated'), base: count('base') } }
}

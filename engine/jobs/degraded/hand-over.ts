import { describeDegradation, type Degradation } from '../../domain/degradation.ts'
import type { PredictionBlock } from '../../domain/exchange.ts'
import type { MetricsRow, RunResults } from '../../domain/results.ts'
import { describePattern } from '../../domain/slots.ts'
import { foldMeans } from '../../evaluation/fold-means.ts'
import { usableInformation } from '../../evaluation/information.ts'
import { summarisePredictions, type LabelledPrediction } from '../../evaluation/summarise.ts'
import { writeRequestFile } from '../../host/request-file.ts'
import { translateErrors } from '../../store/sqlite-errors.ts'
import { specOf, type SpecPlaces } from '../planning/training-spec.ts'
import { servedByOf } from '../results.ts'
import { alarmsOf } from '../run-alarms.ts'
import type { TestRow } from '../run-information.ts'
import type { Workspace } from '../workspace.ts'

type WithStore = Pick<Workspace, 'store'>

export interface DegradedHandOver { runId: number; places: SpecPlaces; requestFile: string; fold: number; degradation: Degradation }

/** What the engine said of the test patients of a fold, each under its own pattern. */
export type DegradedBlock = Pick<PredictionBlock, 'fold' | 'studyIds' | 'patterns' | 'servedBy' | 'probabilities' | 'thresholds'>

/**
 * Writes what the engine needs to predict the test patients of one fold anew; runs in the reader process.
 * @throws AppError RUN_COHORT_CHANGED when the cohort is not the one of the run; STORE_DISK_FULL or STORE_NOT_WRITABLE when the file cannot be written
 */
export function handOverDegraded(workspace: WithStore, { runId, places, requestFile, fold, degradation }: DegradedHandOver): { studyCount: number } {
  const spec = specOf(workspace, runId, places)
  const studies = spec.studies.filter((_, index) => spec.assignments[fold]?.[index] === 'test')
  translateErrors(() => writeRequestFile(requestFile, { ...spec, shown: undefined, studies, assignments: [], fold, degradation }))
  return { studyCount: studies.length }
}

/** The table of results of the predictions of every fold; runs in the reader process. */
export function summariseDegraded({ store }: WithStore, { runId, degradation, blocks }: { runId: number; degradation: Degradation; blocks: DegradedBlock[] }): RunResults {
  const { config, cohortId } = store.runs.get(runId)
  const cohort = store.cohorts.get(cohortId)
  const slots = cohort.slots.filter(({ slotId }) => config.slotIds.includes(slotId))
  const labels = config.labelIds.map((labelId) => ({ labelId, labelName: cohort.labels.find((label) => label.labelId === labelId)?.name ?? '' }))
  const known = new Map(store.patients.trainingStudies(cohortId, config.slotIds, config.labelIds, runId).map((study) => [study.studyId, study]))
  const width = labels.length
  const rows = blocks.flatMap(({ fold, studyIds, patterns, servedBy, probabilities, thresholds }) => studyIds.flatMap((studyId, row): (LabelledPrediction & Pick<TestRow, 'pattern' | 'servedBy' | 'fold'>)[] => {
    const study = known.get(studyId)
    if (study === undefined) return []
    return [{ patientId: study.patientId, fold, pattern: patterns[row]!, servedBy: servedBy?.[row] ?? null, probabilities: probabilities.slice(row * width, (row + 1) * width), thresholds, reference: study.labels }]
  }))
  const toRow = (pattern: string | null, predictions: typeof rows): MetricsRow => ({
    pattern, patternTitle: pattern === null ? 'All test patients' : describePattern(slots, pattern),
    ...summarisePredictions(predictions, labels, config.task), informationBits: usableInformation(predictions, config.task), ...servedByOf(predictions),
    ...(blocks.length > 1 ? { folds: foldMeans(predictions, labels, config.task) } : {}),
  })
  const byPattern = [...Map.groupBy(rows, (row) => row.pattern)].sort((a, b) => b[1].length - a[1].length)
  return { runId, setting: describeDegradation(degradation), alarms: alarmsOf(store, runId), overall: toRow(null, rows), byPattern: byPattern.map(([pattern, list]) => toRow(pattern, list)) }
}

import { describeDegradation, type Degradation } from '../domain/degradation.ts'
import { AppError } from '../domain/errors.ts'
import type { MetricsRow, RunResults } from '../domain/results.ts'
import { describePattern } from '../domain/slots.ts'
import { usableInformation } from '../evaluation/information.ts'
import { summarisePredictions, type LabelledPrediction } from '../evaluation/summarise.ts'
import type { Progress } from '../protocol.ts'
import { foldMeans } from '../evaluation/fold-means.ts'
import { servedByOf } from './results.ts'
import { alarmsOf } from './run-alarms.ts'
import type { TestRow } from './run-information.ts'
import { trainingSpecOf } from './planning/training-spec.ts'
import type { Workspace } from './workspace.ts'

/**
 * Results of a finished run on its test patients with worse images or shorter texts: each fold's best checkpoint predicts its test patients
 * anew, under what they really have. Nothing is stored; prepared images of a level are kept in the cache. Null when cancelled.
 */
export async function evaluateDegraded(workspace: Workspace, runId: number, degradation: Degradation, onProgress?: (progress: Progress) => void): Promise<RunResults | null> {
  const run = workspace.store.runs.get(runId)
  if (run.status !== 'finished') throw new AppError('RUN_WRONG_STATE', `"${run.name}" is ${run.status}; only a finished run can be tested on degraded inputs.`)
  const spec = trainingSpecOf(workspace, runId)
  const rows: (LabelledPrediction & Pick<TestRow, 'pattern' | 'servedBy' | 'fold'>)[] = []
  for (const [fold, sides] of spec.assignments.entries()) {
    const studies = spec.studies.filter((_, index) => sides[index] === 'test')
    const byId = new Map(studies.map((study) => [study.studyId, study]))
    const done = await workspace.compute.run('predict:run', { ...spec, shown: undefined, studies, assignments: [], fold, degradation }, {
      onProgress,
      onData: (data) => {
        if (data.kind !== 'predictions') return
        const { block } = data
        const width = spec.labelNames.length
        block.studyIds.forEach((studyId, row) => {
          if (!block.isActual[row]) return
          const { patientId, labels } = byId.get(studyId)!
          rows.push({ patientId, fold, pattern: block.patterns[row]!, servedBy: block.servedBy?.[row] ?? null, probabilities: block.probabilities.slice(row * width, (row + 1) * width), thresholds: block.thresholds, reference: labels })
        })
      },
    })
    if (!done) return null
  }
  const labels = spec.labelNames.map((labelName, index) => ({ labelId: run.config.labelIds[index]!, labelName }))
  const toRow = (pattern: string | null, predictions: typeof rows): MetricsRow => ({
    pattern, patternTitle: pattern === null ? 'All test patients' : describePattern(spec.slots, pattern),
    ...summarisePredictions(predictions, labels, run.config.task), informationBits: usableInformation(predictions, run.config.task), ...(spec.assignments.length > 1 ? { folds: foldMeans(predictions, labels, run.config.task) } : {}), ...servedByOf(predictions),
  })
  const byPattern = [...Map.groupBy(rows, (row) => row.pattern)].sort((a, b) => b[1].length - a[1].length)
  return { runId, setting: describeDegradation(degradation), alarms: alarmsOf(workspace.store, runId), overall: toRow(null, rows), byPattern: byPattern.map(([pattern, list]) => toRow(pattern, list)) }
}

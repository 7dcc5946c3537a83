import { daysSinceFirst } from '../domain/visit-dates.ts'
import { writeCsv } from './csv.ts'
import type { Workspace } from './workspace.ts'

const columns = ['run', 'patient', 'study', 'split', 'fold', 'pattern', 'is_actual_pattern', 'label', 'label_source', 'reference', 'logit', 'probability', 'threshold', 'called_positive', 'served_by', 'days_since_first_study']

/**
 * Writes every stored prediction of a run as CSV, one line for each label under each presence pattern: pseudonyms only, no file names.
 * Folds count from 1, as on the screens and in the table of epochs. Where exactly one class is called, no threshold decides and none is written.
 * Only reads the store; the caller adds the line to the audit log.
 *
 * @returns number of data lines
 */
export function writePredictions(workspace: Pick<Workspace, 'store'>, runId: number, outFile: string): number {
  const run = workspace.store.runs.get(runId)
  return writeCsv(outFile, columns, exportLines(workspace, runId, run.name))
}

/** Exports the predictions of a run and logs that it was done. */
export function exportPredictions(workspace: Pick<Workspace, 'store'>, runId: number, outFile: string): number {
  const rowCount = writePredictions(workspace, runId, outFile)
  workspace.store.audit.append('predictions.exported', { runId, rowCount })
  return rowCount
}

function* exportLines(workspace: Pick<Workspace, 'store'>, runId: number, runName: string): Generator<(string | number)[]> {
  const isMultiClass = workspace.store.runs.get(runId).config.task === 'multi-class'
  const derived = new Set(workspace.store.cohorts.get(workspace.store.runs.get(runId).cohortId).labels.flatMap(({ name, derivedFrom }) => (derivedFrom ? [name] : [])))
  const daysOf = createDays(workspace, runId)
  for (const row of workspace.store.predictions.exportRows(runId)) {
    yield [
      runName, row.patientKey, row.studyKey, row.split, row.fold + 1, row.pattern, row.isActual ? 1 : 0, row.labelName, derived.has(row.labelName) ? 'derived from report' : 'table',
      row.reference ?? '', row.logit, row.probability, isMultiClass ? '' : row.threshold, row.isPredicted ? 1 : 0, row.servedBy ?? '', daysOf(row.studyId),
    ]
  }
}

/**
 * Days since the first study of the patient, blank without a day that counts. Never the moved date: written out it would look like the real one. Blank
 * for persons of several keys too, whose days were moved differently.
 */
function createDays({ store }: Pick<Workspace, 'store'>, runId: number): (studyId: number) => number | '' {
  const { cohortId } = store.runs.get(runId)
  const { patientKeys, days, rowOf } = store.cohorts.columns(cohortId)
  const merged = new Set(store.curation.persons(cohortId, runId).flat())
  const since = daysSinceFirst(patientKeys, days)
  return (studyId) => {
    const row = rowOf.get(studyId)
    return row === undefined || merged.has(patientKeys[row]!) || Number.isNaN(since[row]!) ? '' : since[row]!
  }
}

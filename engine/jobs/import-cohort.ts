import { AppError } from '../domain/errors.ts'
import type { ImportedStudy, ImportReport } from '../domain/import.ts'
import type { ImportSource, Mapping } from '../domain/mapping.ts'
import type { JobHooks } from '../host/engine-process.ts'
import type { EngineData, Progress } from '../protocol.ts'
import type { Workspace } from './workspace.ts'

export interface ImportRequest {
  source: ImportSource
  mapping: Mapping
  cohortName: string
}

export interface RunningImport {
  cohortId: number
  /** The report; its status is "paused" after a cancel, and the import can be resumed. */
  report: Promise<ImportReport>
  cancel: () => void
}

/** Creates the cohort (status "importing") and starts to fill it. Throws STORE_NAME_TAKEN at once. */
export function startImport(workspace: Workspace, request: ImportRequest, onProgress?: (progress: Progress) => void): RunningImport {
  const cohortId = workspace.store.cohorts.create({ name: request.cohortName, source: request.source, mapping: request.mapping })
  return continueImport(workspace, cohortId, onProgress)
}

/** Goes on where a cancelled, crashed or killed import stopped; what is stored already is not read again. */
export function resumeImport(workspace: Workspace, cohortId: number, onProgress?: (progress: Progress) => void): RunningImport {
  const cohort = workspace.store.cohorts.get(cohortId)
  if (cohort.status === 'ready') throw new AppError('RUN_WRONG_STATE', `The import of "${cohort.name}" is complete.`)
  workspace.store.audit.append('import.resumed', { cohortId, fromStudy: cohort.nextOrdinal })
  return continueImport(workspace, cohortId, onProgress)
}

function continueImport(workspace: Workspace, cohortId: number, onProgress?: (progress: Progress) => void): RunningImport {
  const { store, reader } = workspace
  const startedMs = performance.now()
  let images = 0
  const onData = (data: EngineData): void => {
    storeImportData(workspace, cohortId, data)
    if (data.kind === 'import-batch') images += imagesIn(data.studies)
  }
  const hooks: JobHooks = { onProgress, onData }
  const job = workspace.files.start('import:run', {
    ...store.cohorts.importRequest(cohortId),
    pseudonymKey: workspace.pseudonymKey,
  }, hooks)
  const report = job.outcome.then(async (outcome) => {
    const isDone = outcome.status === 'done'
    if (isDone) store.imports.finish(cohortId)
    else store.audit.append('import.paused', { cohortId })
    const elapsedMs = performance.now() - startedMs
    // Counting every row takes the reader; should it be gone, the import is complete all the same.
    const counted = await reader.read('imports:report', { cohortId }).catch(() => store.imports.report(cohortId))
    return { ...counted, elapsedMs, imagesPerSecond: images / (elapsedMs / 1000) }
  })
  return { cohortId, report, cancel: job.cancel }
}

/** A note is an item too, but takes no time to speak of. */
function imagesIn(studies: readonly ImportedStudy[]): number {
  return studies.reduce((sum, study) => sum + study.items.filter((item) => item.isPresent && item.sourcePath !== null).length, 0)
}

function storeImportData(workspace: Workspace, cohortId: number, data: EngineData): void {
  if (data.kind === 'import-start') workspace.store.imports.setStart(cohortId, data.start)
  else if (data.kind === 'import-batch') workspace.store.imports.addBatch(cohortId, data.studies, data.nextOrdinal)
}

import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { AppError } from '../domain/errors.ts'
import type { ImportedStudy, ImportReport } from '../domain/import.ts'
import { withPrivacy, type ImportSource, type Mapping } from '../domain/mapping.ts'
import { profileCodes } from '../domain/privacy.ts'
import type { RunningJob } from '../host/engine-process.ts'
import type { EngineData, Progress } from '../protocol.ts'
import type { StoredImage } from '../store/repositories/imports.ts'
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
  const mapping = withPrivacy(request.mapping)
  const cohortId = workspace.store.transaction(() => {
    const created = workspace.store.cohorts.create({ name: request.cohortName, source: request.source, mapping })
    // The words of the user's own list may be names: the log has their number only.
    const { off, dateOrder, words, shapes, dates, characteristics, burnedIn } = mapping.privacy!
    workspace.store.audit.append('import.privacy', { cohortId: created, rulesOff: off.join(', '), dateOrder, ownWords: words.length, ownShapes: shapes.length, profile: profileCodes(mapping.privacy!), dates, characteristics, burnedIn })
    return created
  })
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
  const request = store.cohorts.importRequest(cohortId)
  let job: RunningJob<'import:run'> | null = null
  let isCancelled = false
  const run = async (): Promise<ImportReport> => {
    await assertSameImages(request.source.sourceDir, store.imports.sampleImages(cohortId, sampledStudies))
    let isDone = false
    if (!isCancelled) {
      job = workspace.files.start('import:run', { ...request, pseudonymKey: workspace.pseudonymKey }, { onProgress, onData })
      isDone = (await job.outcome).status === 'done'
    }
    if (isDone) store.imports.finish(cohortId)
    else store.audit.append('import.paused', { cohortId })
    const elapsedMs = performance.now() - startedMs
    // Counting every row takes the reader; should it be gone, the import is complete all the same.
    const counted = await reader.read('imports:report', { cohortId }).catch(() => store.imports.report(cohortId))
    return { ...counted, elapsedMs, imagesPerSecond: images / (elapsedMs / 1000) }
  }
  const cancel = (): void => {
    isCancelled = true
    job?.cancel()
  }
  return { cohortId, report: run(), cancel }
}

/** Studies whose images are read again before an import goes on: enough to notice another delivery, few enough to take a moment. */
const sampledStudies = 40

/**
 * Compares images that are stored already with the folder as it is now. The table's hash says nothing about them, and half a cohort
 * from one delivery and half from another would look like one.
 * @throws AppError IMPORT_IMAGES_CHANGED
 */
async function assertSameImages(sourceDir: string, sample: readonly StoredImage[]): Promise<void> {
  // A folder that is gone is told by the import itself, with the drive as the cause.
  if (!existsSync(sourceDir)) return
  let gone = 0
  let changed = 0
  for (const image of sample) {
    const path = join(sourceDir, image.path)
    const info = await stat(path).catch(() => null)
    if (info === null) gone++
    else if (info.size !== image.byteSize || (await sha256OfFile(path)) !== image.sha256) changed++
  }
  if (gone + changed === 0) return
  throw new AppError('IMPORT_IMAGES_CHANGED', `Of ${sample.length} images that were imported before and looked at again, ${changed} ${changed === 1 ? 'has' : 'have'} changed and ${gone} ${gone === 1 ? 'is' : 'are'} no longer there.`)
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** A note is an item too, but takes no time to speak of. */
function imagesIn(studies: readonly ImportedStudy[]): number {
  return studies.reduce((sum, study) => sum + study.items.filter((item) => item.isPresent && item.sourcePath !== null).length, 0)
}

function storeImportData(workspace: Workspace, cohortId: number, data: EngineData): void {
  if (data.kind === 'import-start') workspace.store.imports.setStart(cohortId, data.start)
  else if (data.kind === 'import-batch') workspace.store.imports.addBatch(cohortId, data.studies, data.nextOrdinal)
}

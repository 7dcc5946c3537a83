import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { OnChanged } from '../domain/deliveries.ts'
import { AppError } from '../domain/errors.ts'
import type { ImportedStudy, ImportReport } from '../domain/import.ts'
import { noteReportLabels, withRuleVersion } from './report-labels.ts'
import { withPrivacy, type ImportSource, type Mapping } from '../domain/mapping.ts'
import { profileCodes } from '../domain/privacy.ts'
import type { RunningJob } from '../host/engine-process.ts'
import { imageContentHash } from '../modalities/image-content.ts'
import type { EngineData, JobRequest, Progress } from '../protocol.ts'
import type { StoredImage } from '../store/repositories/imports.ts'
import { inTurns } from './in-turns.ts'
import type { Workspace } from './workspace.ts'

export interface ImportRequest {
  source: ImportSource
  mapping: Mapping
  cohortName: string
}

export interface DeliveryRequest {
  cohortId: number
  source: ImportSource
  mapping: Mapping
  onChanged: OnChanged
  leaveOutNewLabels: boolean
}

export interface RunningImport {
  cohortId: number
  /** The report; its status is "paused" after a cancel, and the import can be resumed. */
  report: Promise<ImportReport>
  cancel: () => void
}

type OnProgress = (progress: Progress) => void

/** Where an import goes: a new cohort, or a further delivery of one. */
interface Target {
  cohortId: number
  request: Omit<JobRequest<'import:run'>, 'pseudonymKey'>
  /** Of what is stored already: looked at again before the import goes on. */
  sample: StoredImage[]
  take: (data: EngineData) => void
  finish: () => Promise<void> | void
  notePause: () => void
}

/** Creates the cohort (status "importing") and starts to fill it. Throws STORE_NAME_TAKEN at once. */
export function startImport(workspace: Workspace, request: ImportRequest, onProgress?: OnProgress): RunningImport {
  const mapping = withRuleVersion(withPrivacy(request.mapping))
  const cohortId = workspace.store.transaction(() => {
    const created = workspace.store.cohorts.create({ name: request.cohortName, source: request.source, mapping })
    notePrivacy(workspace, created, mapping)
    noteReportLabels(workspace, created, mapping)
    return created
  })
  const running = execute(workspace, firstImport(workspace, cohortId), onProgress)
  return { ...running, report: running.report.catch((error: unknown) => dropBlocked(workspace, cohortId, error)) }
}

/**
 * An import that was refused because something identifying could not be removed, or because its dates can be read in several ways, leaves nothing
 * behind, not even its own name: it could only be begun again with other choices.
 */
function dropBlocked({ store }: Workspace, cohortId: number, error: unknown): never {
  if (isRefused(error) && store.cohorts.get(cohortId).nextOrdinal === 0) store.cohorts.remove(cohortId)
  throw error
}

/**
 * Opens a further delivery of a cohort and starts to compare and add. Throws IMPORT_DELIVERY_RUN_ACTIVE, IMPORT_DELIVERY_MISFIT or
 * STORE_WRONG_STATE at once.
 */
export function startDelivery(workspace: Workspace, request: DeliveryRequest, onProgress?: OnProgress): RunningImport {
  const mapping = withPrivacy(request.mapping)
  workspace.store.transaction(() => {
    workspace.store.deliveries.begin({ ...request, mapping })
    notePrivacy(workspace, request.cohortId, mapping)
  })
  const running = execute(workspace, openDelivery(workspace, request.cohortId)!, onProgress)
  return { ...running, report: running.report.catch((error: unknown) => takeBackRefused(workspace, request.cohortId, error)) }
}

const isRefused = (error: unknown): boolean => error instanceof AppError && (error.code.startsWith('IMPORT_PRIVACY_') || error.code === 'IMPORT_DATE_ORDER' || error.code === 'IMPORT_DATE_EXCHANGED')

/** The same for a delivery: the cohort is as it was and can be used. */
async function takeBackRefused({ store }: Workspace, cohortId: number, error: unknown): Promise<never> {
  const open = isRefused(error) ? store.deliveries.open(cohortId) : null
  if (open !== null && open.request.fromOrdinal === 0) {
    store.deliveries.beginUndo(open.deliveryId)
    await inTurns(store.deliveries.undoSteps())
  }
  throw error
}

/** Goes on where a cancelled, crashed or killed import stopped; what is stored already is not read again. */
export function resumeImport(workspace: Workspace, cohortId: number, onProgress?: OnProgress): RunningImport {
  const cohort = workspace.store.cohorts.get(cohortId)
  if (cohort.status === 'ready') throw new AppError('RUN_WRONG_STATE', `The import of "${cohort.name}" is complete.`)
  const target = openDelivery(workspace, cohortId) ?? firstImport(workspace, cohortId)
  workspace.store.audit.append('import.resumed', { cohortId, fromStudy: target.request.fromOrdinal })
  return execute(workspace, target, onProgress)
}

/** The words of the user's own list may be names: the log has their number only. */
function notePrivacy(workspace: Workspace, cohortId: number, mapping: Mapping): void {
  const { off, dateOrder, words, shapes, dates, characteristics, burnedIn } = mapping.privacy!
  workspace.store.audit.append('import.privacy', {
    cohortId, rulesOff: off.join(', '), dateOrder, ownWords: words.length, ownShapes: shapes.length, profile: profileCodes(mapping.privacy!), dates, characteristics, burnedIn,
  })
}

function firstImport({ store }: Workspace, cohortId: number): Target {
  return {
    cohortId, request: store.cohorts.importRequest(cohortId), sample: store.imports.sampleImages(cohortId, sampledStudies),
    take: (data) => {
      if (data.kind === 'import-start') store.imports.setStart(cohortId, data.start)
      else if (data.kind === 'import-batch') store.imports.addBatch(cohortId, data.studies, data.nextOrdinal)
    },
    finish: () => void store.imports.finish(cohortId),
    notePause: () => void store.audit.append('import.paused', { cohortId }),
  }
}

function openDelivery({ store, reader }: Workspace, cohortId: number): Target | null {
  const open = store.deliveries.open(cohortId)
  if (open === null) return null
  const { deliveryId, status, request, knownLabels } = open
  if (status === 'undoing') throw new AppError('RUN_WRONG_STATE', 'This delivery is being taken back.')
  return {
    cohortId, request: { ...request, knownLabels }, sample: [],
    take: (data) => {
      if (data.kind === 'import-start') store.deliveries.setStart(deliveryId, data.start)
      else if (data.kind === 'import-batch') store.deliveries.addBatch(deliveryId, data.studies, data.nextOrdinal)
    },
    finish: async () => {
      // Reading the whole cohort again is for the reader process.
      const chain = store.deliveries.needsChain(deliveryId) ? (await reader.read('deliveries:chain', { cohortId })).chain : null
      store.imports.replaceLabelWords(cohortId, await reader.read('cohorts:find-words', { cohortId }))
      store.deliveries.finish(deliveryId, chain)
    },
    notePause: () => void store.audit.append('delivery.paused', { cohortId, deliveryId }),
  }
}

function execute(workspace: Workspace, target: Target, onProgress?: OnProgress): RunningImport {
  const { store, reader } = workspace
  const { cohortId, request } = target
  const startedMs = performance.now()
  let images = 0
  const onData = (data: EngineData): void => {
    target.take(data)
    if (data.kind === 'import-batch') images += imagesIn(data.studies)
  }
  let job: RunningJob<'import:run'> | null = null
  let isCancelled = false
  const run = async (): Promise<ImportReport> => {
    await assertSameImages(request.source.sourceDir, target.sample)
    let isDone = false
    if (!isCancelled) {
      job = workspace.files.start('import:run', { ...request, pseudonymKey: workspace.pseudonymKey }, { onProgress, onData })
      isDone = (await job.outcome).status === 'done'
    }
    if (isDone) await target.finish()
    else target.notePause()
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
    else if (info.size !== image.byteSize || imageContentHash(await sha256OfFile(path), image.frame) !== image.sha256) changed++
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

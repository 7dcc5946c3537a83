import { availableParallelism } from 'node:os'
import { AppError } from '../domain/errors.ts'
import { importingStage, type ImportedStudy } from '../domain/import.ts'
import type { JobContext, JobRequest, JobResult } from '../protocol.ts'
import { mapInOrder } from './concurrency.ts'
import { hearDates } from './dates/hear-dates.ts'
import { assertDatesSettled, type StudyDates } from './dates/study-dates.ts'
import { indexFiles } from './images/file-index.ts'
import { inspectImage, type ImageInspection } from './images/inspect-image.ts'
import { absolutePath, createItemPlanner, type Inspect, type ItemPlanner } from './images/plan-items.ts'
import { createIssueCollector, type IssueCollector } from './issues.ts'
import { labelWordsOf } from './cohort-words.ts'
import { loadCohort, type PlannedStudy } from './load-cohort.ts'
import { scrubFromHeaders } from './privacy/header-names.ts'
import { assertNoResidue } from './privacy/study-privacy.ts'
import { deriveLabels } from './reports/derive-labels.ts'
import { startStage } from './progress.ts'

/** Written in one transaction by the process of the windows, which must not be held up for longer than a frame or two. */
const maxBatchStudies = 25
/** With large pictures a batch would take long; what is read so far is then handed over. */
const maxBatchMs = 2000
const maxUnacknowledged = 4

/**
 * Imports a cohort: one `import-start` with everything about the table, then batches of studies in table order from
 * `fromOrdinal` on, each file decoded once completely. The host writes a batch before it acknowledges it, so a stop at any
 * moment loses nothing that was acknowledged and `nextOrdinal` of the last one says where to go on.
 * @throws AppError IMPORT_SOURCE_CHANGED when the table is not the one of `tableSha256`, IMPORT_FOLDER_MISSING and its kin when
 * the source fails, or the host's error for a batch; an AbortError when cancelled
 */
export async function runImport(request: JobRequest<'import:run'>, context: JobContext): Promise<JobResult<'import:run'>> {
  const { source, mapping, fromOrdinal, tableSha256 } = request
  const issues = createIssueCollector()
  const cohort = await loadCohort(request, issues, context)
  if (tableSha256 !== null && tableSha256 !== cohort.tableSha256) {
    throw new AppError('IMPORT_SOURCE_CHANGED', 'The table was changed since this import began.')
  }
  assertDatesSettled(issues)
  const index = await indexFiles(source.sourceDir, issues, context.signal)
  const { slots, labelNames, task, rowsIn, rejected, studies } = cohort
  const planner = createItemPlanner(mapping, studies, index)
  // Before the label words are counted: they are stored, and a name must not become one of them.
  await scrubFromHeaders(studies, mapping, planner, source.sourceDir, cohort.privacy, issues, context.signal)
  assertNoResidue(issues)
  assertKnownLabels(issues)
  const derived = deriveLabels(cohort, mapping, issues)
  // One cohort, one set of rules: what is stored already was read with the earlier ones.
  if (derived?.hasOtherRules === true && fromOrdinal > 0) throw new AppError('IMPORT_RULES_CHANGED', 'This import began with other rules for labels from reports than this version of Lacuna has.')
  const labelWords = labelWordsOf(cohort, mapping)
  await context.send({
    kind: 'import-start',
    start: { tableSha256: cohort.tableSha256, rowsIn, studyCount: studies.length, slots, labelNames, task, rejectedRows: rejected, labelWords, ...(derived === null ? {} : { derivedLabels: derived.labels }) },
  })
  const inspect = createInspector(source.sourceDir, studies, mapping.slots.length, planner)
  const stage = startStage(context, importingStage, studies.length, fromOrdinal)
  const outbox = createOutbox(context)
  const inFlight = 2 + 2 * availableParallelism()
  let batch: ImportedStudy[] = []
  let batchStartMs = performance.now()
  const todo = studies.slice(fromOrdinal)
  try {
    const imported = mapInOrder(todo, inFlight, async (study) => {
      context.signal.throwIfAborted()
      return importStudy(study, mapping.slots.length, planner, inspect, cohort.dates)
    })
    for await (const study of imported) {
      context.signal.throwIfAborted()
      batch.push(study)
      if (batch.length >= maxBatchStudies || performance.now() - batchStartMs > maxBatchMs) {
        await outbox.post(batch)
        batch = []
        batchStartMs = performance.now()
      }
      stage.set(study.ordinal + 1)
    }
    if (batch.length > 0) await outbox.post(batch)
  } finally {
    await outbox.settle()
  }
  outbox.assertTaken()
  return { rowsIn, studyCount: studies.length }
}

/** @throws AppError IMPORT_DELIVERY_LABELS when a delivery brings labels that its cohort does not have */
function assertKnownLabels(issues: IssueCollector): void {
  const added = issues.list().find(({ code, severity }) => code === 'IMPORT_DELIVERY_LABELS' && severity === 'blocks')
  if (added) throw new AppError('IMPORT_DELIVERY_LABELS', `The cohort has no label ${added.examples[0]?.detail ?? ''}.`)
}

async function importStudy(study: PlannedStudy, slotCount: number, planner: ItemPlanner, inspect: Inspect, dates: StudyDates | null): Promise<ImportedStudy> {
  const hearing = hearDates(inspect)
  const planned = await Promise.all(Array.from({ length: slotCount }, (_, slotIndex) => planner.plan(study, slotIndex, hearing.inspect)))
  const { ordinal, patientKey, studyKey, rows, sex, siteKey, labelValues, evidence } = study
  const { ageYears, ...dated } = dates?.find(study, hearing.heard) ?? { ageYears: study.ageYears }
  return { ordinal, patientKey, studyKey, rows, ageYears, sex, site: siteKey, ...dated, items: planned.map(({ item }) => item), labels: labelValues, evidence }
}

/** Full inspection of each image; a frame of a file that several studies name is read once. */
function createInspector(sourceDir: string, studies: readonly PlannedStudy[], slotCount: number, planner: ItemPlanner): Inspect {
  const uses = new Map<string, number>()
  for (const study of studies) {
    for (let slotIndex = 0; slotIndex < slotCount; slotIndex++) {
      const match = planner.match(study, slotIndex)
      if (match?.kind !== 'found') continue
      const key = `${planner.frameOf(slotIndex)} ${match.path}`
      uses.set(key, (uses.get(key) ?? 0) + 1)
    }
  }
  const shared = new Map<string, Promise<ImageInspection>>()
  return (path, frame) => {
    const key = `${frame} ${path}`
    const known = shared.get(key)
    if (known) return known
    const inspection = inspectImage(absolutePath(sourceDir, path), sourceDir, 'full', frame)
    if ((uses.get(key) ?? 0) > 1) shared.set(key, inspection)
    return inspection
  }
}

/** Sends batches with at most four waiting for the host; the first refusal is thrown by the next `post` or by `assertTaken`. */
function createOutbox(context: JobContext): { post: (studies: ImportedStudy[]) => Promise<void>; settle: () => Promise<void>; assertTaken: () => void } {
  const waiting: Promise<void>[] = []
  let failure: { error: unknown } | null = null
  const assertTaken = (): void => {
    if (failure) throw failure.error
  }
  return {
    async post(studies) {
      assertTaken()
      if (waiting.length >= maxUnacknowledged) await waiting.shift()
      assertTaken()
      const nextOrdinal = studies.at(-1)!.ordinal + 1
      waiting.push(context.send({ kind: 'import-batch', studies, nextOrdinal }).catch((error: unknown) => {
        failure ??= { error }
      }))
    },
    async settle() {
      // After a cancel the host may be gone and never answer; what it took is in the store all the same.
      if (!context.signal.aborted) await Promise.all(waiting)
    },
    assertTaken,
  }
}

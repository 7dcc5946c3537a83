import type { PreviewRow } from '../domain/import.ts'
import { withPrivacy } from '../domain/mapping.ts'
import type { JobContext, JobRequest, JobResult } from '../protocol.ts'
import { mapInOrder } from './concurrency.ts'
import { indexFiles } from './images/file-index.ts'
import { inspectImage } from './images/inspect-image.ts'
import { absolutePath, createItemPlanner, type Inspect } from './images/plan-items.ts'
import { createIssueCollector } from './issues.ts'
import { loadCohort, maxPreviewReports } from './load-cohort.ts'
import { scrubFromHeaders } from './privacy/header-names.ts'
import { deriveLabels } from './reports/derive-labels.ts'

/** Enough rows to fill the preview although several belong to one study or are refused. */
const rowsForEachPreviewRow = 20
const filesInFlight = 6

/**
 * The first studies as they would be imported, read from the beginning of the table only. Files are judged by their header, so a
 * damaged picture can still turn up at the check.
 * @throws AppError for a table, mapping or folder that cannot be used; an AbortError when cancelled
 */
export async function previewImport(request: JobRequest<'import:preview'>, context: JobContext): Promise<JobResult<'import:preview'>> {
  const { source, limit } = request
  const mapping = withPrivacy(request.mapping)
  const issues = createIssueCollector()
  const cohort = await loadCohort({ ...request, mapping }, issues, context, limit * rowsForEachPreviewRow)
  const studies = cohort.studies.slice(0, limit)
  const index = await indexFiles(source.sourceDir, issues, context.signal)
  const planner = createItemPlanner(mapping, studies, index)
  await scrubFromHeaders(studies, mapping, planner, source.sourceDir, cohort.privacy, issues, context.signal)
  const inspect: Inspect = (path, frame) => inspectImage(absolutePath(source.sourceDir, path), source.sourceDir, 'header', frame)
  const derived = deriveLabels({ ...cohort, studies: cohort.studies.slice(0, maxPreviewReports) }, mapping, issues)
  const rows: PreviewRow[] = []
  const planned = mapInOrder(studies, filesInFlight, async (study) => {
    context.signal.throwIfAborted()
    return { study, items: await Promise.all(mapping.slots.map((_, slotIndex) => planner.plan(study, slotIndex, inspect))) }
  })
  for await (const { study, items } of planned) {
    const plain = items.map(({ item }) => item)
    rows.push({
      row: study.rows[0]!,
      patientKey: study.patientKey,
      presence: plain.map(({ slotId, isPresent, reason }) => ({ slotId, isPresent, reason })),
      images: plain.filter((_, slot) => mapping.slots[slot]!.slot.modality === 'image')
        .map(({ slotId, isPresent, sourcePath, frame = 0, frameCount = 1 }) => ({ slotId, path: isPresent && sourcePath !== null ? absolutePath(source.sourceDir, sourcePath) : null, frame, frameCount })),
      texts: plain.flatMap(({ slotId, text }, slot) => (mapping.slots[slot]!.slot.modality === 'image' ? [] : [{ slotId, text, original: study.originals?.[slot] ?? null }])),
      labels: cohort.labelNames.filter((_, label) => study.labelValues[label] === 1),
    })
  }
  return { rows, derived: derived?.preview ?? null }
}

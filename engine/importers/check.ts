import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import type { FrameChoice } from '../domain/frames.ts'
import type { ImportCheck } from '../domain/import.ts'
import { withPrivacy } from '../domain/mapping.ts'
import { patternKey } from '../domain/slots.ts'
import type { JobContext, JobRequest, JobResult } from '../protocol.ts'
import { labelWordsOf } from './cohort-words.ts'
import { mapInOrder } from './concurrency.ts'
import { hearDates } from './dates/hear-dates.ts'
import { noteDate } from './dates/study-dates.ts'
import { indexFiles } from './images/file-index.ts'
import { inspectImage, type ImageInspection } from './images/inspect-image.ts'
import { absolutePath, createItemPlanner, type Inspect } from './images/plan-items.ts'
import { createIssueCollector, type IssueCollector } from './issues.ts'
import { loadCohort, type LoadedCohort } from './load-cohort.ts'
import { scrubFromHeaders } from './privacy/header-names.ts'
import { startStage } from './progress.ts'
import { deriveLabels } from './reports/derive-labels.ts'
import { noteTexts } from './rows/text-notes.ts'

/** Up to this many images every pixel is decoded already at the check; beyond it the import does it. */
const maxDecodedImages = 2000
const maxDuplicateGroups = 200
const studiesBetweenBreaths = 1000
const maxRowsOfGroup = 50

/**
 * Counts what an import would bring, over the whole table and every named file, without writing anything.
 * @throws AppError for a table, mapping or folder that cannot be used; an AbortError when cancelled
 */
export async function checkImport(request: JobRequest<'import:check'>, context: JobContext): Promise<JobResult<'import:check'>> {
  const { source } = request
  const mapping = withPrivacy(request.mapping)
  const issues = createIssueCollector()
  const cohort = await loadCohort({ ...request, mapping }, issues, context)
  const index = await indexFiles(source.sourceDir, issues, context.signal)
  const planner = createItemPlanner(mapping, cohort.studies, index)
  const headers = await scrubFromHeaders(cohort.studies, mapping, planner, source.sourceDir, cohort.privacy, issues, context.signal, true)
  const usedPaths = new Set<string>()
  const used = new Map<string, UsedImage>()
  for (const study of cohort.studies) {
    for (const slotIndex of mapping.slots.keys()) {
      const match = planner.match(study, slotIndex)
      if (match?.kind !== 'found') continue
      usedPaths.add(match.path)
      const image = { path: match.path, frame: planner.frameOf(slotIndex) }
      used.set(keyOf(image), image)
    }
  }
  const depth = used.size <= maxDecodedImages ? 'full' : 'header'
  const inspections = await inspectAll(used, source.sourceDir, depth, context)
  const inspect: Inspect = (path, frame) => Promise.resolve(inspections.get(keyOf({ path, frame }))!)
  const patterns = new Map<string, number>()
  const absences = new Map<string, ImportCheck['absences'][number]>()
  const uses = new Map<string, ImageUse[]>()
  let textImages = 0
  for (const study of cohort.studies) {
    if (study.ordinal % studiesBetweenBreaths === 0) {
      // Nothing below waits for a file; without this a cancel would not be heard before the end.
      await setImmediate()
      context.signal.throwIfAborted()
    }
    const presentIds = new Set<string>()
    const hearing = hearDates(inspect)
    for (const slotIndex of mapping.slots.keys()) {
      const { item, problem, note } = await planner.plan(study, slotIndex, hearing.inspect)
      if (problem) issues.add(problem.code, 'marks-missing', study.rows[0]!, problem.detail)
      if (item.textSigns !== undefined || item.reason === 'excluded') {
        textImages++
        issues.add('IMPORT_IMAGE_TEXT', 'note', study.rows[0]!, `Row ${study.rows[0]}, ${mapping.slots[slotIndex]!.slot.title}: ${item.reason === 'excluded' ? 'may show text and is left out' : 'may show text'}.`)
      }
      if (note) issues.add(note.code, 'note', study.rows[0]!, note.detail)
      if (!item.isPresent && item.reason !== null) {
        const key = `${item.slotId} ${item.reason}`
        const entry = absences.get(key) ?? { slotId: item.slotId, reason: item.reason, count: 0 }
        entry.count++
        absences.set(key, entry)
        continue
      }
      presentIds.add(item.slotId)
      if (item.sourcePath !== null && item.sha256 !== null) {
        const held = uses.get(item.sha256)
        const use = { row: study.rows[0]!, patientKey: study.patientKey }
        if (held) held.push(use)
        else uses.set(item.sha256, [use])
      }
    }
    if (cohort.dates) noteDate(study, cohort.dates.find(study, hearing.heard).date, issues)
    const pattern = patternKey(cohort.slots, (slotId) => presentIds.has(slotId))
    patterns.set(pattern, (patterns.get(pattern) ?? 0) + 1)
  }
  noteUnusedFiles(index.paths.filter((path) => !cohort.reportPaths.has(path)), usedPaths, issues)
  const duplicateImages = findDuplicates(uses, issues)
  const derived = deriveLabels(cohort, mapping, issues)
  const labelWords = labelWordsOf(cohort, mapping)
  if (labelWords.length > 0) {
    const labels = new Set(labelWords.map(({ labelName }) => labelName))
    issues.add('IMPORT_LABEL_WORDS', 'note', null, `${labelWords.length} words or phrases give away ${labels.size} of ${cohort.labelNames.length} labels.`, labelWords.length)
  }
  noteTexts(mapping, cohort.studies, issues)
  noteRejections(cohort, issues)
  return {
    rowsIn: cohort.rowsIn, rowsAccepted: cohort.rowsIn - cohort.rejected.length, rowsRejected: cohort.rejected.length,
    patientCount: new Set(cohort.studies.map(({ patientKey }) => patientKey)).size, studyCount: cohort.studies.length,
    slots: cohort.slots, labelCounts: countLabels(cohort),
    patternCounts: [...patterns].map(([pattern, count]) => ({ pattern, count })).sort((a, b) => b.count - a.count || (a.pattern < b.pattern ? -1 : 1)),
    absences: [...absences.values()].sort((a, b) => b.count - a.count),
    duplicateImages, labelWords, derived: derived?.preview ?? null, privacy: cohort.privacy ? { ...cohort.privacy.report(), headers, textImages } : null, issues: issues.list(),
    ...(request.withKeys === true ? { keys: cohort.studies.map(({ patientKey, studyKey }) => JSON.stringify([patientKey, studyKey])) } : {}),
  }
}

interface ImageUse { row: number; patientKey: string }

/** A file and which of its frames an item wants: several items may want different ones. */
interface UsedImage { path: string; frame: FrameChoice }
const keyOf = ({ path, frame }: UsedImage): string => `${frame} ${path}`

async function inspectAll(images: ReadonlyMap<string, UsedImage>, sourceDir: string, depth: 'header' | 'full', context: JobContext): Promise<Map<string, ImageInspection>> {
  const inspections = new Map<string, ImageInspection>()
  const stage = startStage(context, 'Checking image files', images.size)
  const inspected = mapInOrder(images, 2 + 2 * availableParallelism(), async ([key, { path, frame }]) => {
    context.signal.throwIfAborted()
    return { key, inspection: await inspectImage(absolutePath(sourceDir, path), sourceDir, depth, frame) }
  })
  for await (const { key, inspection } of inspected) {
    inspections.set(key, inspection)
    stage.set(inspections.size)
  }
  context.signal.throwIfAborted()
  return inspections
}

function countLabels(cohort: LoadedCohort): ImportCheck['labelCounts'] {
  return cohort.labelNames.map((name, index) => {
    const counts = { name, positives: 0, negatives: 0, unknown: 0 }
    for (const { labelValues } of cohort.studies) {
      const value = labelValues[index] ?? null
      if (value === null) counts.unknown++
      else if (value === 1) counts.positives++
      else counts.negatives++
    }
    return counts
  })
}

function noteUnusedFiles(paths: readonly string[], usedPaths: ReadonlySet<string>, issues: IssueCollector): void {
  const unused = paths.length - usedPaths.size
  if (unused > 0) issues.add('IMPORT_IMAGE_UNUSED', 'note', null, `${unused} of ${paths.length} image files in the folder are named by no accepted row.`, unused)
}

/** Groups of studies or slots that show the very same file content; those across patients first, since they spoil a split. */
function findDuplicates(uses: ReadonlyMap<string, readonly ImageUse[]>, issues: IssueCollector): ImportCheck['duplicateImages'] {
  const groups = [...uses.values()].filter((group) => group.length > 1).map((group) => ({
    count: group.length,
    acrossPatients: new Set(group.map(({ patientKey }) => patientKey)).size > 1,
    rows: [...new Set(group.map(({ row }) => row))].slice(0, maxRowsOfGroup),
  }))
  groups.sort((a, b) => Number(b.acrossPatients) - Number(a.acrossPatients) || b.count - a.count || a.rows[0]! - b.rows[0]!)
  for (const { rows, acrossPatients, count } of groups) {
    const where = rows.length > 1 ? `Rows ${rows.slice(0, 5).join(', ')}` : `Row ${rows[0]}`
    issues.add('IMPORT_IMAGE_DUPLICATE', 'note', rows[0]!, `${where}: the same picture ${count} times${acrossPatients ? ' under different patients' : ''}.`)
  }
  return groups.slice(0, maxDuplicateGroups)
}

/** A mapping that refuses every row is a wrong mapping, not bad rows. */
function noteRejections({ rejected, rowsIn }: LoadedCohort, issues: IssueCollector): void {
  const severity = rejected.length === rowsIn ? 'blocks' : 'rejects-row'
  for (const { row, code, detail } of rejected) issues.add(code, severity, row, detail)
}

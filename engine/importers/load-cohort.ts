import { stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { hash } from 'node:crypto'
import { AppError } from '../domain/errors.ts'
import type { RejectedRow } from '../domain/import.ts'
import type { ImportSource, Mapping } from '../domain/mapping.ts'
import type { LabelEvidence } from '../domain/report-labels.ts'
import type { Slot } from '../domain/slots.ts'
import { dayMs } from '../domain/visit-dates.ts'
import type { JobContext } from '../protocol.ts'
import { createStudyDates, type StudyDates } from './dates/study-dates.ts'
import { assignKeys } from './ids.ts'
import type { IssueCollector } from './issues.ts'
import { createStudyPrivacy, type StudyPrivacy } from './privacy/study-privacy.ts'
import { startStage } from './progress.ts'
import { derivedNamesOf } from './reports/derive-labels.ts'
import { readReports, type TextFault } from './reports/read-reports.ts'
import { notePlaceholderAges } from './rows/demographics.ts'
import { createRowGrouper, type GroupedStudy } from './rows/group-rows.ts'
import { buildVocabulary, fitVocabulary, type KnownLabels, type LabelValue } from './rows/labels.ts'
import { openJoinedTable } from './table/join-tables.ts'

/** A study ready for its files to be looked at; `ordinal` counts from 0 in table order and never changes for the same table and mapping. */
export interface PlannedStudy extends GroupedStudy {
  ordinal: number
  patientKey: string
  studyKey: string
  labelValues: LabelValue[]
  /** Why the derived labels have their values; set by deriveLabels. */
  evidence?: LabelEvidence[]
  /** Pseudonym of the place, the same in every delivery under one key. */
  siteKey: string | null
  /** Why text slots that are filled from files have no text, by slot. */
  textFaults: ReadonlyMap<number, TextFault> | null
  /** The texts as the table has them, of a preview only. */
  originals: (string | null)[] | null
}

export interface LoadedCohort {
  tableSha256: string
  columns: string[]
  rowsIn: number
  rejected: RejectedRow[]
  studies: PlannedStudy[]
  slots: Slot[]
  labelNames: string[]
  task: 'multi-label' | 'multi-class'
  /** Report files that gave texts, relative to the source folder. */
  reportPaths: ReadonlySet<string>
  /** Null when the mapping asks for no de-identification: a cohort begun before there was any. */
  privacy: StudyPrivacy | null
  /** Null when the mapping reads no dates. */
  dates: StudyDates | null
}

export interface LoadRequest {
  source: ImportSource
  mapping: Mapping
  pseudonymKey: string
  /** The labels of the cohort that this is a further delivery of. */
  knownLabels?: KnownLabels | undefined
}

/** A preview shows fewer studies than this, and a PDF takes a while. */
export const maxPreviewReports = 200
/** A cohort has few places: four characters tell them apart and can be read aloud. */
const siteKeyLength = 4

/**
 * Reads the whole table (or its first `maxRows` rows) and groups it into studies; looks at no image.
 * @throws AppError for a table or mapping that cannot be used, see openTable and createRowGrouper; an AbortError when cancelled
 */
export async function loadCohort(request: LoadRequest, issues: IssueCollector, context: JobContext, maxRows = Infinity): Promise<LoadedCohort> {
  const { source, mapping, pseudonymKey } = request
  const stage = startStage(context, 'Reading the table', null)
  const tableBefore = await stampOf(source.tableFile)
  const table = await openJoinedTable(source, mapping.join ?? null, issues, context.signal)
  const privacy = createStudyPrivacy(mapping, table.columns, pseudonymKey)
  const dates = createStudyDates(mapping, table.columns, pseudonymKey, today())
  const prepare = (cells: readonly string[]): readonly string[] => {
    const plain = privacy?.prepare(cells) ?? cells
    return dates?.prepare(plain) ?? plain
  }
  const grouper = createRowGrouper(mapping, table.columns, issues, prepare)
  let rowCount = 0
  reading: for await (const rows of table.readRows()) {
    context.signal.throwIfAborted()
    for (const row of rows) {
      privacy?.notice(row)
      dates?.notice(row)
      grouper.add(row)
      if (++rowCount >= maxRows) break reading
    }
    stage.set(rowCount)
  }
  // Its hash was taken in a pass of its own: rows of another state would go under the hash of this one.
  if (await stampOf(source.tableFile) !== tableBefore) throw new AppError('IMPORT_SOURCE_CHANGED', 'The table was changed while it was read.')
  const grouped = grouper.finish()
  const { rowsIn } = grouped
  if (rowsIn === 0) throw new AppError('IMPORT_TABLE_EMPTY', 'The table has a header but no rows below it.')
  dates?.settle(issues)
  privacy?.gather(grouped.studies)
  const guard = privacy?.guardLabels(issues) ?? null
  const { kept: studies, refused } = guard?.studies(grouped.studies, maxRows !== Infinity) ?? { kept: grouped.studies, refused: [] }
  const rejected = [...grouped.rejected, ...refused].sort((a, b) => a.row - b.row)
  const own = buildVocabulary(guard?.columns(mapping.labels) ?? mapping.labels, (function* () { for (const study of studies) yield study.labels })(), issues)
  const derived = derivedNamesOf(mapping)
  const vocabulary = request.knownLabels === undefined ? own : fitVocabulary(own, { ...request.knownLabels, names: request.knownLabels.names.filter((name) => !derived.has(name)) }, issues)
  noteAges(studies, issues)
  const isPreview = maxRows !== Infinity
  const reports = await readReports(isPreview ? studies.slice(0, maxPreviewReports) : studies, mapping, source.sourceDir, issues, context.signal)
  const originals = maxRows === Infinity ? null : studies.map(({ values }) => [...values])
  if (privacy) await scrubAll(privacy, studies, vocabulary.names, issues, context)
  for (const [study, { names, ids }] of reports.identities) privacy?.applyKnown(study, names, ids)
  const patientKeys = assignKeys('P-', pseudonymKey, studies.map(({ patientId }) => patientId))
  const siteKeys = assignKeys('Site ', pseudonymKey, studies.flatMap(({ site }) => (site === null ? [] : [site.toLowerCase()])), siteKeyLength)
  const studyKeyOf = createStudyKeys(studies, pseudonymKey)
  const planned = studies.map((study, ordinal) => ({
    ...study, ordinal, patientKey: patientKeys.get(study.patientId)!, studyKey: studyKeyOf(study, patientKeys.get(study.patientId)!), labelValues: vocabulary.toValues(study.labels),
    siteKey: study.site === null ? null : siteKeys.get(study.site.toLowerCase())!,
    originals: originals?.[ordinal] ?? null, textFaults: reports.faults.get(study) ?? null,
  }))
  return {
    // A report that was changed is a changed source, as a changed cell is.
    tableSha256: reports.sha256 === null ? table.sha256 : hash('sha256', `${table.sha256} ${reports.sha256}`), reportPaths: reports.paths, columns: table.columns, rowsIn, rejected, studies: planned,
    slots: mapping.slots.map(({ slot }) => slot), labelNames: vocabulary.names, task: vocabulary.task, privacy, dates,
  }
}

/** Studies that are scrubbed before everything else gets its turn: a tenth of a second. */
const studiesBetweenBreaths = 100

/** Scrubs every text. In slices, because 100,000 notes take a minute, and neither a cancel nor the sign of life would be heard meanwhile. */
async function scrubAll(privacy: StudyPrivacy, studies: readonly GroupedStudy[], labelNames: readonly string[], issues: IssueCollector, context: JobContext): Promise<void> {
  const stage = startStage(context, 'Removing names and dates from texts', studies.length)
  for (let start = 0; start < studies.length; start += studiesBetweenBreaths) {
    await setImmediate()
    context.signal.throwIfAborted()
    privacy.apply(studies.slice(start, start + studiesBetweenBreaths), labelNames, issues)
    stage.set(Math.min(studies.length, start + studiesBetweenBreaths))
  }
}

/** The day on the calendar of this machine, as days since 1970. */
function today(): number {
  const now = new Date()
  return Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) / dayMs
}

/** Size and time of a table file; empty for a folder, whose files are compared one by one. */
async function stampOf(path: string): Promise<string> {
  return stat(path).then((info) => (info.isFile() ? `${info.size} ${info.mtimeMs}` : ''), () => '')
}

function noteAges(studies: readonly GroupedStudy[], issues: IssueCollector): void {
  const ageOfPatient = new Map<string, { ageYears: number; row: number }>()
  for (const { patientId, ageYears, rows } of studies) {
    if (ageYears !== null && !ageOfPatient.has(patientId)) ageOfPatient.set(patientId, { ageYears, row: rows[0]! })
  }
  notePlaceholderAges([...ageOfPatient.values()], issues)
}

/** Study keys: the study column's content as a keyed hash, since accession numbers identify; else the study's number within its patient. */
function createStudyKeys(studies: readonly GroupedStudy[], pseudonymKey: string): (study: GroupedStudy, patientKey: string) => string {
  const idOf = (study: GroupedStudy): string => `${study.patientId}\u001f${study.studyId}`
  const keys = assignKeys('S-', pseudonymKey, studies.filter(({ studyId }) => studyId !== null).map(idOf))
  const counts = new Map<string, number>()
  return (study, patientKey) => {
    if (study.studyId !== null) return keys.get(idOf(study))!
    const number = (counts.get(patientKey) ?? 0) + 1
    counts.set(patientKey, number)
    return `${patientKey}-${number}`
  }
}

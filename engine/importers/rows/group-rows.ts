import { hash } from 'node:crypto'
import type { RejectedRow } from '../../domain/import.ts'
import type { Mapping, ReportFilesSource } from '../../domain/mapping.ts'
import { isBlankCell, normaliseId } from '../ids.ts'
import type { IssueCollector } from '../issues.ts'
import type { TableRow } from '../table/open-table.ts'
import { parseAge, parseSex, type Sex } from './demographics.ts'
import { createLabelReader, mergeLabels, type RowLabels } from './labels.ts'
import { assertMapping, createColumnLookup, type ColumnLookup } from './mapped-columns.ts'
import { createTabularReader, mergeTabular } from './tabular-values.ts'
import { compileTemplate } from './text-template.ts'

/** A study as the table describes it, before any file is looked at. `patientId` is the real one and stays in memory. */
export interface GroupedStudy {
  patientId: string
  /** Content of the study column, or null when the table has none. */
  studyId: string | null
  rows: number[]
  /** One entry for each mapped slot: the file name written in the table, or the text; null when blank. */
  values: (string | null)[]
  labels: RowLabels
  ageYears: number | null
  sex: Sex | null
  /** Place of examination as the table has it; never stored. */
  site: string | null
}

interface Draft extends GroupedStudy {
  hasSexConflict: boolean
  /** Why these rows cannot be one study, naming two of them. */
  conflict: string | null
}

/** Takes rows one by one and joins those of one study. */
export interface RowGrouper {
  add: (row: TableRow) => void
  /** Studies in the order of their first rows, and every row that is in none of them: rowsIn = rows of studies + rejected. */
  finish: () => { rowsIn: number; studies: GroupedStudy[]; rejected: RejectedRow[] }
}

/**
 * A grouper for a mapped table. Rows of one study are merged when they agree or complete each other; rows that repeat an earlier
 * one exactly, that contradict each other or that lack an ID are rejected with a reason, never dropped.
 * @throws AppError IMPORT_MAPPING_INVALID or IMPORT_COLUMN_MISSING
 */
export function createRowGrouper(mapping: Mapping, columns: readonly string[], issues: IssueCollector, prepare?: (cells: readonly string[]) => readonly string[]): RowGrouper {
  assertMapping(mapping)
  const lookup = createColumnLookup(columns)
  const idPosition = lookup(mapping.patientIdColumn)
  const studyPosition = mapping.rowUnit.kind === 'study' ? lookup(mapping.rowUnit.column) : -1
  const agePosition = mapping.attributes.age === null ? -1 : lookup(mapping.attributes.age)
  const sexPosition = mapping.attributes.sex === null ? -1 : lookup(mapping.attributes.sex)
  const sitePosition = mapping.attributes.site == null ? -1 : lookup(mapping.attributes.site)
  const readLabels = createLabelReader(mapping.labels, lookup)
  const readValues = createValueReader(mapping, lookup, issues)
  const drafts: Draft[] = []
  const draftOfGroup = new Map<string, Draft>()
  const firstRowOfContent = new Map<string, number>()
  const rejected: RejectedRow[] = []
  let rowsIn = 0

  const reject = (row: number, code: RejectedRow['code'], detail: string): void => {
    rejected.push({ row, code, detail })
  }

  const add = ({ row, cells: written, problem }: TableRow): void => {
    rowsIn++
    if (problem !== null) return reject(row, 'IMPORT_ROW_CELLS', `Row ${row}: ${problem}.`)
    const patientId = normaliseId(written[idPosition] ?? '')
    if (patientId === '') return reject(row, 'IMPORT_ID_BLANK', `Row ${row}: column "${columns[idPosition]}" holds no patient ID.`)
    const studyId = studyPosition < 0 ? null : normaliseId(written[studyPosition] ?? '')
    if (studyId === '') return reject(row, 'IMPORT_ID_BLANK', `Row ${row}: column "${columns[studyPosition]}" holds no study ID.`)
    const content = hash('sha1', written.join('\u001f'), 'base64')
    const firstRow = firstRowOfContent.get(content)
    if (firstRow !== undefined) return reject(row, 'IMPORT_DUPLICATE_ROW', `Row ${row} repeats row ${firstRow}.`)
    // Repeats are told by what is written; what follows sees ages over 89 as 90 only.
    const cells = prepare?.(written) ?? written
    const reading = readLabels(cells)
    if ('problem' in reading) return reject(row, 'IMPORT_LABEL_INVALID', `Row ${row}: ${reading.problem}.`)
    // Only accepted content counts as seen, so that a repeat of a refused row is refused for the same reason.
    firstRowOfContent.set(content, row)
    const age = parseAge(agePosition < 0 ? '' : cells[agePosition] ?? '')
    if (age.isImplausible) issues.add('IMPORT_AGE_IMPLAUSIBLE', 'note', row, `Row ${row}: the age cannot be true.`)
    const next: Draft = {
      patientId, studyId, rows: [row], values: readValues(cells, row), labels: reading.labels,
      ageYears: age.ageYears, sex: parseSex(sexPosition < 0 ? '' : cells[sexPosition] ?? ''), site: sitePosition < 0 ? null : normaliseId(cells[sitePosition] ?? '') || null, hasSexConflict: false, conflict: null,
    }
    const group = mapping.rowUnit.kind === 'row' ? null : `${patientId}\u001f${studyId ?? ''}`
    const known = group === null ? undefined : draftOfGroup.get(group)
    if (known) return mergeInto(known, next, mapping, issues)
    drafts.push(next)
    if (group !== null) draftOfGroup.set(group, next)
  }

  const finish = (): ReturnType<RowGrouper['finish']> => {
    const studies: GroupedStudy[] = []
    for (const draft of drafts) {
      if (draft.conflict === null) studies.push(draft)
      else for (const row of draft.rows) reject(row, 'IMPORT_CONFLICTING_ROWS', draft.conflict)
    }
    rejected.sort((a, b) => a.row - b.row)
    return { rowsIn, studies, rejected }
  }
  return { add, finish }
}

/** Adds a row to the study it belongs to, or marks the study as contradictory. */
function mergeInto(study: Draft, next: Draft, mapping: Mapping, issues: IssueCollector): void {
  const [row] = next.rows as [number]
  const pair = `Rows ${study.rows[0]} and ${row} belong to one ${mapping.rowUnit.kind === 'study' ? 'study' : 'patient'}`
  for (const [index, value] of next.values.entries()) {
    const held = study.values[index] ?? null
    if (value === null || value === held) continue
    const { slot } = mapping.slots[index]!
    if (held === null) study.values[index] = value
    else if (slot.modality === 'text') study.values[index] = joinTexts(held, value)
    else if (slot.modality === 'tabular') {
      const merged = mergeTabular(held, value)
      if (merged === null) study.conflict ??= `${pair} but have different values in "${slot.title}".`
      else study.values[index] = merged
    }
    else if (held.toLowerCase() !== value.toLowerCase()) study.conflict ??= `${pair} but name different files for "${slot.title}".`
  }
  const labels = mergeLabels(study.labels, next.labels)
  if (labels) study.labels = labels
  else study.conflict ??= `${pair} but have different labels.`
  if (study.sex !== null && next.sex !== null && study.sex !== next.sex) {
    study.hasSexConflict = true
    study.sex = null
    issues.add('IMPORT_ATTRIBUTES_DIFFER', 'note', row, `${pair} but differ in sex.`)
  } else if (!study.hasSexConflict) study.sex ??= next.sex
  if (study.ageYears !== null && next.ageYears !== null && study.ageYears !== next.ageYears) issues.add('IMPORT_ATTRIBUTES_DIFFER', 'note', row, `${pair} but differ in age.`)
  study.ageYears ??= next.ageYears
  if (study.site !== null && next.site !== null && study.site !== next.site) issues.add('IMPORT_ATTRIBUTES_DIFFER', 'note', row, `${pair} but differ in place; the first counts.`)
  study.site ??= next.site
  study.rows.push(row)
}

/** Texts of several rows under each other, each once. */
function joinTexts(held: string, value: string): string {
  return held.split('\n').includes(value) ? held : `${held}\n${value}`
}

/** The cells by which a report file is looked for, as one line of JSON; the file itself is read once all rows are known. */
function createReportKeyReader({ columns }: ReportFilesSource, lookup: ColumnLookup): (cells: readonly string[]) => string | null {
  const positions = columns.map(lookup)
  return (cells) => {
    const keys = positions.map((position) => (isBlankCell(cells[position] ?? '') ? '' : cells[position]!))
    return keys.every((key) => key === '') ? null : JSON.stringify(keys)
  }
}

/** Reads what the row says for each slot: file name or text, null when blank or when the row shows another view. */
function createValueReader(mapping: Mapping, lookup: ColumnLookup, issues: IssueCollector): (cells: readonly string[], row: number) => (string | null)[] {
  let viewSlotCount = 0
  let imageSlotCount = 0
  const readers = mapping.slots.map(({ source }): { isView: boolean; read: (cells: readonly string[], row: number) => string | null } => {
    if (source.kind === 'template') {
      const render = compileTemplate(source.template, lookup, mapping.attributes)
      return { isView: false, read: render }
    }
    if (source.kind === 'report-files') return { isView: false, read: createReportKeyReader(source, lookup) }
    if (source.kind === 'columns') return { isView: false, read: createTabularReader(source, lookup, mapping.attributes, issues) }
    imageSlotCount++
    if (source.kind === 'pattern') return { isView: false, read: () => null }
    const position = lookup(source.column)
    const readFile = (cells: readonly string[]): string | null => (isBlankCell(cells[position] ?? '') ? null : cells[position]!)
    if (!source.view) return { isView: false, read: readFile }
    viewSlotCount++
    const viewPosition = lookup(source.view.column)
    const values = new Set(source.view.values.map((value) => value.trim().toLowerCase()))
    return { isView: true, read: (cells: readonly string[]) => (values.has((cells[viewPosition] ?? '').toLowerCase()) ? readFile(cells) : null) }
  })
  const canMiss = viewSlotCount > 0 && viewSlotCount === imageSlotCount
  return (cells, row) => {
    const values = readers.map(({ read }) => read(cells, row))
    if (canMiss && !readers.some(({ isView }, index) => isView && values[index] !== null)) {
      issues.add('IMPORT_VIEW_UNMATCHED', 'note', row, `Row ${row}: its view belongs to no image slot, or it names no file.`)
    }
    return values
  }
}

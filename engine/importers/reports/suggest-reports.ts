/** Report files that lie beside the images, offered as a text item of the suggested mapping. */
import type { Mapping, MappedSlot } from '../../domain/mapping.ts'
import { maxSlots } from '../../domain/slots.ts'
import { foldName } from '../images/file-index.ts'
import type { ColumnFacts, Suggestion } from '../profiles/profile.ts'
import { indexReports, type ReportIndex } from './report-index.ts'

const namesReport = /\.(?:txt|text|pdf)$/i
const maxGuessedFiles = 500
/** Columns that tell a report better than the patient does come first. */
const dicomColumns = ['StudyUID', 'AccessionNumber', 'File', 'PatientID']

/**
 * The suggestion with a report item where the folder holds report files that a column names; as it is otherwise.
 * @throws AppError IMPORT_FOLDER_*; an AbortError when cancelled
 */
export async function withReportFiles(suggestion: Suggestion | null, columns: readonly ColumnFacts[], sourceDir: string, isDicom: boolean, signal: AbortSignal): Promise<Suggestion | null> {
  if (suggestion === null) return null
  const mapping = withNamedFiles(suggestion.mapping, columns)
  if (mapping !== null) return { ...suggestion, mapping, explanation: `${suggestion.explanation} The text is read from the files that the table names.` }
  if (suggestion.mapping.slots.some(({ slot }) => slot.modality === 'text') || suggestion.mapping.slots.length >= maxSlots) return suggestion
  const index = await indexReports(sourceDir, isDicom, signal)
  if (index.kinds.size === 0) return suggestion
  const named = namingColumns(suggestion.mapping, columns, isDicom)
  const found = findNaming(named, index)
  if (found === null) return suggestion
  const slot: MappedSlot = { slot: freeSlot(suggestion.mapping), source: { kind: 'report-files', ...found } }
  return {
    ...suggestion, mapping: { ...suggestion.mapping, slots: [...suggestion.mapping.slots, slot] },
    explanation: `${suggestion.explanation} ${index.kinds.size === 1 ? 'A report file lies' : `${index.kinds.size} report files lie`} in the folder; they are read as the text of each study.`,
  }
}

/** A text column that holds nothing but names of text files means the files. */
function withNamedFiles(mapping: Mapping, columns: readonly ColumnFacts[]): Mapping | null {
  let isChanged = false
  const slots = mapping.slots.map((mapped): MappedSlot => {
    const only = mapped.source.kind === 'template' ? /^\{([^{}]+)\}$/.exec(mapped.source.template)?.[1] : undefined
    const samples = columns.find(({ name }) => name === only)?.samples ?? []
    if (mapped.slot.modality !== 'text' || only === undefined || samples.length === 0 || !samples.every((cell) => namesReport.test(cell))) return mapped
    isChanged = true
    return { slot: { ...mapped.slot, modality: 'text' }, source: { kind: 'report-files', columns: [only], pattern: '{id}' } }
  })
  return isChanged ? { ...mapping, slots } : null
}

function namingColumns(mapping: Mapping, columns: readonly ColumnFacts[], isDicom: boolean): ColumnFacts[] {
  const images = mapping.slots.flatMap(({ source }) => (source.kind === 'column' ? [source.column] : []))
  const study = mapping.rowUnit.kind === 'study' ? [mapping.rowUnit.column] : []
  const names = isDicom ? dicomColumns : [...study, ...images, mapping.patientIdColumn]
  return [...new Set(names)].flatMap((name) => columns.find((column) => column.name === name) ?? [])
}

/** The columns that name files as they are; else the one pattern by which a column names most. */
function findNaming(columns: readonly ColumnFacts[], index: ReportIndex): { columns: string[]; pattern: string } | null {
  const plain = columns.filter(({ samples }) => samples.some((cell) => index.find(cell, '{id}').length > 0))
  if (plain.length > 0) return { columns: plain.map(({ name }) => name), pattern: '{id}' }
  const counts = new Map<string, { column: string; pattern: string; count: number }>()
  const stems = [...index.kinds.keys()].slice(0, maxGuessedFiles).map((path) => path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, ''))
  for (const { name, samples } of columns) {
    for (const stem of stems) {
      const held = samples.map((cell) => cell.slice(cell.search(/[^\\/]*$/)).replace(/\.[a-z]{3,5}$/i, '')).find((cell) => cell.length > 1 && partsAround(stem, cell) !== null)
      if (held === undefined) continue
      const pattern = partsAround(stem, held)!
      const key = `${name} ${pattern}`
      counts.set(key, { column: name, pattern, count: (counts.get(key)?.count ?? 0) + 1 })
    }
  }
  const [best] = [...counts.values()].sort((a, b) => b.count - a.count)
  return best === undefined || best.count < 2 ? null : { columns: [best.column], pattern: best.pattern }
}

/** "7_report" for the cell "7" is "{id}_report"; null when the cell is not a part of the name between signs. */
function partsAround(stem: string, cell: string): string | null {
  const at = foldName(stem).indexOf(foldName(cell))
  if (at < 0 || /[\p{L}\p{N}]$/u.test(stem.slice(0, at)) || /^[\p{L}\p{N}]/u.test(stem.slice(at + cell.length))) return null
  return `${stem.slice(0, at)}{id}${stem.slice(at + cell.length)}`
}

function freeSlot({ slots }: Mapping): { slotId: string; modality: 'text'; title: string; letter: string } {
  const ids = new Set(slots.map(({ slot }) => slot.slotId))
  const letters = new Set(slots.map(({ slot }) => slot.letter))
  const titles = new Set(slots.map(({ slot }) => slot.title))
  return { slotId: ids.has('report') ? 'report-text' : 'report', modality: 'text', title: titles.has('Report') ? 'Report text' : 'Report', letter: [...'RTNX'].find((letter) => !letters.has(letter)) ?? 'Z' }
}

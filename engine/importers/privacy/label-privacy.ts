/**
 * Identifiers in labels: a name typed into a cell of the label column, a number in the title of a label. A cell that only few patients have is taken for a
 * slip of the pen and its rows are refused: to clean it would make a class of its own out of it and call the patient free of the class that was meant.
 * What many patients have is a class; it is kept under a name without the identifier, so that no count changes. Neither is stored or shown as written.
 */
import { AppError } from '../../domain/errors.ts'
import type { RejectedRow } from '../../domain/import.ts'
import type { Mapping } from '../../domain/mapping.ts'
import type { IssueCollector } from '../issues.ts'
import type { GroupedStudy } from '../rows/group-rows.ts'
import { isNameAlone } from './names.ts'
import type { Scrubbed } from './scrub.ts'

/** As many different patients make a value a class of the study rather than the slip of one row. */
const leastPatients = 5
/** The edition of the rules since which labels are looked at: a paused import of before keeps its rows. */
const firstEdition = 3

export interface LabelGuard {
  /** Takes out the studies whose labels identify, and renames the labels of the others. */
  studies: (studies: readonly GroupedStudy[], isPreview: boolean) => { kept: GroupedStudy[]; refused: RejectedRow[] }
  /** The names of label columns, cleaned. @throws AppError IMPORT_LABEL_IDENTIFIER when two become one */
  columns: (labels: Mapping['labels']) => Mapping['labels']
}

interface Reading {
  scrub: (text: string) => Scrubbed
  /** True when a name or number of the patient itself stands in the text. */
  isKnown: (study: GroupedStudy, text: string) => boolean
  isNameRuleOn: boolean
}

/** Null for imports that began before labels were looked at. */
export function createLabelGuard({ privacy }: Mapping, { scrub, isKnown, isNameRuleOn }: Reading, issues: IssueCollector): LabelGuard | null {
  if (!privacy || privacy.profileVersion < firstEdition) return null
  const cleaned = new Map<string, string>()
  /** The label without what identifies; itself when nothing does. */
  const clean = (name: string): string => {
    let result = cleaned.get(name)
    if (result === undefined) {
      const { text, findings } = scrub(name)
      // "> 90 years" is a group, as HIPAA asks for.
      const telling = findings.filter(({ rule, original }) => rule !== 'ages' || original !== '90')
      result = telling.length > 0 ? text : isNameRuleOn && isNameAlone(name) ? '[NAME]' : name
      cleaned.set(name, result)
    }
    return result
  }
  return {
    columns(labels) {
      if (labels.kind !== 'one-hot') return labels
      const columns = labels.columns.map((column) => ({ ...column, name: clean(column.name) }))
      const changed = columns.filter(({ name }, index) => name !== labels.columns[index]!.name)
      if (changed.some(({ name }) => columns.filter((other) => other.name.toLowerCase() === name.toLowerCase()).length > 1)) {
        throw new AppError('IMPORT_LABEL_IDENTIFIER', 'The titles of two label columns hold what may identify a person, and without it they are the same.')
      }
      if (changed.length > 0) issues.add('IMPORT_LABEL_IDENTIFIER', 'note', null, `The titles of ${changed.length} label columns hold what may identify a person; they are kept as ${changed.slice(0, 5).map(({ name }) => `"${name}"`).join(', ')}.`, changed.length)
      return { ...labels, columns }
    },
    studies(studies, isPreview) {
      const values = collect(studies)
      const renamed = new Map<string, string>()
      const refusedKeys = new Set<string>()
      for (const [key, { spellings, patients }] of values) {
        const spelling = spellings.find((entry) => clean(entry) !== entry)
        if (spelling === undefined) continue
        if (patients.size < leastPatients && !isPreview) refusedKeys.add(key)
        else renamed.set(key, clean(spelling))
      }
      // Two classes that became one, or one that became another that exists, cannot be told apart any more.
      const finals = [...values.keys()].map((key) => (renamed.get(key) ?? key).toLowerCase())
      for (const [key, name] of renamed) if (!isPreview && finals.filter((final) => final === name.toLowerCase()).length > 1) refusedKeys.add(key)
      const kept: GroupedStudy[] = []
      const refused: RejectedRow[] = []
      const rowsOfRenamed = new Map<string, number>()
      for (const study of studies) {
        const names = study.labels.kind === 'names' ? study.labels.names : null
        const held = [...names ?? []]
        const known = new Set(held.flatMap(([key, spelling]) => (isKnown(study, spelling) ? [key] : [])))
        if (!isPreview && held.some(([key]) => refusedKeys.has(key) || known.has(key))) {
          for (const row of study.rows) refused.push({ row, code: 'IMPORT_LABEL_IDENTIFIER', detail: `Row ${row}: the label cell holds what may identify a person.` })
          continue
        }
        for (const [key] of held) if (renamed.has(key)) rowsOfRenamed.set(key, (rowsOfRenamed.get(key) ?? 0) + study.rows.length)
        kept.push(held.some(([key]) => renamed.has(key) || known.has(key)) ? { ...study, labels: { kind: 'names', names: new Map(held.map(([key, spelling]) => named(known.has(key) ? '[NAME]' : renamed.get(key) ?? spelling))) } } : study)
      }
      for (const [key, rows] of isPreview ? [] : rowsOfRenamed) issues.add('IMPORT_LABEL_IDENTIFIER', 'note', values.get(key)!.row, `A label of ${rows} rows holds what may identify a person; it is kept as "${renamed.get(key)}".`)
      return { kept, refused }
    },
  }
}

const named = (name: string): [string, string] => [name.toLowerCase(), name]

/** Every value of the label column, with its spellings, the patients that have it and the first row it stands in. */
function collect(studies: readonly GroupedStudy[]): Map<string, { spellings: string[]; patients: Set<string>; row: number }> {
  const values = new Map<string, { spellings: string[]; patients: Set<string>; row: number }>()
  for (const { labels, patientId, rows } of studies) {
    for (const [key, spelling] of labels.kind === 'names' ? labels.names ?? [] : []) {
      const entry = values.get(key) ?? { spellings: [], patients: new Set<string>(), row: rows[0]! }
      values.set(key, entry)
      if (!entry.spellings.includes(spelling)) entry.spellings.push(spelling)
      entry.patients.add(patientId)
    }
  }
  return values
}

import { AppError } from '../../domain/errors.ts'
import type { LabelMapping } from '../../domain/mapping.ts'
import type { IssueCollector } from '../issues.ts'
import type { ColumnLookup } from './mapped-columns.ts'

export type LabelValue = 0 | 1 | null

/** Labels of one row: values in column order (one-hot), or the set of names in lower case (list, single); null = unknown. */
export type RowLabels = { kind: 'values'; values: LabelValue[] } | { kind: 'names'; names: ReadonlyMap<string, string> | null }

export type LabelReading = { labels: RowLabels } | { problem: string }

const present = new Set(['1', '1.0', 'yes', 'y', 'true', 't', 'x', 'pos', 'positive', 'present', '+', '✓', 'ja', 'oui', 'si', 'sí', '是'])
const absent = new Set(['0', '0.0', 'no', 'n', 'false', 'f', 'neg', 'negative', 'absent', 'nein', 'non', '否'])
/** "-", "none" and "-1" are left out on purpose: they mean "absent" in one table and "unknown" in the next. */
const unknown = new Set(['', 'nan', 'na', 'n/a', '#n/a', '<na>', 'null', 'unknown', 'unk', '?', 'not known', 'missing'])

const maxNameLength = 80
const maxLabels = 200
const fullWidth: Record<string, string> = { ',': '\uFF0C\u3001', ';': '\uFF1B', '|': '\uFF5C' }

/** 1, 0 or null (unknown) for a yes/no cell; undefined when it is none of the known values. */
export function parseLabelValue(cell: string): LabelValue | undefined {
  const text = cell.toLowerCase()
  if (present.has(text)) return 1
  if (absent.has(text)) return 0
  return unknown.has(text) ? null : undefined
}

/**
 * The names in a list cell: Python and JSON literals (`['N', 'D']`) or text split at `separators` and their full-width forms.
 * Null (unknown) when blank; an empty literal `[]` is a list without names.
 */
export function parseLabelList(cell: string, separators: string): string[] | null {
  if (unknown.has(cell.toLowerCase())) return null
  const literal = /^[[({](.*)[\])}]$/s.exec(cell)
  const names = literal ? splitLiteral(literal[1]!) : splitPlain(cell, separators)
  const kept = names.map((name) => name.replace(/\s+/gu, ' ').trim()).filter((name) => name !== '' && !unknown.has(name.toLowerCase()))
  if (kept.length === 0) return literal && literal[1]!.trim() === '' ? [] : null
  return kept
}

function splitPlain(cell: string, separators: string): string[] {
  const set = new Set([...separators].flatMap((char) => [char, ...(fullWidth[char] ?? '')]))
  const names: string[] = []
  let name = ''
  for (const char of cell) {
    if (set.has(char) || char === '\n') {
      names.push(name)
      name = ''
    } else name += char
  }
  names.push(name)
  return names
}

/** Items of a list literal; commas inside quotes belong to the item. */
function splitLiteral(inside: string): string[] {
  const names: string[] = []
  for (const match of inside.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,'"]+)/g)) {
    names.push((match[1] ?? match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1'))
  }
  return names
}

/**
 * A reader of the labels of one row. It answers a problem (column named, cell content not repeated, since it may identify) for
 * a cell that is no label.
 * @throws AppError IMPORT_COLUMN_MISSING
 */
export function createLabelReader(mapping: LabelMapping, lookup: ColumnLookup): (cells: readonly string[]) => LabelReading {
  if (mapping.kind === 'none') return () => ({ labels: { kind: 'values', values: [] } })
  if (mapping.kind === 'one-hot') {
    const columns = mapping.columns.map(({ column }) => ({ column, position: lookup(column) }))
    return (cells) => {
      const values: LabelValue[] = []
      for (const { column, position } of columns) {
        const value = parseLabelValue(cells[position] ?? '')
        if (value === undefined) return { problem: `column "${column}" holds neither yes, no nor blank` }
        values.push(value)
      }
      return { labels: { kind: 'values', values } }
    }
  }
  const position = lookup(mapping.column)
  return (cells) => {
    const cell = cells[position] ?? ''
    const names = mapping.kind === 'list' ? parseLabelList(cell, mapping.separators) : unknown.has(cell.toLowerCase()) ? null : [cell.replace(/\s+/gu, ' ')]
    if (names === null) return { labels: { kind: 'names', names: null } }
    if (names.some((name) => name.length > maxNameLength)) return { problem: `column "${mapping.column}" holds a text of over ${maxNameLength} letters instead of a label` }
    return { labels: { kind: 'names', names: new Map(names.map((name) => [name.toLowerCase(), name])) } }
  }
}

/** Label names of a cohort in their fixed order, and the conversion of a study's labels to that order. */
export interface LabelVocabulary {
  names: string[]
  task: 'multi-label' | 'multi-class'
  toValues: (labels: RowLabels) => LabelValue[]
}

/**
 * The label names of a cohort: the mapped columns in order, or every name that occurs, sorted. Spellings that differ only in
 * case are one label, called by its most frequent spelling; that is noted in `issues`.
 * @throws AppError IMPORT_LABELS_TOO_MANY
 */
export function buildVocabulary(mapping: LabelMapping, studies: Iterable<RowLabels>, issues: IssueCollector): LabelVocabulary {
  const task = mapping.kind === 'single' ? 'multi-class' : 'multi-label'
  const asValues = (labels: RowLabels): LabelValue[] => (labels.kind === 'values' ? labels.values : [])
  if (mapping.kind === 'none') return { names: [], task, toValues: asValues }
  if (mapping.kind === 'one-hot') return { names: mapping.columns.map(({ name }) => name), task, toValues: asValues }
  const spellings = new Map<string, Map<string, number>>()
  for (const labels of studies) {
    if (labels.kind !== 'names' || !labels.names) continue
    for (const [key, spelling] of labels.names) {
      const counts = spellings.get(key) ?? new Map<string, number>()
      spellings.set(key, counts.set(spelling, (counts.get(spelling) ?? 0) + 1))
      if (spellings.size > maxLabels) throw new AppError('IMPORT_LABELS_TOO_MANY', `Column "${mapping.column}" holds more than ${maxLabels} different labels.`)
    }
  }
  const keys = [...spellings.keys()].sort()
  const names = keys.map((key) => [...spellings.get(key)!].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]![0])
  for (const [index, key] of keys.entries()) {
    const count = spellings.get(key)!.size
    if (count > 1) issues.add('IMPORT_LABEL_SPELLINGS', 'note', null, `"${names[index]}" is written in ${count} ways that differ in capitals.`)
  }
  const toValues = (labels: RowLabels): LabelValue[] => {
    if (labels.kind !== 'names') return []
    const held = labels.names
    return keys.map((key) => (held === null ? null : held.has(key) ? 1 : 0))
  }
  return { names, task, toValues }
}

/** The labels that a cohort has, for its next delivery; `leaveOutNew`: labels that it does not have are passed over. */
export interface KnownLabels {
  names: readonly string[]
  leaveOutNew: boolean
}

/**
 * A vocabulary in the order of a cohort that has its labels already. A label that this table does not name is absent from its studies where
 * the table lists labels, and unknown where it had a column of its own. New ones are noted, and block unless they are to be left out;
 * the only class of a study may be among them, which then is unknown.
 */
export function fitVocabulary(vocabulary: LabelVocabulary, known: KnownLabels, issues: IssueCollector): LabelVocabulary {
  const fold = (name: string): string => name.toLowerCase()
  const positions = known.names.map((name) => vocabulary.names.findIndex((own) => fold(own) === fold(name)))
  const added = vocabulary.names.filter((own) => !known.names.some((name) => fold(name) === fold(own)))
  if (added.length > 0) {
    const shown = added.slice(0, 10).map((name) => `"${name}"`).join(', ')
    issues.add('IMPORT_DELIVERY_LABELS', known.leaveOutNew ? 'note' : 'blocks', null, `${shown}${added.length > 10 ? ' and others' : ''}`, added.length)
  }
  const isNamed = vocabulary.task === 'multi-class'
  const toValues = (labels: RowLabels): LabelValue[] => {
    const values = vocabulary.toValues(labels)
    const hasNewClass = isNamed && added.some((name) => values[vocabulary.names.indexOf(name)] === 1)
    const unnamed = labels.kind === 'names' && labels.names !== null ? 0 : null
    return positions.map((position) => (hasNewClass ? null : position === -1 ? unnamed : (values[position] ?? null)))
  }
  return { names: [...known.names], task: vocabulary.task, toValues }
}

/** Joins the labels of two rows of one study; null when they contradict each other. An unknown value yields to a known one. */
export function mergeLabels(a: RowLabels, b: RowLabels): RowLabels | null {
  if (a.kind === 'names' && b.kind === 'names') {
    if (a.names === null) return b
    if (b.names === null) return a
    const second = b.names
    return a.names.size === second.size && [...a.names.keys()].every((key) => second.has(key)) ? a : null
  }
  if (a.kind === 'names' || b.kind === 'names') return null
  const values: LabelValue[] = []
  for (const [index, value] of a.values.entries()) {
    const other = b.values[index] ?? null
    if (value !== null && other !== null && value !== other) return null
    values.push(value ?? other)
  }
  return { kind: 'values', values }
}

import type { LabelMapping, MappedSlot, Mapping } from '../../domain/mapping.ts'
import { foldName } from '../images/file-index.ts'
import { parseLabelValue } from '../rows/labels.ts'
import { createTitleFinder, foldTitle, type ColumnFacts, type Suggestion, type TableFacts } from './profile.ts'

const idTitles = ['patientid', 'patid', 'patient', 'patientnumber', 'patientkey', 'pid', 'subjectid', 'subject', 'mrn', 'caseid', 'case', 'recordid', 'id', 'uid', 'studyid']
const studyTitles = ['studyid', 'studyuid', 'accession', 'accessionnumber', 'visit', 'visitid', 'encounterid', 'examid']
const viewTitles = ['view', 'viewposition', 'projection', 'laterality', 'eye', 'side']
const textTitles = ['note', 'notes', 'report', 'findings', 'impression', 'indication', 'text', 'comment', 'comments', 'history', 'description', 'keywords', 'clinicalnotes', 'anamnesis']
const labelTitles = ['label', 'labels', 'diagnosis', 'finding', 'class', 'target', 'category', 'grade', 'disease', 'outcome', 'problems']
const imageName = /\.(jpe?g|jpe|jfif|png|tiff?|webp|gif|bmp)$/i
const maxImageSlots = 4
const maxTextSlots = 3
const maxClasses = 30

/** A first mapping for a table of no known layout, from titles and sample cells; null when no patient ID or no image or text is found. */
export function guessMapping(facts: TableFacts): Suggestion | null {
  const find = createTitleFinder(facts)
  const factsOf = new Map(facts.columns.map((column) => [column.name, column]))
  const idName = find(...idTitles) ?? facts.columns.find(({ name }) => /(^|[^a-z])id$/i.test(name))?.name
  const id = idName === undefined || idName === null ? null : factsOf.get(idName)!
  if (!id) return null
  const names = createSlotNames()
  const imageColumns = facts.columns.filter(({ samples }) => samples.length > 0 && samples.filter((cell) => imageName.test(cell)).length * 2 > samples.length)
  const viewName = find(...viewTitles)
  const view = viewName === null ? null : factsOf.get(viewName)!
  const { slots: imageSlots, usesView } = guessImageSlots(facts, id, imageColumns, view, names)
  const { labels, textSlots } = guessTextsAndLabels(facts, [id, ...imageColumns], names)
  const slots = [...imageSlots, ...textSlots]
  if (slots.length === 0) return null
  const study = find(...studyTitles)
  const isRepeated = id.distinctCount < facts.rowCount - id.blankCount
  const rowUnit: Mapping['rowUnit'] = !isRepeated || usesView ? { kind: 'patient' } : study !== null && study !== id.name ? { kind: 'study', column: study } : { kind: 'row' }
  const mapping: Mapping = {
    profile: 'manual', patientIdColumn: id.name, rowUnit, slots, labels,
    attributes: { age: find('age', 'patientage', 'ageyears'), sex: find('sex', 'gender', 'patientsex'), site: find('site', 'siteid', 'centre', 'center', 'hospital', 'institution', 'institutionname', 'clinic', 'department', 'seenat') },
  }
  return { mapping, isRecognised: false, explanation: explain(mapping, isRepeated) }
}

/** Labels and texts among the columns that are not `taken`. */
export function guessTextsAndLabels(facts: TableFacts, taken: readonly ColumnFacts[], names: SlotNames = createSlotNames()): { labels: LabelMapping; textSlots: MappedSlot[] } {
  const free = { ...facts, columns: facts.columns.filter((column) => !taken.includes(column)) }
  const labels = guessLabels(free)
  const labelColumns = new Set(labels.kind === 'one-hot' ? labels.columns.map(({ column }) => column) : labels.kind === 'none' ? [] : [labels.column])
  const texts = free.columns.filter((column) => !labelColumns.has(column.name) && isText(column)).sort((a, b) => Number(hasTextTitle(b)) - Number(hasTextTitle(a))).slice(0, maxTextSlots)
  return { labels, textSlots: texts.map(({ name }): MappedSlot => ({ slot: { ...names(name), modality: 'text' }, source: { kind: 'template', template: `{${name}}` } })) }
}

function guessImageSlots(facts: TableFacts, id: ColumnFacts, imageColumns: readonly ColumnFacts[], view: ColumnFacts | null, names: SlotNames): { slots: MappedSlot[]; usesView: boolean } {
  const [only] = imageColumns
  const views = view?.samples ?? []
  if (only && imageColumns.length === 1 && view && view.distinctCount >= 2 && view.distinctCount <= maxImageSlots && views.length === view.distinctCount && facts.rowCount <= id.distinctCount * view.distinctCount) {
    const slots = views.map((value): MappedSlot => ({ slot: { ...names(value), modality: 'image' }, source: { kind: 'column', column: only.name, view: { column: view.name, values: [value] } } }))
    return { slots, usesView: true }
  }
  if (imageColumns.length > 0) {
    const slots = imageColumns.slice(0, maxImageSlots).map(({ name }): MappedSlot => ({ slot: { ...names(name), modality: 'image' }, source: { kind: 'column', column: name, view: null } }))
    return { slots, usesView: false }
  }
  const slots = guessPatterns(facts, id).map((pattern): MappedSlot => ({ slot: { ...names(pattern.replace('{id}', '').replace(imageName, '')), modality: 'image' }, source: { kind: 'pattern', pattern } }))
  return { slots, usesView: false }
}

/** File-name patterns that at least two of the sample files share once a sample ID in them is replaced by {id}. */
function guessPatterns(facts: TableFacts, id: ColumnFacts): string[] {
  const counts = new Map<string, number>()
  const ids = [...id.samples].sort((a, b) => b.length - a.length)
  for (const path of facts.imageFileSamples) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const held = ids.find((sample) => new RegExp(`(?:^|[^a-z0-9])${escape(foldName(sample))}(?:[^a-z0-9]|$)`, 'u').test(foldName(name)))
    if (held === undefined) continue
    const at = foldName(name).search(new RegExp(`(?<![a-z0-9])${escape(foldName(held))}(?![a-z0-9])`, 'u'))
    const pattern = `${name.slice(0, at)}{id}${name.slice(at + held.length)}`
    counts.set(pattern, (counts.get(pattern) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count >= 2).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, maxImageSlots).map(([pattern]) => pattern)
}

function escape(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}

function guessLabels(facts: TableFacts): LabelMapping {
  const binary = facts.columns.filter(isBinary)
  if (binary.length > 0) return { kind: 'one-hot', columns: binary.slice(0, 200).map(({ name }) => ({ column: name, name: name.slice(0, 80) })) }
  const name = createTitleFinder(facts)(...labelTitles)
  const column = facts.columns.find((candidate) => candidate.name === name)
  if (!column || column.samples.length === 0) return { kind: 'none' }
  // With semicolons about, a comma is part of a name ("Pulmonary Disease, Chronic Obstructive").
  if (column.samples.some((cell) => /[;|\uFF1B]/.test(cell))) return { kind: 'list', column: column.name, separators: ';|' }
  if (column.samples.some((cell) => /^\[.*\]$|\uFF0C/s.test(cell))) return { kind: 'list', column: column.name, separators: ',' }
  return column.distinctCount <= maxClasses ? { kind: 'single', column: column.name } : { kind: 'none' }
}

function isBinary({ samples, distinctCount, name }: ColumnFacts): boolean {
  if (distinctCount > 3 || samples.length === 0 || ['sex', 'gender', 'patientsex'].includes(foldTitle(name))) return false
  const values = samples.map(parseLabelValue)
  // A column that is always 0 or always 1 says nothing and is more likely a counter or an offset.
  return values.every((value) => value !== undefined) && new Set(values.filter((value) => value !== null)).size === 2
}

function hasTextTitle({ name }: ColumnFacts): boolean {
  return textTitles.includes(foldTitle(name))
}

function isText(column: ColumnFacts): boolean {
  const { samples, distinctCount } = column
  if (samples.length === 0 || samples.some((cell) => /^https?:|^(\.\.)?\//.test(cell))) return false
  if (hasTextTitle(column)) return true
  const words = samples.map((cell) => cell.split(/\s+/).length)
  return distinctCount > 3 && words.reduce((sum, count) => sum + count, 0) / words.length >= 5
}

type SlotNames = (title: string) => { slotId: string; title: string; letter: string }

/** Gives every slot an id, a title and a letter that no other slot of the cohort has. */
function createSlotNames(): SlotNames {
  const ids = new Set<string>()
  const letters = new Set<string>()
  return (raw) => {
    const words = raw.replace(/[_\-.]+/g, ' ').replace(/\b(image|file|filename|path|fundus)\b/gi, ' ').replace(/\s+/g, ' ').trim()
    const plain = (words || raw.replace(/[_\-.]+/g, ' ').trim() || 'Image').slice(0, 50)
    const title = plain[0]!.toUpperCase() + plain.slice(1)
    const base = title.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 36) || 'slot'
    let slotId = base
    for (let number = 2; ids.has(slotId); number++) slotId = `${base}-${number}`
    ids.add(slotId)
    const initials = [...title.toUpperCase().replace(/[^\p{L}\p{N}]/gu, ''), ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
    const letter = initials.find((candidate) => !letters.has(candidate)) ?? String(letters.size)
    letters.add(letter)
    return { slotId, title, letter }
  }
}

function explain(mapping: Mapping, isRepeated: boolean): string {
  const slots = mapping.slots.map(({ slot }) => slot.title).join(', ')
  const labels = mapping.labels.kind === 'one-hot' ? `${mapping.labels.columns.length} yes/no label columns` : mapping.labels.kind === 'none' ? 'no label column' : `labels from "${mapping.labels.column}"`
  const rows = isRepeated && mapping.rowUnit.kind === 'row' ? ' Patient IDs repeat, so each row becomes a study of its own.' : ''
  return `No known layout. Guessed from titles and cells: patient ID from "${mapping.patientIdColumn}", items ${slots}, ${labels}.${rows} Check every field.`
}

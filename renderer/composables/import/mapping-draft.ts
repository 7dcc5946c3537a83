import { mappingSchema, type LabelMapping, type MappedSlot, type Mapping, type TableJoin, type TabularSource } from '../../../engine/domain/mapping.ts'
import { defaultPrivacy, type PrivacyOptions } from '../../../engine/domain/privacy.ts'
import { maxSlots } from '../../../engine/domain/slots.ts'
import { mappedDatesSchema, type MappedDates } from '../../../engine/domain/visit-dates.ts'
import { draftOfReportLabels, problemOfReportLabels, reportLabelsOfDraft, type ReportLabelsDraft } from './report-labels-draft.ts'

/**
 * The mapping while it is being written: fields may be blank, and what was typed for one way of finding an image or reading
 * labels is kept when another way is tried.
 */
export interface SlotDraft {
  /** Identity in lists; never leaves the wizard. */
  key: number
  modality: MappedSlot['slot']['modality']
  slotId: string
  title: string
  letter: string
  imageBy: 'column' | 'view' | 'pattern'
  column: string | null
  viewColumn: string | null
  viewValues: string[]
  pattern: string
  /** Which frame of a file with several; `frameNumber` is what was typed, counted from 1. */
  frameBy: 'first' | 'middle' | 'last' | 'number'
  frameNumber: string
  template: string
  /** Text from cells of the table, or from report files that these columns name under this pattern. */
  textBy: 'template' | 'files'
  reportColumns: string[]
  reportPattern: string
  /** Columns of a table of values. */
  columns: TabularSource['columns']
}

export interface LabelsDraft {
  kind: LabelMapping['kind']
  oneHot: { column: string; name: string }[]
  listColumn: string | null
  separators: string
  singleColumn: string | null
}

export interface MappingDraft {
  profile: Mapping['profile']
  /** The second table, chosen with the source. */
  join: TableJoin | null
  patientIdColumn: string | null
  rowUnit: Mapping['rowUnit']['kind']
  studyColumn: string | null
  slots: SlotDraft[]
  labels: LabelsDraft
  /** Further labels from the words of reports. */
  reportLabels: ReportLabelsDraft | null
  ageColumn: string | null
  sexColumn: string | null
  siteColumn: string | null
  /** Null: a mapping from before days of studies were kept; nothing of them is read until a column is chosen. */
  dates: MappedDates | null
  privacy: PrivacyOptions
}

/** What a draft still lacks. `slotKey` names the slot it belongs to. */
export interface DraftProblem {
  code:
    | 'patient-id' | 'study-column' | 'no-slots' | 'slot-title' | 'slot-letter' | 'slot-letter-twice' | 'slot-title-twice' | 'image-column' | 'view-column' | 'view-values'
    | 'pattern-id' | 'frame-number' | 'template-column' | 'template-unknown' | 'value-columns' | 'label-columns' | 'label-name' | 'label-name-twice' | 'label-column' | 'separators' | 'report-labels' | 'report-columns' | 'column-gone' | 'date-order' | 'invalid'
  slotKey?: number
  detail?: string
}

export const emptyDraft: MappingDraft = {
  profile: 'manual', join: null, patientIdColumn: null, rowUnit: 'patient', studyColumn: null, slots: [],
  labels: { kind: 'none', oneHot: [], listColumn: null, separators: ',;|', singleColumn: null }, reportLabels: null, ageColumn: null, sexColumn: null, siteColumn: null, dates: mappedDatesSchema.parse({}), privacy: defaultPrivacy,
}

/** The draft of a whole mapping, such as the one suggested for a table. */
export function draftOfMapping(mapping: Mapping): MappingDraft {
  const { labels, rowUnit } = mapping
  const slots = mapping.slots.map(draftOfSlot)
  return {
    profile: mapping.profile,
    join: mapping.join ?? null,
    patientIdColumn: mapping.patientIdColumn,
    rowUnit: rowUnit.kind,
    studyColumn: rowUnit.kind === 'study' ? rowUnit.column : null,
    slots,
    reportLabels: mapping.reportLabels === undefined ? null : draftOfReportLabels(mapping.reportLabels, slots),
    labels: {
      ...emptyDraft.labels,
      kind: labels.kind,
      ...(labels.kind === 'one-hot' ? { oneHot: labels.columns.map((entry) => ({ ...entry })) } : {}),
      ...(labels.kind === 'list' ? { listColumn: labels.column, separators: labels.separators } : {}),
      ...(labels.kind === 'single' ? { singleColumn: labels.column } : {}),
    },
    ageColumn: mapping.attributes.age,
    sexColumn: mapping.attributes.sex,
    siteColumn: mapping.attributes.site ?? null,
    dates: mapping.dates ?? null,
    privacy: mapping.privacy ?? defaultPrivacy,
  }
}

function draftOfSlot(mapped: MappedSlot, key: number): SlotDraft {
  const { slot, source } = mapped
  const draft: SlotDraft = { ...blankSlot(key, slot.modality), slotId: slot.slotId, title: slot.title, letter: slot.letter }
  if (source.kind === 'template') return { ...draft, template: source.template }
  if (source.kind === 'report-files') return { ...draft, textBy: 'files', reportColumns: [...source.columns], reportPattern: source.pattern }
  if (source.kind === 'columns') return { ...draft, columns: source.columns.map((entry) => ({ ...entry })) }
  const { frame = 'first' } = source
  const image: SlotDraft = { ...draft, ...(typeof frame === 'number' ? { frameBy: 'number' as const, frameNumber: String(frame) } : { frameBy: frame }) }
  if (source.kind === 'pattern') return { ...image, imageBy: 'pattern', pattern: source.pattern }
  if (source.view === null) return { ...image, column: source.column }
  return { ...image, imageBy: 'view', column: source.column, viewColumn: source.view.column, viewValues: [...source.view.values] }
}

function blankSlot(key: number, modality: SlotDraft['modality']): SlotDraft {
  return { key, modality, slotId: '', title: '', letter: '', imageBy: 'column', column: null, viewColumn: null, viewValues: [], pattern: '', frameBy: 'first', frameNumber: '', template: '', textBy: 'template', reportColumns: [], reportPattern: '{id}', columns: [] }
}

/** A further slot at the end; null when the cohort is full. */
export function addSlot(draft: MappingDraft, modality: SlotDraft['modality']): MappingDraft | null {
  if (draft.slots.length >= maxSlots) return null
  const key = Math.max(-1, ...draft.slots.map((slot) => slot.key)) + 1
  return { ...draft, slots: [...draft.slots, blankSlot(key, modality)] }
}

export function removeSlot(draft: MappingDraft, key: number): MappingDraft {
  return { ...draft, slots: draft.slots.filter((slot) => slot.key !== key) }
}

/** Moves a slot up (-1) or down (1); the order is that of tiles and pictures everywhere. */
export function moveSlot(draft: MappingDraft, key: number, by: -1 | 1): MappingDraft {
  const from = draft.slots.findIndex((slot) => slot.key === key)
  const to = from + by
  if (from < 0 || to < 0 || to >= draft.slots.length) return draft
  const slots = [...draft.slots]
  slots.splice(to, 0, ...slots.splice(from, 1))
  return { ...draft, slots }
}

/** Changes fields of a slot. A new title brings its own id, and a letter unless one was typed. */
export function changeSlot(draft: MappingDraft, key: number, changes: Partial<SlotDraft>): MappingDraft {
  const slots = draft.slots.map((slot) => {
    if (slot.key !== key) return slot
    const next = { ...slot, ...changes }
    if (changes.title === undefined) return next
    const others = draft.slots.filter((other) => other.key !== key)
    next.slotId = freeSlotId(changes.title, others.map((other) => other.slotId))
    if (slot.letter === '' || slot.letter === freeLetter(slot.title, others)) next.letter = freeLetter(changes.title, others)
    return next
  })
  return { ...draft, slots }
}

function freeSlotId(title: string, taken: readonly string[]): string {
  const base = title.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 36) || 'slot'
  let slotId = base
  for (let number = 2; taken.includes(slotId); number++) slotId = `${base}-${number}`
  return slotId
}

function freeLetter(title: string, others: readonly SlotDraft[]): string {
  const taken = new Set(others.map((slot) => slot.letter))
  return [...title.toUpperCase().replace(/[^\p{L}\p{N}]/gu, '')].find((letter) => !taken.has(letter)) ?? ''
}

/** Column names in braces, in order. */
export function templateColumns(template: string): string[] {
  return [...template.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1]!)
}

/** Every column that the draft reads, once. */
export function columnsOfDraft(draft: MappingDraft): string[] {
  const { labels } = draft
  const names = [
    draft.patientIdColumn, draft.rowUnit === 'study' ? draft.studyColumn : null, draft.ageColumn, draft.sexColumn, draft.siteColumn, draft.dates?.study ?? null, draft.dates?.birth ?? null,
    ...draft.slots.flatMap(columnsOfSlot),
    ...(labels.kind === 'one-hot' ? labels.oneHot.map(({ column }) => column) : labels.kind === 'list' ? [labels.listColumn] : labels.kind === 'single' ? [labels.singleColumn] : []),
  ]
  return [...new Set(names.filter((name) => name !== null))]
}

function columnsOfSlot(slot: SlotDraft): (string | null)[] {
  if (slot.modality === 'text') return slot.textBy === 'files' ? slot.reportColumns : templateColumns(slot.template)
  if (slot.modality === 'tabular') return slot.columns.map(({ column }) => column)
  if (slot.imageBy === 'pattern') return []
  return slot.imageBy === 'view' ? [slot.column, slot.viewColumn] : [slot.column]
}

function repeated(values: readonly string[]): Set<string> {
  return new Set(values.filter((value, index) => value !== '' && values.indexOf(value) !== index))
}

/** Everything that keeps a draft from being a mapping for a table with these columns. */
export function problemsOfDraft(draft: MappingDraft, columns: readonly string[]): DraftProblem[] {
  const problems: DraftProblem[] = []
  const known = new Set(columns)
  if (draft.patientIdColumn === null) problems.push({ code: 'patient-id' })
  if (draft.rowUnit === 'study' && draft.studyColumn === null) problems.push({ code: 'study-column' })
  if (draft.slots.length === 0) problems.push({ code: 'no-slots' })
  const titlesTwice = repeated(draft.slots.map((slot) => slot.title.trim().toLowerCase()))
  const lettersTwice = repeated(draft.slots.map((slot) => slot.letter.toUpperCase()))
  for (const slot of draft.slots) {
    const add = (code: DraftProblem['code'], detail?: string): void => { problems.push({ code, slotKey: slot.key, ...(detail === undefined ? {} : { detail }) }) }
    if (slot.title.trim() === '') add('slot-title')
    else if (titlesTwice.has(slot.title.trim().toLowerCase())) add('slot-title-twice')
    if (slot.letter.trim() === '') add('slot-letter')
    else if (lettersTwice.has(slot.letter.toUpperCase())) add('slot-letter-twice', slot.letter)
    if (slot.modality === 'text' && slot.textBy === 'files') {
      if (slot.reportColumns.length === 0) add('report-columns')
      else if (!slot.reportPattern.includes('{id}')) add('pattern-id')
    } else if (slot.modality === 'text') {
      const used = templateColumns(slot.template)
      const unknown = used.find((name) => !known.has(name))
      if (used.length === 0) add('template-column')
      else if (unknown !== undefined) add('template-unknown', unknown)
    } else if (slot.modality === 'tabular') {
      if (slot.columns.length === 0) add('value-columns')
    } else if (slot.imageBy === 'pattern') {
      if (!slot.pattern.includes('{id}')) add('pattern-id')
      problems.push(...problemsOfFrame(slot))
    } else {
      problems.push(...problemsOfFrame(slot))
      if (slot.column === null) add('image-column')
      if (slot.imageBy === 'view' && slot.viewColumn === null) add('view-column')
      else if (slot.imageBy === 'view' && slot.viewValues.length === 0) add('view-values')
    }
  }
  problems.push(...problemsOfLabels(draft.labels))
  // The panel says which of its fields is meant.
  if (draft.reportLabels !== null && problemOfReportLabels(draft.reportLabels, draft.slots, draft.labels.kind) !== null) problems.push({ code: 'report-labels' })
  const inTemplates = new Set(draft.slots.flatMap((slot) => (slot.modality === 'text' && slot.textBy === 'template' ? templateColumns(slot.template) : [])))
  const gone = columnsOfDraft(draft).find((name) => !known.has(name) && !inTemplates.has(name))
  if (gone !== undefined) problems.push({ code: 'column-gone', detail: gone })
  return problems
}

function problemsOfFrame({ key, frameBy, frameNumber }: SlotDraft): DraftProblem[] {
  return frameBy !== 'number' || /^[1-9]\d{0,4}$/.test(frameNumber.trim()) ? [] : [{ code: 'frame-number', slotKey: key }]
}

function problemsOfLabels(labels: LabelsDraft): DraftProblem[] {
  if (labels.kind === 'none') return []
  if (labels.kind === 'single') return labels.singleColumn === null ? [{ code: 'label-column' }] : []
  if (labels.kind === 'list') {
    if (labels.listColumn === null) return [{ code: 'label-column' }]
    return labels.separators === '' ? [{ code: 'separators' }] : []
  }
  if (labels.oneHot.length === 0) return [{ code: 'label-columns' }]
  const names = labels.oneHot.map(({ name }) => name.trim())
  if (names.includes('')) return [{ code: 'label-name' }]
  const [twice] = repeated(names)
  return twice === undefined ? [] : [{ code: 'label-name-twice', detail: twice }]
}

/** The mapping that a draft describes, or what it still lacks. */
export function mappingOfDraft(draft: MappingDraft, columns: readonly string[]): { mapping: Mapping } | { problems: DraftProblem[] } {
  const problems = problemsOfDraft(draft, columns)
  if (problems.length > 0) return { problems }
  const parsed = mappingSchema.safeParse({
    profile: draft.profile,
    ...(draft.join === null ? {} : { join: draft.join }),
    patientIdColumn: draft.patientIdColumn,
    rowUnit: draft.rowUnit === 'study' ? { kind: 'study', column: draft.studyColumn } : { kind: draft.rowUnit },
    slots: draft.slots.map(slotOfDraft),
    labels: labelsOfDraft(draft.labels),
    ...(draft.reportLabels === null ? {} : { reportLabels: reportLabelsOfDraft(draft.reportLabels, draft.slots) }),
    attributes: { age: draft.ageColumn, sex: draft.sexColumn, ...(draft.siteColumn === null ? {} : { site: draft.siteColumn }) },
    ...(draft.dates === null ? {} : { dates: draft.dates }),
    privacy: draft.privacy,
  })
  if (parsed.success) return { mapping: parsed.data }
  return { problems: [{ code: 'invalid', detail: parsed.error.issues[0]?.message ?? '' }] }
}

function slotOfDraft(slot: SlotDraft): unknown {
  const head = { slotId: slot.slotId, modality: slot.modality, title: slot.title.trim(), letter: slot.letter.trim() }
  if (slot.modality === 'text' && slot.textBy === 'files') return { slot: head, source: { kind: 'report-files', columns: slot.reportColumns, pattern: slot.reportPattern.trim() } }
  if (slot.modality === 'text') return { slot: head, source: { kind: 'template', template: slot.template } }
  if (slot.modality === 'tabular') return { slot: head, source: { kind: 'columns', columns: slot.columns } }
  const frame = slot.frameBy === 'first' ? {} : { frame: slot.frameBy === 'number' ? Number(slot.frameNumber) : slot.frameBy }
  if (slot.imageBy === 'pattern') return { slot: head, source: { kind: 'pattern', pattern: slot.pattern.trim(), ...frame } }
  const view = slot.imageBy === 'view' ? { column: slot.viewColumn, values: slot.viewValues } : null
  return { slot: head, source: { kind: 'column', column: slot.column, view, ...frame } }
}

function labelsOfDraft(labels: LabelsDraft): unknown {
  if (labels.kind === 'one-hot') return { kind: 'one-hot', columns: labels.oneHot.map(({ column, name }) => ({ column, name: name.trim() })) }
  if (labels.kind === 'list') return { kind: 'list', column: labels.listColumn, separators: labels.separators }
  if (labels.kind === 'single') return { kind: 'single', column: labels.singleColumn }
  return { kind: 'none' }
}

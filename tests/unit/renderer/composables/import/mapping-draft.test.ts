import { describe, expect, it } from 'vitest'
import { mappingSchema, type Mapping } from '../../../../../engine/domain/mapping.ts'
import { defaultPrivacy } from '../../../../../engine/domain/privacy.ts'
import { addSlot, changeSlot, columnsOfDraft, draftOfMapping, emptyDraft, mappingOfDraft, moveSlot, problemsOfDraft, removeSlot, type MappingDraft, type SlotDraft } from '../../../../../renderer/composables/import/mapping-draft.ts'
import { kindOfColumn } from '../../../../../renderer/composables/import/value-columns.ts'

const columns = ['ID', 'Visit', 'File', 'View', 'Age', 'Sex', 'Note', 'N', 'D']
const mapping: Mapping = mappingSchema.parse({
  profile: 'manual', patientIdColumn: 'ID', rowUnit: { kind: 'study', column: 'Visit' },
  slots: [
    { slot: { slotId: 'frontal', modality: 'image', title: 'Frontal', letter: 'F' }, source: { kind: 'column', column: 'File', view: { column: 'View', values: ['PA', 'AP'] } } },
    { slot: { slotId: 'lateral', modality: 'image', title: 'Lateral', letter: 'L' }, source: { kind: 'pattern', pattern: '{id}_lat.png' } },
    { slot: { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' }, source: { kind: 'template', template: '{Age} year old. {Note}' } },
  ],
  labels: { kind: 'one-hot', columns: [{ column: 'N', name: 'Normal' }, { column: 'D', name: 'Diabetes' }] },
  attributes: { age: 'Age', sex: 'Sex' }, privacy: defaultPrivacy,
})
const draft = draftOfMapping(mapping)
const codes = (of: MappingDraft): string[] => problemsOfDraft(of, columns).map((problem) => problem.code)

describe('mappingOfDraft', () => {
  it('gives back the mapping a draft was made of', () => {
    expect(mappingOfDraft(draft, columns)).toEqual({ mapping })
  })

  it('keeps the columns of dates with their orders, and reads none for a mapping that never had any', () => {
    const dated = { ...mapping, dates: { study: 'Visit', studyOrder: 'day-first' as const, birth: 'Age', birthOrder: null } }
    expect(mappingOfDraft(draftOfMapping(dated), columns)).toEqual({ mapping: dated })
    expect(columnsOfDraft(draftOfMapping({ ...dated, dates: { ...dated.dates, study: 'When' } }))).toContain('When')
    expect(codes({ ...draft, dates: { ...dated.dates, birth: 'Born' } })).toEqual(['column-gone'])
    expect(draft.dates).toBe(null)
  })

  it.each(['list', 'single', 'none'] as const)('writes labels as %s', (kind) => {
    const other = { ...draft, labels: { ...draft.labels, kind, listColumn: 'Note', singleColumn: 'Note' } }
    const result = mappingOfDraft(other, columns)
    expect('mapping' in result && result.mapping.labels.kind).toBe(kind)
  })

  it('says what is missing instead of guessing', () => {
    expect(codes(emptyDraft)).toEqual(['patient-id', 'no-slots'])
    expect(mappingOfDraft(emptyDraft, columns)).toHaveProperty('problems')
  })
})

describe('problemsOfDraft', () => {
  it.each([
    ['slot-title', { title: ' ' }], ['slot-letter', { letter: '' }], ['view-column', { viewColumn: null }], ['view-values', { viewValues: [] }], ['image-column', { column: null }],
  ] as [string, Partial<SlotDraft>][])('finds %s', (code, changes) => {
    expect(codes({ ...draft, slots: [{ ...draft.slots[0]!, ...changes }, ...draft.slots.slice(1)] })).toContain(code)
  })

  it('finds a pattern that is the same for every patient', () => {
    expect(codes(changeSlot(draft, 1, { pattern: 'lateral.png' }))).toEqual(['pattern-id'])
  })

  it('finds templates without or with unknown columns', () => {
    expect(codes(changeSlot(draft, 2, { template: 'No column' }))).toEqual(['template-column'])
    expect(problemsOfDraft(changeSlot(draft, 2, { template: '{Notes}' }), columns)).toEqual([{ code: 'template-unknown', slotKey: 2, detail: 'Notes' }])
  })

  it('finds letters, titles and label names used twice', () => {
    expect(codes(changeSlot(draft, 1, { letter: 'f' }))).toEqual(['slot-letter-twice', 'slot-letter-twice'])
    expect(codes({ ...draft, slots: draft.slots.map((slot) => ({ ...slot, title: 'Same' })) })).toEqual(['slot-title-twice', 'slot-title-twice', 'slot-title-twice'])
    expect(codes({ ...draft, labels: { ...draft.labels, oneHot: [{ column: 'N', name: 'A' }, { column: 'D', name: 'A ' }] } })).toEqual(['label-name-twice'])
  })

  it('finds a column that the table does not have', () => {
    expect(problemsOfDraft({ ...draft, patientIdColumn: 'PatID' }, columns)).toEqual([{ code: 'column-gone', detail: 'PatID' }])
  })
})

describe('slots', () => {
  it('keeps what was typed for another way of finding the image', () => {
    const there = changeSlot(draft, 0, { imageBy: 'pattern' })
    expect(changeSlot(there, 0, { imageBy: 'view' })).toEqual(draft)
  })

  it('derives id and letter from a new title', () => {
    const added = addSlot(draft, 'text')!
    const named = changeSlot(added, 3, { title: 'Notes 2' })
    expect(named.slots[3]).toMatchObject({ slotId: 'notes-2', letter: 'O' })
    expect(changeSlot(changeSlot(named, 3, { letter: 'X' }), 3, { title: 'Report' }).slots[3]).toMatchObject({ slotId: 'report', letter: 'X' })
  })

  it('never gives two slots one id', () => {
    const added = addSlot(draft, 'text')!
    expect(changeSlot(added, 3, { title: 'Notes!' }).slots[3]?.slotId).toBe('notes-2')
  })

  it('moves and removes, and stops at eight', () => {
    expect(moveSlot(draft, 2, -1).slots.map((slot) => slot.slotId)).toEqual(['frontal', 'notes', 'lateral'])
    expect(moveSlot(draft, 0, -1)).toBe(draft)
    expect(removeSlot(draft, 1).slots.map((slot) => slot.key)).toEqual([0, 2])
    let full: MappingDraft | null = draft
    for (let count = 3; count < 8; count++) full = addSlot(full!, 'image')
    expect(full?.slots).toHaveLength(8)
    expect(addSlot(full!, 'image')).toBeNull()
  })

  it('lists the columns it reads once', () => {
    expect(columnsOfDraft(draft)).toEqual(['ID', 'Visit', 'Age', 'Sex', 'File', 'View', 'Note', 'N', 'D'])
  })
})

describe('a table of values', () => {
  it('goes through the draft unchanged, second table included, and must name a column of the table', () => {
    const mapping = mappingSchema.parse({
      join: { table: 'b.csv', column: 'ID', otherColumn: 'id', spreadBy: null }, patientIdColumn: 'ID', labels: { kind: 'none' },
      slots: [{ slot: { slotId: 'labs', modality: 'tabular', title: 'Labs', letter: 'L' }, source: { kind: 'columns', columns: [{ column: 'CRP', values: 'number' }, { column: 'Site', values: 'category' }] } }],
    })
    expect(mappingOfDraft(draftOfMapping(mapping), ['ID', 'CRP', 'Site'])).toEqual({ mapping: { ...mapping, privacy: defaultPrivacy } })
    expect(problemsOfDraft(draftOfMapping(mapping), ['ID', 'CRP'])).toEqual([{ code: 'column-gone', detail: 'Site' }])
    const added = addSlot(emptyDraft, 'tabular')!
    expect(problemsOfDraft(added, []).map(({ code }) => code)).toContain('value-columns')
  })

  it('judges a column by its cells as the importer does', () => {
    expect(kindOfColumn({ samples: ['1,5', '2e3', '-4'] })).toBe('number')
    expect(kindOfColumn({ samples: ['A', 'B', '3'] })).toBe('category')
    expect(kindOfColumn({ samples: [] })).toBe('category')
  })
})

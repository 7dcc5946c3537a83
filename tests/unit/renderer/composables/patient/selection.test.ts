import { describe, expect, it } from 'vitest'
import { studyFilterSchema } from '../../../../../engine/domain/records.ts'
import type { Selection } from '../../../../../engine/domain/selection.ts'
import { listOf } from '../../../../../renderer/composables/fingerprint/list-links.ts'
import { filterOfQuery, queryOfFilter, restrictionCount } from '../../../../../renderer/composables/patient/patient-filter.ts'
import { titleOfSelection } from '../../../../../renderer/composables/patient/selection-title.ts'
import type { Slot } from '../../../../../engine/domain/slots.ts'

const slots: Slot[] = [{ slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' }, { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' }]
const labels = [{ labelId: 1, name: 'glaucoma', position: 0 }, { labelId: 2, name: 'cataract', position: 1 }]

describe('a number of the fingerprint as a list', () => {
  it('stands whole in the address, and comes back from it', () => {
    const selection: Selection = { kind: 'group', slotId: 'notes', factor: 'site', labelId: null, group: 'Site A & "B" 50 %', isLacking: true }
    const { query } = listOf(3, { selection }) as { query: Record<string, string> }
    expect(query).toMatchObject({ cohort: '3', run: 'none' })
    expect(filterOfQuery(3, query)).toEqual(studyFilterSchema.parse({ cohortId: 3, selection }))
    expect(restrictionCount(filterOfQuery(3, query))).toBe(1)
  })

  it('leaves excluded studies out where the list itself filters', () => {
    const { query } = listOf(3, { labelId: 1, reference: 'negative' }) as { query: Record<string, string> }
    expect(filterOfQuery(3, query)).toMatchObject({ labelId: 1, reference: 'negative', isExcluded: false, selection: null })
  })

  it('is no restriction when it is damaged', () => {
    for (const damaged of ['{', '{"kind":"everybody"}', '{"kind":"labels","labelIds":[]}']) expect(filterOfQuery(3, { selection: damaged, excluded: 'perhaps' })).toMatchObject({ selection: null, isExcluded: null })
    expect(queryOfFilter(studyFilterSchema.parse({ cohortId: 3, isExcluded: true }))).toEqual({ excluded: 'only' })
  })

  it('is named in words', () => {
    const named = (selection: Selection): string => titleOfSelection(selection, slots, labels)
    expect(named({ kind: 'labels', labelIds: [1, 2] })).toBe('with glaucoma + cataract')
    expect(named({ kind: 'group', slotId: 'notes', factor: 'label', labelId: 2, group: 'no', isLacking: true })).toBe('patients without cataract, without Notes')
    expect(named({ kind: 'image', slotId: 'left-eye', feature: { what: 'bin', measure: 'meanLuminance', edges: [0, 8, 16], index: 1 } })).toBe('Left eye: brightness 8 to 16')
    expect(named({ kind: 'absent', slotId: 'left-eye', reason: 'file-missing' })).toBe('Left eye file not found')
  })
})

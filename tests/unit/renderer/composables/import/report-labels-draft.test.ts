import { expect, it } from 'vitest'
import type { LabelRules, RuleEdit } from '../../../../../engine/domain/report-labels.ts'
import { draftOfReportLabels, newReportLabels, ownFindingId, problemOfReportLabels, reportLabelsOfDraft, toggleEdit } from '../../../../../renderer/composables/import/report-labels-draft.ts'

const slots = [
  { key: 0, slotId: 'frontal', modality: 'image', title: 'Frontal' }, { key: 1, slotId: 'indication', modality: 'text', title: 'Indication' }, { key: 2, slotId: 'report', modality: 'text', title: 'Report' },
]
const blank = { terms: [], absent: [], uncertain: [], except: [] }
const rules: LabelRules = { version: 'v', findings: [{ id: 'effusion', title: 'Effusion', isUsual: true, ...blank }, { id: 'spine', title: 'Spine', isUsual: false, ...blank }], cues: [] }

it('begins with the usual findings and the text that is a report, never the request', () => {
  expect(newReportLabels(slots, rules)).toMatchObject({ slotKeys: [2], findings: ['effusion'], uncertain: 'unknown', unmentioned: 'negative' })
  expect(newReportLabels(slots.slice(0, 2), rules).slotKeys).toEqual([1])
})

it('comes back from a mapping as it went in, following a slot that was renamed', () => {
  const draft = newReportLabels(slots, rules)
  const stored = reportLabelsOfDraft({ ...draft, version: 'old' }, slots)
  expect(stored).toMatchObject({ slotIds: ['report'] })
  expect(stored).not.toHaveProperty('version')
  expect(draftOfReportLabels(stored, slots)).toEqual(draft)
  expect(reportLabelsOfDraft(draft, slots.map((slot) => (slot.key === 2 ? { ...slot, slotId: 'radiology' } : slot))).slotIds).toEqual(['radiology'])
})

it('says what is missing', () => {
  const draft = newReportLabels(slots, rules)
  expect(problemOfReportLabels(draft, slots, 'list')).toBeNull()
  expect(problemOfReportLabels(draft, slots.slice(0, 2), 'list')).toBe('slots')
  expect(problemOfReportLabels({ ...draft, findings: [] }, slots, 'list')).toBe('findings')
  expect(problemOfReportLabels(draft, slots, 'single')).toBe('single')
})

it('turns a phrase off and on again', () => {
  const edit: RuleEdit = { list: 'finding', finding: 'effusion', kind: 'terms', phrase: 'effusion', change: 'off' }
  const once = toggleEdit([], edit)
  expect(once).toEqual([edit])
  expect(toggleEdit(once, { ...edit })).toEqual([])
  expect(toggleEdit(once, { ...edit, finding: 'spine' })).toHaveLength(2)
})

it('finds a free id for a finding of one\'s own', () => {
  expect(ownFindingId('Cœur & lung', new Set())).toMatch(/^own-[a-z0-9-]+$/)
  expect(ownFindingId('Spine', new Set(['own-spine']))).toBe('own-spine-2')
})

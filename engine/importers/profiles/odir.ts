import type { MappedSlot, Mapping } from '../../domain/mapping.ts'
import { createTitleFinder, type Profile, type TableFacts } from './profile.ts'

/** The eight labels of the ODIR-2019 challenge by their column titles. */
const odirLabels = [
  ['N', 'Normal'], ['D', 'Diabetes'], ['G', 'Glaucoma'], ['C', 'Cataract'],
  ['A', 'AMD'], ['H', 'Hypertension'], ['M', 'Myopia'], ['O', 'Other'],
] as const

/**
 * ODIR-5K as Peking University delivered it: one row for each patient, a file name and diagnostic keywords for each eye, eight
 * label columns. The keywords determine the labels completely, which the check page says.
 */
export const odirProfile: Profile = (facts) => {
  const mapping = odirMapping(facts, 'odir')
  if (!mapping || isPerEye(facts)) return null
  return {
    mapping, isRecognised: true,
    explanation: 'This is the ODIR-5K layout: one row for each patient with both eyes, age, sex, diagnostic keywords and eight labels. The keywords spell out the labels; leave them out of training unless that is what you want to study.',
  }
}

/** True for the per-eye table, which adds the name of one eye's file to every row. */
export function isPerEye(facts: TableFacts): boolean {
  const find = createTitleFinder(facts)
  return find('filename') !== null && find('filepath', 'target', 'labels') !== null
}

/** The mapping of both ODIR tables, or null when a column that makes them up is missing. */
export function odirMapping(facts: TableFacts, profile: 'odir' | 'odir-per-eye'): Mapping | null {
  const find = createTitleFinder(facts)
  const id = find('id', 'patientid')
  const rightImage = find('rightfundus')
  const leftImage = find('leftfundus')
  const labelColumns = odirLabels.map(([letter, name]) => ({ column: find(letter.toLowerCase()), name }))
  if (!id || !rightImage || !leftImage || labelColumns.some(({ column }) => column === null)) return null
  const age = find('patientage', 'age')
  const sex = find('patientsex', 'sex', 'gender')
  const rightKeywords = find('rightdiagnostickeywords')
  const leftKeywords = find('leftdiagnostickeywords')
  const slots: MappedSlot[] = [
    { slot: { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' }, source: { kind: 'column', column: rightImage, view: null } },
    { slot: { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' }, source: { kind: 'column', column: leftImage, view: null } },
  ]
  if (age && sex) {
    slots.push({ slot: { slotId: 'demographics', modality: 'text', title: 'Age and sex', letter: 'A' }, source: { kind: 'template', template: `{${age}} year old {${sex}}` } })
  }
  if (rightKeywords && leftKeywords) {
    slots.push({
      slot: { slotId: 'keywords', modality: 'text', title: 'Diagnostic keywords', letter: 'K' },
      source: { kind: 'template', template: `Right eye: {${rightKeywords}}. Left eye: {${leftKeywords}}.` },
    })
  }
  return {
    profile, patientIdColumn: id, rowUnit: { kind: 'patient' }, slots,
    labels: { kind: 'one-hot', columns: labelColumns.map(({ column, name }) => ({ column: column!, name })) },
    attributes: { age, sex },
  }
}

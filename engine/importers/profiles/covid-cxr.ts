import type { MappedSlot } from '../../domain/mapping.ts'
import { createTitleFinder, type Profile } from './profile.ts'

/** The COVID chest X-ray collection (metadata.csv): one row for each image, several images for some patients, notes in free text. */
export const covidCxrProfile: Profile = (facts) => {
  const find = createTitleFinder(facts)
  const id = find('patientid')
  const file = find('filename')
  const finding = find('finding')
  const notes = find('clinicalnotes')
  if (!id || !file || !finding || !notes || !find('view') || !find('offset')) return null
  const age = find('age')
  const sex = find('sex')
  const slots: MappedSlot[] = [
    { slot: { slotId: 'chest-xray', modality: 'image', title: 'Chest X-ray', letter: 'X' }, source: { kind: 'column', column: file, view: null } },
  ]
  if (age && sex) {
    slots.push({ slot: { slotId: 'demographics', modality: 'text', title: 'Age and sex', letter: 'A' }, source: { kind: 'template', template: `Age {${age}}. Sex {${sex}}.` } })
  }
  slots.push({ slot: { slotId: 'notes', modality: 'text', title: 'Clinical notes', letter: 'N' }, source: { kind: 'template', template: `{${notes}}` } })
  return {
    mapping: { profile: 'covid-cxr', patientIdColumn: id, rowUnit: { kind: 'row' }, slots, labels: { kind: 'list', column: finding, separators: ',' }, attributes: { age, sex, site: find('location') } },
    isRecognised: true,
    explanation: 'This is the layout of the COVID chest X-ray collection: one row for each image. Each row becomes a study; all studies of a patient stay on one side of a split.',
  }
}

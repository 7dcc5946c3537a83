import { parseLabelValue } from '../rows/labels.ts'
import { createTitleFinder, foldTitle, type Profile } from './profile.ts'

const knownTitles = new Set(['patientid', 'age', 'sex', 'rightimage', 'leftimage', 'note', 'notes'])

/** Lacuna's own synthetic cohort: patient_id, age, sex, right_image, left_image, note, then one column for each label. */
export const demoProfile: Profile = (facts) => {
  const find = createTitleFinder(facts)
  const id = find('patientid')
  const right = find('rightimage')
  const left = find('leftimage')
  const note = find('note', 'notes')
  const labels = facts.columns.filter(({ name, samples }) => !knownTitles.has(foldTitle(name)) && samples.length > 0 && samples.every((cell) => parseLabelValue(cell) !== undefined))
  if (!id || !right || !left || !note || labels.length === 0) return null
  return {
    mapping: {
      profile: 'demo', patientIdColumn: id, rowUnit: { kind: 'patient' },
      slots: [
        { slot: { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' }, source: { kind: 'column', column: right, view: null } },
        { slot: { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' }, source: { kind: 'column', column: left, view: null } },
        { slot: { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' }, source: { kind: 'template', template: `{${note}}` } },
      ],
      labels: { kind: 'one-hot', columns: labels.map(({ name }) => ({ column: name, name })) },
      attributes: { age: find('age'), sex: find('sex'), site: find('seenat') },
    },
    isRecognised: true,
    explanation: 'This is the layout of the synthetic demo cohort: one row for each patient with both eyes, a note and yes/no labels.',
  }
}

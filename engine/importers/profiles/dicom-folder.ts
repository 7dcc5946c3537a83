import type { MappedSlot, Mapping } from '../../domain/mapping.ts'
import { dicomColumns } from '../dicom/header-table.ts'
import type { Profile, TableFacts } from './profile.ts'

const maxViews = 4
const lateralities = [{ value: 'R', slotId: 'right', title: 'Right', letter: 'R' }, { value: 'L', slotId: 'left', title: 'Left', letter: 'L' }] as const

/**
 * The table made from the headers of a DICOM folder. Both sides of a patient become two slots, the views of a study become a
 * slot each; where the files are more than that, every image is a study of its own.
 */
export const dicomFolderProfile: Profile = (facts) => {
  if (facts.columns.length !== dicomColumns.length || dicomColumns.some((name, i) => facts.columns[i]!.name !== name)) return null
  const { slots, rowUnit, explanation } = chooseSlots(facts)
  const mapping: Mapping = {
    profile: 'manual', patientIdColumn: 'PatientID', rowUnit, slots, labels: { kind: 'none' },
    attributes: { age: columnOf(facts, 'PatientAge').samples.length > 0 ? 'PatientAge' : null, sex: columnOf(facts, 'PatientSex').samples.length > 0 ? 'PatientSex' : null },
  }
  return { mapping, isRecognised: true, explanation: `This table was made from the headers of the DICOM files. ${explanation} It holds no labels.` }
}

function chooseSlots(facts: TableFacts): { slots: MappedSlot[]; rowUnit: Mapping['rowUnit']; explanation: string } {
  const patients = columnOf(facts, 'PatientID').distinctCount
  const studies = columnOf(facts, 'StudyUID').distinctCount
  const laterality = columnOf(facts, 'Laterality')
  const view = columnOf(facts, 'ViewPosition')
  if (laterality.blankCount === 0 && laterality.distinctCount === 2 && laterality.samples.every((value) => value === 'R' || value === 'L') && facts.rowCount <= 2 * patients) {
    const slots = lateralities.map(({ value, ...slot }): MappedSlot => ({ slot: { ...slot, modality: 'image' }, source: { kind: 'column', column: 'File', view: { column: 'Laterality', values: [value] } } }))
    return { slots, rowUnit: { kind: 'patient' }, explanation: 'Each patient has an image of the right and of the left side.' }
  }
  if (view.blankCount === 0 && view.distinctCount >= 2 && view.distinctCount <= maxViews && studies > 0 && facts.rowCount <= studies * view.distinctCount) {
    const slots = view.samples.map((value, i): MappedSlot => ({
      slot: { slotId: `view-${value.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || String(i + 1)}`, modality: 'image', title: value, letter: letterOf(value, i) },
      source: { kind: 'column', column: 'File', view: { column: 'ViewPosition', values: [value] } },
    }))
    return { slots, rowUnit: { kind: 'study', column: 'StudyUID' }, explanation: 'Each study has one image of each view.' }
  }
  const slot: MappedSlot = { slot: { slotId: 'image', modality: 'image', title: 'Image', letter: 'I' }, source: { kind: 'column', column: 'File', view: null } }
  return { slots: [slot], rowUnit: { kind: 'row' }, explanation: 'Every image is a study of its own; choose the columns of study and view to join them.' }
}

function letterOf(value: string, index: number): string {
  const own = value.replace(/[^a-z]/gi, '').toUpperCase()
  return own[0] === undefined || index > 0 ? 'ABCDEFGH'[index]! : own[0]
}

function columnOf(facts: TableFacts, name: (typeof dicomColumns)[number]): TableFacts['columns'][number] {
  return facts.columns[dicomColumns.indexOf(name)]!
}

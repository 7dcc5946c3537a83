import type { MappedSlot, Mapping } from '../../domain/mapping.ts'
import { guessTextsAndLabels } from './guess-mapping.ts'
import { dicomColumns } from '../dicom/header-table.ts'
import type { Profile, TableFacts } from './profile.ts'

const maxViews = 4
const lateralities = [{ value: 'R', slotId: 'right', title: 'Right', letter: 'R' }, { value: 'L', slotId: 'left', title: 'Left', letter: 'L' }] as const

/**
 * The table made from the headers of a DICOM folder. Both sides of a patient become two slots, the views of a study become a
 * slot each; where the files are more than that, every image is a study of its own.
 */
export const dicomFolderProfile: Profile = (facts) => {
  if (dicomColumns.some((name, i) => facts.columns[i]?.name !== name)) return null
  // What a second table has put beside the headers; the images stay those of the folder.
  const headers = facts.columns.slice(0, dicomColumns.length)
  const isJoined = facts.columns.length > headers.length
  const { labels, textSlots } = isJoined ? guessTextsAndLabels(facts, headers) : { labels: { kind: 'none' as const }, textSlots: [] }
  const { slots, rowUnit, explanation } = chooseSlots(facts)
  const mapping: Mapping = {
    profile: 'manual', patientIdColumn: 'PatientID', rowUnit, slots: [...slots, ...withOwnNames(textSlots, slots)], labels,
    attributes: { age: columnOf(facts, 'PatientAge').samples.length > 0 ? 'PatientAge' : null, sex: columnOf(facts, 'PatientSex').samples.length > 0 ? 'PatientSex' : null },
  }
  const rest = isJoined ? 'Texts and labels are guessed from the second table: check them.' : 'It holds no labels.'
  return { mapping, isRecognised: !isJoined, explanation: `This table was made from the headers of the DICOM files. ${explanation} ${rest}` }
}

/** A text that a second table happens to call "image" or "right" must not take the place of one. */
function withOwnNames(texts: readonly MappedSlot[], images: readonly MappedSlot[]): MappedSlot[] {
  const letters = new Set(images.map(({ slot }) => slot.letter))
  return texts.map((text): MappedSlot => {
    const isTaken = images.some(({ slot }) => slot.slotId === text.slot.slotId)
    const letter = [text.slot.letter, ...'TUVWXYZ'].find((candidate) => !letters.has(candidate)) ?? text.slot.letter
    letters.add(letter)
    return { ...text, slot: { ...text.slot, letter, ...(isTaken ? { slotId: `${text.slot.slotId}-text`, title: `${text.slot.title} text` } : {}) } } as MappedSlot
  })
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
    const letters = new Set<string>()
    const slots = view.samples.map((value, i): MappedSlot => ({
      slot: { slotId: `view-${value.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || String(i + 1)}`, modality: 'image', title: value, letter: letterOf(value, letters) },
      source: { kind: 'column', column: 'File', view: { column: 'ViewPosition', values: [value] } },
    }))
    return { slots, rowUnit: { kind: 'study', column: 'StudyUID' }, explanation: 'Each study has one image of each view.' }
  }
  const slot: MappedSlot = { slot: { slotId: 'image', modality: 'image', title: 'Image', letter: 'I' }, source: { kind: 'column', column: 'File', view: null } }
  return { slots: [slot], rowUnit: { kind: 'row' }, explanation: 'Every image is a study of its own; choose the columns of study and view to join them.' }
}

/** A letter of the view's own name, so that its tile can be read: P for PA, L for LL. Adds it to the letters that are taken. */
function letterOf(value: string, taken: Set<string>): string {
  const letter = [...value.replace(/[^a-z]/gi, '').toUpperCase(), ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].find((candidate) => !taken.has(candidate))!
  taken.add(letter)
  return letter
}

function columnOf(facts: TableFacts, name: (typeof dicomColumns)[number]): TableFacts['columns'][number] {
  return facts.columns[dicomColumns.indexOf(name)]!
}

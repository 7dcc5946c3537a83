import { expect, it } from 'vitest'
import { dicomColumns } from '../../../engine/importers/dicom/header-table.ts'
import { suggestMapping } from '../../../engine/importers/profiles/suggest-mapping.ts'
import { mappingSchema } from '../../../engine/domain/mapping.ts'

const column = (name: string, samples: string[] = [], distinctCount = samples.length) => ({ name, samples, distinctCount, blankCount: 0 })
const headers = dicomColumns.map((name) => (name === 'PatientID' ? column(name, ['A', 'B', 'C', 'D'], 40) : name === 'StudyUID' ? column(name, ['1', '2', '3', '4'], 40) : name === 'File' ? column(name, ['1.dcm', '2.dcm'], 40) : column(name)))
const suggest = (columns: typeof headers) => suggestMapping({ rowCount: 40, columns, imageFileSamples: [] })!

it('knows the table of a DICOM folder, which holds no labels', () => {
  const { mapping, isRecognised } = suggest(headers)
  expect(isRecognised).toBe(true)
  expect(mapping).toMatchObject({ patientIdColumn: 'PatientID', labels: { kind: 'none' }, slots: [{ slot: { slotId: 'image' }, source: { kind: 'column', column: 'File' } }] })
})

it('keeps the images of the folder when a second table brings reports and labels, which are a guess', () => {
  const report = column('Report', ['The heart is large and the lungs are clear.'], 38)
  const { mapping, isRecognised } = suggest([...headers, report, column('Image', ['A picture of a chest with many words in it'], 30), column('Effusion', ['0', '1'], 2)])
  expect(isRecognised).toBe(false)
  expect(mappingSchema.safeParse(mapping).success).toBe(true)
  expect(mapping.slots.map(({ slot, source }) => [slot.modality, source.kind])).toEqual([['image', 'column'], ['text', 'template'], ['text', 'template']])
  expect(new Set(mapping.slots.map(({ slot }) => slot.slotId)).size).toBe(3)
  expect(new Set(mapping.slots.map(({ slot }) => slot.letter)).size).toBe(3)
  expect(mapping.labels).toEqual({ kind: 'one-hot', columns: [{ column: 'Effusion', name: 'Effusion' }] })
})

import { expect, it } from 'vitest'
import { dicomColumns } from '../../../../engine/importers/dicom/header-table.ts'
import { dicomFolderProfile } from '../../../../engine/importers/profiles/dicom-folder.ts'

function lettersOf(views: readonly string[]): string[] {
  const samples: Partial<Record<(typeof dicomColumns)[number], readonly string[]>> = { PatientID: ['1'], StudyUID: ['1.2'], ViewPosition: views }
  const columns = dicomColumns.map((name) => ({ name, samples: samples[name] ?? [], distinctCount: samples[name]?.length ?? 0, blankCount: samples[name] ? 0 : views.length }))
  return dicomFolderProfile({ rowCount: views.length, columns, imageFileSamples: [] })!.mapping.slots.map(({ slot }) => slot.letter)
}

it.each([
  [['LL', 'PA'], ['L', 'P']],
  [['AP', 'PA'], ['A', 'P']],
  [['LL', 'LAT', 'LLO', 'RL'], ['L', 'A', 'O', 'R']],
  // Nothing of its own is left: the first free letter of all.
  [['AP', 'A', '1', '2'], ['A', 'B', 'C', 'D']],
])('gives the views %j the letters %j, each of its own name where one is free', (views, letters) => {
  expect(lettersOf(views)).toEqual(letters)
})

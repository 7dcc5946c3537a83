import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withPrivacy, type Mapping } from '../../../../engine/domain/mapping.ts'
import { checkImport } from '../../../../engine/importers/check.ts'
import { previewImport } from '../../../../engine/importers/preview.ts'
import { runImport } from '../../../../engine/importers/run-import.ts'
import { createContext, makeFolder, plainMapping, writeFiles } from '../helpers.ts'

const pseudonymKey = 'ab'.repeat(32)
const single: Mapping = withPrivacy({ ...plainMapping, labels: { kind: 'single', column: 'finding' } })

/** A table with a note and a finding for each patient; `cells` are the findings, `names` those of a name column. */
async function imported(cells: readonly string[], mapping: Mapping = single, names: readonly string[] = []) {
  const folder = await makeFolder()
  const rows = cells.map((cell, i) => [`P${1000 + i}`, '', 'clear', `"${cell}"`, names[i] ?? ''].join(','))
  await writeFiles(folder, { 'table.csv': `${['id,image,note,finding,PatientName', ...rows].join('\n')}\n`, 'images/.keep': '' })
  const source = { sourceDir: join(folder, 'images'), tableFile: join(folder, 'table.csv'), sheet: null }
  const check = await checkImport({ source, mapping, pseudonymKey }, createContext())
  const context = createContext()
  await runImport({ source, mapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
  const start = context.data.flatMap((data) => (data.kind === 'import-start' ? [data.start] : []))[0]!
  const preview = await previewImport({ source, mapping, pseudonymKey, limit: 50 } as never, createContext())
  return { check, start, all: JSON.stringify([check, context.data, preview]) }
}
const usual = ['Glaucoma', 'Normal', 'Glaucoma', 'Normal', 'Fuchs dystrophy', 'Down syndrome']

it.each(['Kowalczyk', 'MILLER JANE', 'Glaucoma (Mrs Jane Miller)', 'glaucoma, MRN 4471928', 'ask Maria', 'cataract 12/03/2019', '07700 900123'])('refuses the row whose label is "%s", says which, and keeps nothing of it', async (cell) => {
  const { check, start, all } = await imported([...usual, cell])
  expect(check.issues.find(({ code }) => code === 'IMPORT_LABEL_IDENTIFIER')).toMatchObject({ severity: 'rejects-row', count: 1, examples: [{ row: 8 }] })
  expect(check).toMatchObject({ rowsIn: 7, rowsAccepted: 6, rowsRejected: 1 })
  expect(start).toMatchObject({ labelNames: ['Down syndrome', 'Fuchs dystrophy', 'Glaucoma', 'Normal'], rejectedRows: [{ row: 8, code: 'IMPORT_LABEL_IDENTIFIER' }] })
  for (const word of cell.match(/[\p{L}\d]{4,}/gu)!.filter((entry) => !/glaucoma|cataract/i.test(entry))) expect(all).not.toContain(word)
})

it('keeps a class of many patients under a name without the identifier, and every count', async () => {
  const { check, start, all } = await imported([...usual, ...Array.from({ length: 6 }, () => 'referred by Dr Okafor')])
  expect(start.labelNames).toContain('referred by Dr [NAME]')
  expect(check.labelCounts.find(({ name }) => name === 'referred by Dr [NAME]')).toMatchObject({ positives: 6 })
  expect(check.issues.find(({ code }) => code === 'IMPORT_LABEL_IDENTIFIER')).toMatchObject({ severity: 'note', examples: [{ row: 8 }] })
  expect(all).not.toContain('Okafor')
})

it('refuses two classes that would become one', async () => {
  const { check, all } = await imported([...usual, ...Array.from({ length: 6 }, () => 'seen by Dr Okafor'), ...Array.from({ length: 6 }, () => 'seen by Dr Lindqvist')])
  expect(check.rowsRejected).toBe(12)
  expect(all).not.toMatch(/Okafor|Lindqvist/)
})

it('refuses a label that is the name of the patient, however rare a name', async () => {
  const { check, all } = await imported([...usual, 'Zzyxquill'], single, ['', '', '', '', '', '', 'Mr Anders Zzyxquill'])
  expect(check.rowsRejected).toBe(1)
  expect(all).not.toContain('yxquill')
})

it('cleans the title of a label column', async () => {
  const { start } = await imported(['1', '0', '1'], withPrivacy({ ...plainMapping, labels: { kind: 'one-hot', columns: [{ column: 'finding', name: 'Glaucoma per Dr Okafor' }] } }))
  expect(start.labelNames).toEqual(['Glaucoma per Dr [NAME]'])
})

it('leaves the words of medicine, and the rows of an import that was paused before labels were looked at', async () => {
  const words = ['Best disease', 'Graves', 'Wilson disease', 'Hodgkin lymphoma', 'Bell palsy', 'Coats', 'Sturge-Weber', 'Axenfeld-Rieger', 'BI-RADS 4', 'H25.1', '> 90 years', 'Stage IIIA', 'March fracture', 'COVID-19']
  expect((await imported([...words, ...words])).check.rowsRejected).toBe(0)
  const before: Mapping = { ...single, privacy: { ...single.privacy!, profileVersion: 2 } }
  expect((await imported([...usual, 'Kowalczyk'], before)).start.rejectedRows).toEqual([])
})

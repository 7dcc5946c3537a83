import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkImport } from '../../../../engine/importers/check.ts'
import { inspectTable } from '../../../../engine/importers/inspect-table.ts'
import { writeDicom } from '../dicom/make-dicom.ts'
import { createContext, makeFolder, png, writeFiles } from '../helpers.ts'
import { structuredReport } from './make-report.ts'

async function suggest(files: Record<string, Buffer | string>, table: string | null) {
  const folder = await makeFolder()
  await writeFiles(folder, { ...files, ...(table === null ? {} : { 'table.csv': table }) })
  const source = { sourceDir: folder, tableFile: table === null ? folder : join(folder, 'table.csv'), sheet: null }
  const { suggestion } = await inspectTable({ source }, createContext())
  return { source, mapping: suggestion!.mapping, report: suggestion!.mapping.slots.find(({ slot }) => slot.modality === 'text')?.source }
}

const image = (patient: string, study: string): Buffer => writeDicom({
  '0008,0016': ['UI', '1.2.840.10008.5.1.4.1.1.7'], '0008,0060': ['CS', 'DX'], '0010,0020': ['LO', patient], '0020,000d': ['UI', study],
  '0028,0002': ['US', [1]], '0028,0004': ['CS', 'MONOCHROME2'], '0028,0010': ['US', [4]], '0028,0011': ['US', [4]], '0028,0100': ['US', [8]], '0028,0101': ['US', [8]], '0028,0102': ['US', [7]], '0028,0103': ['US', [0]],
}, new Uint8Array(16))

it('offers the reports of a DICOM folder, by the study that their headers name', async () => {
  const tree = [{ kind: 'TEXT', name: 'Findings', text: 'No effusion.' }]
  const { source, mapping, report } = await suggest({
    'a/1.dcm': image('P1', '1.2.1'), 'a/2.dcm': image('P2', '1.2.2'), 'sr/1.dcm': structuredReport(tree, { patient: 'P1', study: '1.2.1' }), 'sr/2.dcm': structuredReport(tree, { patient: 'P2', study: '1.2.2' }),
  }, null)
  expect(report).toEqual({ kind: 'report-files', columns: ['StudyUID', 'PatientID'], pattern: '{id}' })
  const check = await checkImport({ source, mapping, pseudonymKey: 'key' }, createContext())
  expect(check.patternCounts).toEqual([{ pattern: 'image+report', count: 2 }])
  // A report is no image that somebody forgot.
  expect(check.issues.map(({ code }) => code)).not.toContain('IMPORT_IMAGE_UNUSED')
})

it('offers text files beside pictures, by name or by pattern', async () => {
  const pictures = { 'c1.png': await png(1), 'c2.png': await png(2), 'c3.png': await png(3) }
  const table = 'patient_id,image\nP1,c1.png\nP2,c2.png\nP3,c3.png\n'
  expect((await suggest({ ...pictures, 'c1.txt': 'a', 'c2.txt': 'b' }, table)).report).toEqual({ kind: 'report-files', columns: ['image'], pattern: '{id}' })
  expect((await suggest({ ...pictures, 'P1_report.txt': 'a', 'P2_report.txt': 'b', 'P3_report.pdf': 'c' }, table)).report).toEqual({ kind: 'report-files', columns: ['patient_id'], pattern: '{id}_report' })
  expect((await suggest({ ...pictures, 'readme.txt': 'a', 'licence.txt': 'b' }, table)).report).toBeUndefined()
})

it('takes a text column of file names for the files', async () => {
  const { report } = await suggest({ 'n/a.txt': 'a', 'n/b.txt': 'b' }, 'patient_id,note\nP1,n/a.txt\nP2,n/b.txt\n')
  expect(report).toEqual({ kind: 'report-files', columns: ['note'], pattern: '{id}' })
})

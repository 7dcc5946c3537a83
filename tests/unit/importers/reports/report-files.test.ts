import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mappingSchema, withPrivacy } from '../../../../engine/domain/mapping.ts'
import { checkImport } from '../../../../engine/importers/check.ts'
import { runImport } from '../../../../engine/importers/run-import.ts'
import { parseDicom } from '../../../../engine/importers/dicom/parse.ts'
import { textOfStructuredReport } from '../../../../engine/importers/reports/structured-report.ts'
import { syntaxes } from '../dicom/make-dicom.ts'
import { createContext, makeFolder, writeFiles } from '../helpers.ts'
import { makePdf, pdfInDicom, structuredReport } from './make-report.ts'

/** Imports a table beside files; gives each study's item and what the check says. */
async function takeIn(table: string, files: Record<string, Buffer | string>, source: { columns: string[]; pattern?: string }, rowUnit: unknown = { kind: 'row' }) {
  const folder = await makeFolder()
  await writeFiles(folder, { 'table.csv': table, ...files })
  const mapping = withPrivacy(mappingSchema.parse({
    patientIdColumn: 'id', rowUnit, labels: { kind: 'none' },
    slots: [{ slot: { slotId: 'report', modality: 'text', title: 'Report', letter: 'R' }, source: { kind: 'report-files', ...source } }],
  }))
  const request = { source: { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }, mapping, pseudonymKey: 'key' }
  const check = await checkImport(request, createContext())
  const context = createContext()
  await runImport({ ...request, fromOrdinal: 0, tableSha256: null }, context)
  const items = context.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies.map(({ items: [item] }) => item!) : []))
  const start = context.data.find((entry) => entry.kind === 'import-start')!
  const codes = check.issues.map(({ code, severity, count }) => `${code} ${severity} ${count}`)
  return { items, codes, sha: start.kind === 'import-start' ? start.start.tableSha256 : '', told: JSON.stringify([check, context.data]) }
}

it('finds text files by the patient\'s ID, in any encoding', async () => {
  const { items, codes } = await takeIn('id\nA1\nA2\nA3\n', {
    'A1.txt': 'Kleiner Erguss.', 'reports/a2.TXT': Buffer.from('F\xfcnf Rundherde', 'latin1'), 'A3.txt': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Keine Stauung', 'utf16le')]), 'readme.txt': 'x',
  }, { columns: ['id'] })
  expect(items.map(({ text }) => text)).toEqual(['Kleiner Erguss.', 'Fünf Rundherde', 'Keine Stauung'])
  expect(codes).toContain('IMPORT_REPORT_UNUSED note 1')
})

it('finds them by a pattern, a column of names or paths, and the stem of an image', async () => {
  expect((await takeIn('id\n7\n8\n', { 'x/7_report_final.txt': 'seven', 'x/8_report_v2.txt': 'eight' }, { columns: ['id'], pattern: '{id}_report_*' })).items.map(({ text }) => text)).toEqual(['seven', 'eight'])
  expect((await takeIn('id,file\n1,notes\\b.txt\n2,a.txt\n', { 'notes/b.txt': 'bee', 'other/b.txt': 'no', 'a.txt': 'ay' }, { columns: ['file'] })).items.map(({ text }) => text)).toEqual(['bee', 'ay'])
  expect((await takeIn('id,image\n1,cxr_01.png\n', { 'cxr_01.txt': 'by stem' }, { columns: ['id', 'image'] })).items[0]!.text).toBe('by stem')
})

it('says when a file is not there, and is silent where none was named', async () => {
  const { items, codes } = await takeIn('id,file\n1,gone.txt\n2,\n3,c.txt\n', { 'c.txt': 'here' }, { columns: ['file'] })
  expect(items.map(({ reason, text }) => reason ?? text)).toEqual(['file-missing', 'not-collected', 'here'])
  expect(codes).toEqual(expect.arrayContaining(['IMPORT_REPORT_MISSING marks-missing 1', 'IMPORT_REPORT_NONE note 1']))
})

it('never chooses among several files, nor gives one file to several studies', async () => {
  const { items, codes, told } = await takeIn('id\nP77001\nP77002\nP77002\nP77003\n'.replace('P77002\nP77002', 'P77002,\nP77002'), {
    'P77001.txt': 'one', 'P77001.pdf': makePdf([['another one that is long enough']]), 'P77002.txt': 'shared', 'P77003.txt': 'three',
  }, { columns: ['id'] })
  expect(items.map(({ reason, text, detail }) => reason === null ? text : detail)).toEqual(expect.arrayContaining(['2 report files fit this study.', 'three']))
  expect(codes.some((code) => code.startsWith('IMPORT_REPORT_AMBIGUOUS marks-missing'))).toBe(true)
  expect(told).not.toContain('P77001.')
})

it('gives one report that fits two visits to neither', async () => {
  const { items } = await takeIn('id,visit\nP1,a\nP1,b\n', { 'P1.txt': 'which visit?' }, { columns: ['id'] }, { kind: 'study', column: 'visit' })
  expect(items.map(({ detail }) => detail)).toEqual(Array(2).fill('One report file fits this study and 1 more.'))
})

const tree = [
  { kind: 'PNAME', relation: 'HAS OBS CONTEXT', name: 'Person observer', person: 'Brandt^Ute' },
  { kind: 'CONTAINER', name: 'Findings', children: [
    { kind: 'TEXT', name: 'Finding', text: 'Small left pleural effusion. Seen by Brandt.' },
    { kind: 'NUM', name: 'Cardiothoracic ratio', number: ['0.48', '1'] as [string, string] },
    { kind: 'NUM', name: 'Nodule diameter', number: ['12', 'mm'] as [string, string], children: [{ kind: 'CODE', relation: 'HAS CONCEPT MOD', name: 'Laterality', code: 'Left' }] },
  ] },
  { kind: 'CONTAINER', name: 'Impression', children: [{ kind: 'CODE', name: 'Diagnosis', code: 'Pleural effusion' }, { kind: 'TEXT', text: 'No pneumothorax.' }] },
]

it.each(Object.entries({ explicit: syntaxes.explicit, implicit: syntaxes.implicit, deflated: syntaxes.deflated, bigEndian: syntaxes.bigEndian }))('reads a structured report (%s) in reading order with its headings', (_, syntax) => {
  const { dataSet } = parseDicom(new Uint8Array(structuredReport(tree, {}, syntax)))
  expect(textOfStructuredReport(dataSet)).toBe([
    'Chest X-ray report', 'Findings:', 'Small left pleural effusion. Seen by Brandt.', 'Cardiothoracic ratio: 0.48', 'Nodule diameter: 12 mm (Left)', 'Impression:', 'Diagnosis: Pleural effusion', 'No pneumothorax.',
  ].join('\n'))
})

it('finds structured reports by study, accession number and patient in their headers, and takes the names in them out of the text', async () => {
  const { items, told } = await takeIn('id,study,accession\nX1,1.2.3,\nX2,,ACC-9\nX3,,\n', {
    'f1': structuredReport(tree, { study: '1.2.3' }), 'f2.dcm': structuredReport(tree, { accession: 'ACC-9' }), 'deep/f3': structuredReport(tree, { patient: 'X3' }),
  }, { columns: ['study', 'accession', 'id'] })
  expect(items.map(({ isPresent }) => isPresent)).toEqual([true, true, true])
  expect(items[0]!.text).toContain('Seen by [NAME].')
  expect(told).not.toContain('Brandt')
})

it('reads PDF and PDF inside DICOM, page by page', async () => {
  const { items } = await takeIn('id\nA1\nA2\n', {
    'A1.pdf': makePdf([['FINDINGS: Small effusion on the left.', 'No pneumothorax.'], ['IMPRESSION: Small effusion.']]), 'x.dcm': pdfInDicom(makePdf([['Report of patient: heart is enlarged.']]), { patient: 'A2' }),
  }, { columns: ['id'] })
  expect(items[0]!.text).toBe('FINDINGS: Small effusion on the left.\nNo pneumothorax.\n\nIMPRESSION: Small effusion.')
  expect(items[1]!.text).toContain('heart is enlarged')
})

it('says why a report has no text: scan, damage, nothing, no text at all', async () => {
  const { items, codes } = await takeIn('id\nA1\nA2\nA3\nA4\nA5\n', {
    'A1.pdf': makePdf([[]]), 'A2.pdf': Buffer.from('%PDF-1.4 nothing else'), 'A3.txt': '', 'A4.txt': Buffer.from([0, 1, 2, 3, 0, 255, 254, 0, 7, 0, 0, 9]), 'A5.dcm': structuredReport([], { patient: 'A5' }),
  }, { columns: ['id'] })
  expect(items.map(({ reason }) => reason)).toEqual(Array(5).fill('unreadable'))
  expect(items.map(({ detail }) => detail)).toEqual([
    'The PDF holds pictures of pages without text (a scan).', 'The PDF is damaged.', 'The report file is empty (0 bytes).', 'The report file holds no text.', 'The structured report holds no text.',
  ])
  expect(codes).toContain('IMPORT_REPORT_UNREADABLE marks-missing 5')
})

it('notices a report that was changed between two parts of an import', async () => {
  const first = await takeIn('id\nA1\n', { 'A1.txt': 'one' }, { columns: ['id'] })
  const second = await takeIn('id\nA1\n', { 'A1.txt': 'two' }, { columns: ['id'] })
  expect(first.sha).not.toBe(second.sha)
})

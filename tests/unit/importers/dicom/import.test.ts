import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { ImportedStudy } from '../../../../engine/domain/import.ts'
import { checkImport } from '../../../../engine/importers/check.ts'
import { renderImage } from '../../../../engine/importers/images/render-image.ts'
import { inspectImage } from '../../../../engine/importers/images/inspect-image.ts'
import { inspectTable } from '../../../../engine/importers/inspect-table.ts'
import { runImport } from '../../../../engine/importers/run-import.ts'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { decodeImage } from '../../../../engine/modalities/image-decode.ts'
import { createContext, makeFolder, plainMapping, writeFiles } from '../helpers.ts'
import { imageElements, makeValues, syntaxes, toBytes, writeDicom, type Elements, type FileOptions } from './make-dicom.ts'

const shape = { rows: 24, columns: 32, bits: 12 }
const pseudonymKey = 'test key'

function scan(seed: number, extra: Elements = {}, options: FileOptions = {}): Buffer {
  const window: Elements = { '0028,1050': ['DS', '2048'], '0028,1051': ['DS', '3000'] }
  return writeDicom({ ...imageElements(shape), ...window, ...extra }, toBytes(makeValues(shape, seed), 2), options)
}

/** A patient as a hospital writes one, with identity in the header. */
const of = (patient: string, side: 'R' | 'L'): Elements => ({
  '0008,0020': ['DA', '20240131'], '0008,0060': ['CS', 'OP'], '0010,0010': ['PN', `Family^${patient}`], '0010,0020': ['LO', patient], '0010,0040': ['CS', 'F'],
  '0010,1010': ['AS', '061Y'], '0020,000d': ['UI', `1.2.3.${patient}`], '0020,0062': ['CS', side],
})

const studiesOf = (context: ReturnType<typeof createContext>): ImportedStudy[] => context.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : []))

describe('DICOM images of a table', () => {
  it('are found with and without extension, with notes for frames and reasons for what cannot be read', async () => {
    const folder = await makeFolder()
    const frames = makeValues({ ...shape, rows: 48 })
    await writeFiles(folder, {
      'a.dcm': scan(1), 'series/IM0002': scan(2, {}, { hasPreamble: false }), '1.2.840.3': scan(3, {}, { syntax: syntaxes.implicit }),
      'd.dcm': writeDicom({ ...imageElements(shape), '0028,0008': ['IS', '2'] }, toBytes(frames, 2)),
      'e.dcm': scan(5).subarray(0, 900), 'notes': 'no image', 'DICOMDIR': writeDicom({ '0004,1220': ['SQ', [{ '0004,1430': ['CS', 'PATIENT'] }]] }, null),
      'table.csv': 'id,image,note,A,B\n1,a.dcm,n,1,0\n2,IM0002,n,0,1\n3,1.2.840.3,n,1,1\n4,d,n,0,0\n5,e.dcm,n,1,0\n',
    })
    const source = { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }
    const check = await checkImport({ source, mapping: plainMapping, pseudonymKey }, createContext())
    expect(check).toMatchObject({ rowsIn: 5, rowsAccepted: 5, absences: [{ slotId: 'photo', reason: 'unreadable', count: 1 }] })
    const issues = new Map(check.issues.map((issue) => [issue.code, issue]))
    expect(issues.get('DICOM_MULTI_FRAME')).toMatchObject({ severity: 'note', count: 1, examples: [{ row: 5, detail: expect.stringContaining('2 frames; the first frame is used') }] })
    expect(issues.get('DICOM_PIXELS_SHORT')).toMatchObject({ severity: 'marks-missing', count: 1 })
    expect(issues.has('IMPORT_IMAGE_UNUSED')).toBe(false)
    const context = createContext()
    await runImport({ source, mapping: plainMapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
    expect(studiesOf(context).map(({ items }) => [items[0]!.isPresent, items[0]!.widthPx])).toEqual([[true, 32], [true, 32], [true, 32], [true, 32], [false, null]])
  })

  it('show on the screen what the model gets', async () => {
    const folder = await makeFolder()
    const content = scan(1, { '0028,0004': ['CS', 'MONOCHROME1'] })
    await writeFiles(folder, { 'a.dcm': content })
    const model = await decodeImage(content)
    const grey = readDicom(content).renderFrame(0).pixels
    expect([...model.pixels]).toEqual([...grey].flatMap((value) => [value, value, value]))
    const outFile = join(folder, 'out.png')
    expect(await renderImage({ path: join(folder, 'a.dcm'), maxEdgePx: 100, outFile }, createContext())).toEqual({ widthPx: 32, heightPx: 24 })
    expect([...await sharp(outFile).removeAlpha().raw().toBuffer()]).toEqual([...model.pixels])
    expect(await inspectImage(join(folder, 'a.dcm'), folder, 'full')).toMatchObject({ kind: 'usable', widthPx: 32, heightPx: 24, note: null })
  })

  it('are drawn side by side without mixing them up', async () => {
    const contents = Array.from({ length: 24 }, (_, seed) => (seed % 5 === 4 ? scan(seed).subarray(0, 700) : scan(seed)))
    const outcomes = await Promise.all(contents.map((content) => decodeImage(content).then(({ pixels }) => pixels, (error: { code: string }) => error.code)))
    outcomes.forEach((outcome, seed) => {
      if (seed % 5 === 4) expect(outcome).toBe('DICOM_PIXELS_SHORT')
      else expect((outcome as Uint8Array).filter((_, i) => i % 3 === 0)).toEqual(readDicom(contents[seed]!).renderFrame(0).pixels)
    })
  })
})

describe('a DICOM folder without a table', () => {
  it('becomes one from its headers, with pseudonyms for IDs', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, {
      'p1/r.dcm': scan(1, of('7001', 'R')), 'p1/l.dcm': scan(2, of('7001', 'L')), 'p2/IM1': scan(3, of('7002', 'R')), 'p2/IM2': scan(4, of('7002', 'L'), { syntax: syntaxes.implicit }),
      'p3/only.dcm': scan(5, of('7003', 'R')), 'report.dcm': writeDicom({ ...of('7003', 'R'), '0008,0060': ['CS', 'SR'] }, null), 'broken.dcm': Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]),
      'readme.txt': 'about this delivery', 'photo.png': await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } }).png().toBuffer(),
    })
    const source = { sourceDir: folder, tableFile: folder, sheet: null }
    const inspection = await inspectTable({ source }, createContext())
    expect(inspection).toMatchObject({ format: 'dicom', rowCount: 5, suggestion: { isRecognised: true } })
    expect(inspection.columns.find(({ name }) => name === 'StudyDate')?.samples).toEqual(['2024-01-31'])
    expect(inspection.issues.map(({ code, count }) => [code, count])).toEqual(expect.arrayContaining([['DICOM_NO_IMAGE', 1], ['DICOM_UNREADABLE', 1]]))
    const mapping = inspection.suggestion!.mapping
    expect(mapping).toMatchObject({ patientIdColumn: 'PatientID', rowUnit: { kind: 'patient' }, attributes: { age: 'PatientAge', sex: 'PatientSex' } })
    const context = createContext()
    const result = await runImport({ source, mapping, pseudonymKey, fromOrdinal: 0, tableSha256: inspection.tableSha256 }, context)
    expect(result).toEqual({ rowsIn: 5, studyCount: 3 })
    const studies = studiesOf(context)
    expect(studies.map(({ items }) => items.map(({ isPresent }) => isPresent))).toEqual([[true, true], [true, true], [true, false]])
    expect(studies[0]).toMatchObject({ ageYears: 61, sex: 'female', patientKey: expect.stringMatching(/^P-/) })
    expect(JSON.stringify(context.data)).not.toMatch(/Family|700[123]/)
  })

  it('gets slots by view, a study for each examination, and another hash when a file is added', async () => {
    const folder = await makeFolder()
    const view = (study: string, position: string): Elements => ({ '0010,0020': ['LO', 'A1'], '0020,000d': ['UI', `1.2.${study}`], '0018,5101': ['CS', position] })
    await writeFiles(folder, { '1.dcm': scan(1, view('1', 'PA')), '2.dcm': scan(2, view('1', 'LL')), '3.dcm': scan(3, view('2', 'PA')) })
    const source = { sourceDir: folder, tableFile: folder, sheet: null }
    const first = await inspectTable({ source }, createContext())
    expect(first.suggestion?.mapping).toMatchObject({ rowUnit: { kind: 'study', column: 'StudyUID' }, slots: [{ slot: { slotId: 'view-pa' } }, { slot: { slotId: 'view-ll' } }] })
    expect((await checkImport({ source, mapping: first.suggestion!.mapping, pseudonymKey }, createContext()))).toMatchObject({ patientCount: 1, studyCount: 2 })
    await writeFiles(folder, { '4.dcm': scan(4, view('2', 'LL')) })
    const second = await inspectTable({ source }, createContext())
    expect(second.rowCount).toBe(4)
    expect(second.tableSha256).not.toBe(first.tableSha256)
  })

  it('is refused when it holds no DICOM image', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'a.txt': 'x' })
    await expect(inspectTable({ source: { sourceDir: folder, tableFile: folder, sheet: null } }, createContext())).rejects.toMatchObject({ code: 'IMPORT_TABLE_MISSING' })
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('x')
  })
})

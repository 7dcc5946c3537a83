import { describe, expect, it } from 'vitest'
import { checkDirectories, readDirectory } from '../../../../engine/importers/dicom/directory.ts'
import { openDicomTable } from '../../../../engine/importers/dicom/header-table.ts'
import { createIssueCollector } from '../../../../engine/importers/issues.ts'
import { makeFolder, writeFiles } from '../helpers.ts'
import { imageElements, makeValues, syntaxes, toBytes, writeDicom, type Elements, type FileOptions } from './make-dicom.ts'

const record = (type: string, path: string | null): Elements => ({ '0004,1430': ['CS', type], ...(path === null ? {} : { '0004,1500': ['CS', path] }) } as Elements)
const directory = (records: Elements[], options: FileOptions = {}): Buffer => writeDicom({ '0004,1220': ['SQ', records] }, null, options)
const records = [record('PATIENT', null), record('STUDY', null), record('IMAGE', 'ST0\\SE0\\IM1'), record('IMAGE', 'ST0\\SE0\\IM2'), record('IMAGE', 'ST0\\SE0\\IM2'), record('IMAGE', 'ST0\\SE1\\IM3')]
const shape = { rows: 8, columns: 8, bits: 12 }
const image = writeDicom({ ...imageElements(shape), '0010,0020': ['LO', 'A'] }, toBytes(makeValues(shape), 2))

describe('a DICOMDIR', () => {
  it.each([syntaxes.explicit, syntaxes.implicit, syntaxes.bigEndian])('names its files, written as %s', (syntax) => {
    expect(readDirectory(directory(records, { syntax }))).toEqual(['ST0/SE0/IM1', 'ST0/SE0/IM2', 'ST0/SE1/IM3'])
  })

  it('that cannot be read names nothing', () => {
    expect([readDirectory(Buffer.from('no dicom')), readDirectory(directory(records).subarray(0, 200))]).toEqual([[], []])
  })

  it('is compared with the folder, whatever copying did to letter case and version numbers', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'disc/DICOMDIR': directory(records), 'disc/st0/se0/im1': image, 'disc/ST0/SE0/IM2': image })
    expect(await checkDirectories(folder, ['disc/st0/se0/im1', 'disc/ST0/SE0/IM2.;1'])).toEqual({ listed: 3, missing: 1 })
    const issues = createIssueCollector()
    const table = await openDicomTable(folder, issues, new AbortController().signal)
    expect(table.columns).toContain('PatientID')
    // The directory itself is neither a row nor a file without a picture.
    expect(issues.list().map(({ code, count, examples }) => [code, count, examples[0]?.detail])).toEqual([['DICOM_DIRECTORY_INCOMPLETE', 1, 'The DICOMDIR names 3 files; some of them are not in the folder.']])
  })
})

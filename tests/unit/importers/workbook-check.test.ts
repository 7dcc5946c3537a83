import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readXlsxSheet } from '../../../engine/importers/table/xlsx-records.ts'
import { makeFolder, makeXlsx, makeZip } from './helpers.ts'

const sound = makeXlsx({ S: [['id', 'note'], ['1', 'a']], T: [['id', 'note'], ['2', 'b']] })

/** A workbook with one more cell at an address; a few hundred bytes. */
function reaching(address: string): Buffer {
  const text = sound.toString('latin1')
  const parts = Object.fromEntries([...text.matchAll(/(xl\/[\w/.]+)(<\?xml.*?)(?=PK)/gs)].map(([, path, xml]) => [path!, xml!]))
  const row = address.replace(/\D/g, '')
  return makeZip({ ...parts, 'xl/worksheets/sheet1.xml': parts['xl/worksheets/sheet1.xml']!.replace('</sheetData>', `<row r="${row}"><c r="${address}"><v>1</v></c></row></sheetData>`) })
}

async function codeOf(content: Buffer): Promise<string> {
  const file = join(await makeFolder(), 'a.xlsx')
  await writeFile(file, content)
  return readXlsxSheet(file, null).then(({ records }) => `${records.length} rows`, (error: { code: string }) => error.code)
}

describe('a workbook before it is read', () => {
  it('is refused when one cell far off would fill the memory', async () => {
    expect(await codeOf(reaching('C40'))).toBe('40 rows')
    expect(await codeOf(reaching('XFD1048576'))).toBe('IMPORT_TABLE_TOO_LARGE')
    expect(await codeOf(reaching('C99999999'))).toBe('IMPORT_TABLE_TOO_LARGE')
    expect(await codeOf(reaching('ZZZZZZ2'))).toBe('IMPORT_TABLE_TOO_LARGE')
  })

  // Each of these kept the reader waiting for ever.
  it.each<[string, (bytes: Buffer) => void]>([
    ['a directory that ends early', (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(bytes.length - 10) - 70, bytes.length - 10)],
    ['a wrong number of files', (bytes) => bytes.writeUInt16LE(2, bytes.length - 12)],
    ['a file whose header names another', (bytes) => bytes.write('yl', bytes.indexOf('xl/workbook.xml'))],
    ['a packed size that is too long', (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(18) + 40, 18)],
    ['a cell that was changed', (bytes) => bytes.write('inlineStY', bytes.indexOf('inlineStr'))],
    ['a way of packing that does not exist', (bytes) => bytes.writeUInt16LE(7, 8)],
  ])('is refused for %s', async (_, damage) => {
    const bytes = Buffer.from(sound)
    damage(bytes)
    expect(await codeOf(bytes)).toBe('IMPORT_TABLE_UNREADABLE')
  })
})

import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { encode } from 'iconv-lite'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { errorCatalog, type ErrorCode } from '../../../engine/domain/errors.ts'
import type { Mapping } from '../../../engine/domain/mapping.ts'
import { checkImport } from '../../../engine/importers/check.ts'
import { runImport } from '../../../engine/importers/run-import.ts'
import { createContext, jpeg, makeFolder, makeXlsx, makeZip, picture, plainMapping, png, writeFiles } from './helpers.ts'

/** A broken delivery. It begins as one good patient (ID "1", photo 1.jpg) in table.csv. */
interface Fault {
  name: string
  /** Content of the table, or changes to the folder. */
  table?: Buffer | string
  files?: () => Promise<Record<string, Buffer | string>>
  spoil?: (folder: string) => Promise<void>
  mapping?: Partial<Mapping>
  sheet?: string
  /** The refusal of the whole source, or the issues of the check page. */
  refused?: ErrorCode
  issues?: ErrorCode[]
  /** Rows accepted and rejected, when the source is not refused. */
  rows?: [number, number]
}

const head = 'id,image,note,A,B\n'
const good = '1,1.jpg,fine,1,0\n'
const withImage = (make: () => Promise<Buffer> | Buffer): (() => Promise<Record<string, Buffer>>) => async () => ({ '1.jpg': await make() })

/** A PNG of a few bytes that claims any size. */
function pngHeader(width: number, height: number): Buffer {
  const size = Buffer.alloc(13)
  size.writeUInt32BE(width, 0)
  size.writeUInt32BE(height, 4)
  size.set([8, 2], 8)
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), pngChunk('IHDR', size), pngChunk('IDAT', deflateSync(Buffer.alloc(64))), pngChunk('IEND', Buffer.alloc(0))])
}

function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(content.length, 0)
  chunk.set(body, 4)
  chunk.writeUInt32BE(crc32(body), body.length + 4)
  return chunk
}

/** A picture of soft shades, as photographs are. */
function shades(optimiseCoding = true): Promise<Buffer> {
  const pixels = Buffer.alloc(256 * 256 * 3).map((_, i) => Math.round(120 + 90 * Math.sin(i / 700) * Math.cos((i % 768) / 60)))
  return sharp(pixels, { raw: { width: 256, height: 256, channels: 3 } }).jpeg({ optimiseCoding }).toBuffer()
}

/** The same file with a part of it set to zero. */
function zeroed(bytes: Buffer, from: number, to: number): Buffer {
  return bytes.fill(0, Math.floor(bytes.length * from), Math.floor(bytes.length * to))
}

const faults: Fault[] = [
  // the table as a file
  { name: 'no table', spoil: (folder) => rm(join(folder, 'table.csv')), refused: 'IMPORT_TABLE_MISSING' },
  { name: 'a folder instead of a table', spoil: async (folder) => { await rm(join(folder, 'table.csv')); await mkdir(join(folder, 'table.csv')) }, refused: 'IMPORT_TABLE_MISSING' },
  { name: 'zero-byte table', table: '', refused: 'IMPORT_TABLE_EMPTY' },
  { name: 'blank table', table: '\n\n \n', refused: 'IMPORT_TABLE_EMPTY' },
  { name: 'header without rows', table: head, refused: 'IMPORT_TABLE_EMPTY' },
  { name: 'a picture named CSV', table: Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'), refused: 'IMPORT_TABLE_UNSUPPORTED' },
  { name: 'an old XLS workbook', table: Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]), refused: 'IMPORT_TABLE_UNSUPPORTED' },
  { name: 'a PDF', table: '%PDF-1.7\n%binary', refused: 'IMPORT_TABLE_UNSUPPORTED' },
  { name: 'a Parquet table', table: Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(50)]), refused: 'IMPORT_TABLE_UNSUPPORTED' },
  { name: 'a ZIP that is no workbook', table: makeZip({ 'readme.txt': 'hello' }), refused: 'IMPORT_TABLE_UNREADABLE' },
  { name: 'a workbook cut short', table: makeXlsx({ S: [['id'], ['1']] }).subarray(0, 700), refused: 'IMPORT_TABLE_UNREADABLE' },
  { name: 'a workbook with broken XML', table: makeZip({ 'xl/workbook.xml': '<workbook', 'xl/worksheets/sheet1.xml': '<work' }), refused: 'IMPORT_TABLE_UNREADABLE' },
  { name: 'a workbook that unpacks to gigabytes', table: makeZip({ 'xl/workbook.xml': 'x' }, 0xf0000000), refused: 'IMPORT_TABLE_TOO_LARGE' },
  { name: 'a workbook with an empty sheet', table: makeXlsx({ S: [] }), refused: 'IMPORT_TABLE_EMPTY' },
  { name: 'a sheet that is not there', table: makeXlsx({ S: [['id'], ['1']] }), sheet: 'Patients', refused: 'IMPORT_SHEET_MISSING' },
  { name: 'a quotation mark open to the end', table: `${head}1,1.jpg,"fine,1,0\n2,2.jpg,x,1,0\n`, refused: 'IMPORT_TABLE_UNREADABLE' },
  { name: 'a cell of many megabytes', table: `${head}1,1.jpg,"${'x'.repeat(5 * 1024 * 1024)}",1,0\n`, refused: 'IMPORT_TABLE_UNREADABLE' },
  // columns and mapping
  { name: 'a renamed column', table: `id,picture,note,A,B\n${good}`, refused: 'IMPORT_COLUMN_MISSING' },
  { name: 'a label column that is missing', table: 'id,image,note,A\n1,1.jpg,fine,1\n', refused: 'IMPORT_COLUMN_MISSING' },
  { name: 'two slots of one name', mapping: { slots: [plainMapping.slots[0]!, plainMapping.slots[0]!] }, refused: 'IMPORT_MAPPING_INVALID' },
  { name: 'a pattern without {id}', mapping: { slots: [{ slot: { slotId: 'photo', modality: 'image', title: 'Photo', letter: 'P' }, source: { kind: 'pattern', pattern: 'left.jpg' } }] }, refused: 'IMPORT_MAPPING_INVALID' },
  { name: 'a template without columns', mapping: { slots: [{ slot: { slotId: 'note', modality: 'text', title: 'Note', letter: 'N' }, source: { kind: 'template', template: 'same for all' } }] }, refused: 'IMPORT_MAPPING_INVALID' },
  { name: 'free text mapped as the label', table: `${head}${Array.from({ length: 250 }, (_, i) => `${i},,text ${i},1,0\n`).join('')}`, mapping: { labels: { kind: 'single', column: 'note' } }, refused: 'IMPORT_LABELS_TOO_MANY' },
  { name: 'padded and repeated titles', table: ` id ,image,note,A,B,A,\n1,1.jpg,fine,1,0,0,\n`, issues: ['IMPORT_HEADER_REPAIRED'], rows: [1, 0] },
  // rows
  { name: 'too few cells', table: `${head}${good}2,2.jpg\n`, issues: ['IMPORT_ROW_CELLS'], rows: [1, 1] },
  { name: 'too many cells', table: `${head}${good}2,2.jpg,a,1,0,7\n`, issues: ['IMPORT_ROW_CELLS'], rows: [1, 1] },
  { name: 'a comma in an unquoted note', table: `${head}${good}2,2.jpg,red, painful,1,0\n`, issues: ['IMPORT_ROW_CELLS'], rows: [1, 1] },
  { name: 'a quotation mark that swallows rows', table: `${head}${good}2,,"open,1,0\n3,,x,1,0\n4,,"y",1,0\n5,,z,1,0\n`, issues: ['IMPORT_ROW_CELLS'], rows: [2, 1] },
  { name: 'a blank ID', table: `${head}${good} ,,x,1,0\n`, issues: ['IMPORT_ID_BLANK'], rows: [1, 1] },
  { name: 'an ID of a no-break space', table: `${head}${good}\u00a0,,x,1,0\n`, issues: ['IMPORT_ID_BLANK'], rows: [1, 1] },
  { name: 'the ID "NaN"', table: `${head}${good}NaN,,x,1,0\n`, issues: ['IMPORT_ID_BLANK'], rows: [1, 1] },
  { name: 'an exact repeat', table: `${head}${good}${good}`, issues: ['IMPORT_DUPLICATE_ROW'], rows: [1, 1] },
  { name: 'an exact repeat with other blanks', table: `${head}${good}1 , 1.jpg,fine ,1,0\n`, issues: ['IMPORT_DUPLICATE_ROW'], rows: [1, 1] },
  { name: 'one patient with two labels', table: `${head}${good}2,,x,1,0\n2,,x,0,0\n`, issues: ['IMPORT_CONFLICTING_ROWS'], rows: [1, 2] },
  { name: 'one patient with two files', table: `${head}${good}2,a.jpg,x,1,0\n2,b.jpg,x,1,0\n`, issues: ['IMPORT_CONFLICTING_ROWS'], rows: [1, 2] },
  { name: 'a study column left blank', table: `${head}${good}2,,,1,0\n`, mapping: { rowUnit: { kind: 'study', column: 'note' } }, issues: ['IMPORT_ID_BLANK'], rows: [1, 1] },
  { name: 'the label "2"', table: `${head}${good}2,,x,2,0\n`, issues: ['IMPORT_LABEL_INVALID'], rows: [1, 1] },
  { name: 'the label "maybe"', table: `${head}${good}2,,x,maybe,0\n`, issues: ['IMPORT_LABEL_INVALID'], rows: [1, 1] },
  { name: 'every label wrong', table: `${head}2,,x,3.5,0\n3,,x,4.5,1\n`, issues: ['IMPORT_LABEL_INVALID', 'IMPORT_IMAGE_UNUSED'], rows: [0, 2] },
  { name: 'a report in the label column', table: `${head}${good}2,,${'word '.repeat(30)},1,0\n`, mapping: { labels: { kind: 'single', column: 'note' } }, issues: ['IMPORT_LABEL_INVALID'], rows: [1, 1] },
  { name: 'labels in several spellings', table: `${head}1,1.jpg,Normal,1,0\n2,,normal,1,0\n`, mapping: { labels: { kind: 'single', column: 'note' } }, issues: ['IMPORT_LABEL_SPELLINGS'], rows: [2, 0] },
  { name: 'impossible ages', table: `${head}1,1.jpg,431,1,0\n`, mapping: { attributes: { age: 'note', sex: null } }, issues: ['IMPORT_AGE_IMPLAUSIBLE'], rows: [1, 0] },
  { name: 'rows that differ in sex', table: 'id,image,note,A,B,sex\n1,1.jpg,x,1,0,F\n1,1.jpg,y,1,0,M\n', mapping: { attributes: { age: null, sex: 'sex' } }, issues: ['IMPORT_ATTRIBUTES_DIFFER'], rows: [2, 0] },
  { name: 'blank rows between', table: `${head}\n${good},,,,\n\n2,,x,0,0\n`, issues: ['IMPORT_BLANK_ROWS'], rows: [2, 0] },
  { name: 'Latin-1', table: encode(`${head}1,1.jpg,Trübung,1,0\n`, 'latin1'), issues: ['IMPORT_ENCODING_GUESSED'], rows: [1, 0] },
  { name: 'lost letters', table: `${head}1,1.jpg,\uFFFDwet\uFFFD,1,0\n`, issues: ['IMPORT_TEXT_DAMAGED'], rows: [1, 0] },
  // folders and images
  { name: 'no folder', spoil: () => Promise.resolve(), refused: 'IMPORT_FOLDER_MISSING' },
  { name: 'a file instead of the folder', spoil: () => Promise.resolve(), refused: 'IMPORT_FOLDER_MISSING' },
  { name: 'a missing image', files: () => Promise.resolve({}), issues: ['IMAGE_NOT_FOUND'], rows: [1, 0] },
  { name: 'a zero-byte image', files: withImage(() => Buffer.alloc(0)), issues: ['IMAGE_EMPTY'], rows: [1, 0] },
  { name: 'a JPEG cut short', files: withImage(async () => (await jpeg(1, 64, 64)).subarray(0, 900)), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a JPEG with foreign bytes in the middle', files: withImage(async () => { const bytes = await shades(); return bytes.fill('part of another file. ', Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.75)) }), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a JPEG with a block of zeros', files: withImage(async () => zeroed(await shades(false), 0.4, 0.8)), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a JPEG whose second half was never copied', files: withImage(async () => zeroed(await shades(true), 0.5, 1)), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a JPEG of a header only', files: withImage(async () => (await jpeg(1, 64, 64)).subarray(0, 200)), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a PNG cut short', files: withImage(async () => (await png(1, 64, 64)).subarray(0, 700)), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a PNG with a flipped byte', files: withImage(async () => { const bytes = await png(1, 64, 64); bytes[400]! ^= 0x55; return bytes }), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a palette PNG cut short', files: withImage(async () => (await picture(1, 64, 64).png({ palette: true }).toBuffer()).subarray(0, 1200)), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'a 16-bit PNG cut short', files: withImage(async () => (await sharp(new Uint16Array(4096).map((_, i) => i * 7919), { raw: { width: 64, height: 64, channels: 1 } }).toColourspace('grey16').png().toBuffer()).subarray(0, 700)), issues: ['IMAGE_DAMAGED'], rows: [1, 0] },
  { name: 'an image that claims 60000 x 60000 pixels', files: withImage(() => pngHeader(60_000, 60_000)), issues: ['IMAGE_TOO_LARGE'], rows: [1, 0] },
  { name: 'text named JPG', files: withImage(() => Buffer.from('this is not a picture, honestly')), issues: ['IMAGE_UNSUPPORTED'], rows: [1, 0] },
  { name: 'an SVG named JPG', files: withImage(() => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')), issues: ['IMAGE_UNSUPPORTED'], rows: [1, 0] },
  { name: 'a BMP named JPG', files: withImage(() => Buffer.concat([Buffer.from('BM'), Buffer.alloc(100)])), issues: ['IMAGE_UNSUPPORTED'], rows: [1, 0] },
  { name: 'a TIFF of several pages', files: withImage(async () => sharp([await png(1), await png(2)], { join: { animated: true } }).tiff().toBuffer()), issues: ['IMAGE_UNSUPPORTED'], rows: [1, 0] },
  { name: 'a folder named like the image', files: () => Promise.resolve({ '1.jpg/inside.txt': 'x' }), issues: ['IMAGE_NOT_FOUND'], rows: [1, 0] },
  { name: 'two files of one name', files: async () => ({ 'a/1.jpg': await jpeg(1), 'b/1.jpg': await jpeg(2) }), issues: ['IMPORT_IMAGE_AMBIGUOUS', 'IMPORT_IMAGE_UNUSED'], rows: [1, 0] },
  { name: 'the same picture under two patients', table: `${head}${good}2,2.jpg,x,1,0\n`, files: async () => ({ '1.jpg': await jpeg(1), '2.jpg': await jpeg(1) }), issues: ['IMPORT_IMAGE_DUPLICATE'], rows: [2, 0] },
  { name: 'an image that no row names', files: async () => ({ '1.jpg': await jpeg(1), '9.jpg': await jpeg(9) }), issues: ['IMPORT_IMAGE_UNUSED'], rows: [1, 0] },
]

describe('broken deliveries', () => {
  it.each(faults)('$name', async (fault) => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'table.csv': fault.table ?? head + good, ...(fault.files ? await fault.files() : { '1.jpg': await jpeg(1) }) })
    await fault.spoil?.(folder)
    const sourceDir = fault.name === 'no folder' ? join(folder, 'gone') : fault.name === 'a file instead of the folder' ? join(folder, 'table.csv') : folder
    const request = { source: { sourceDir, tableFile: join(folder, 'table.csv'), sheet: fault.sheet ?? null }, mapping: { ...plainMapping, ...fault.mapping }, pseudonymKey: 'k' }
    const run = createContext()
    if (fault.refused) {
      await expect(checkImport(request, createContext())).rejects.toMatchObject({ code: fault.refused, fix: errorCatalog[fault.refused].fix })
      await expect(runImport({ ...request, fromOrdinal: 0, tableSha256: null }, run)).rejects.toMatchObject({ code: fault.refused })
      return
    }
    const check = await checkImport(request, createContext())
    expect(check.issues.map(({ code }) => code).sort()).toEqual([...fault.issues!].sort())
    expect([check.rowsAccepted, check.rowsRejected]).toEqual(fault.rows)
    expect(check.rowsIn).toBe(check.rowsAccepted + check.rowsRejected)
    const { rowsIn } = await runImport({ ...request, fromOrdinal: 0, tableSha256: null }, run)
    const rejected = run.data.flatMap((entry) => (entry.kind === 'import-start' ? entry.start.rejectedRows : []))
    const studies = run.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : []))
    expect(rowsIn).toBe(studies.flatMap(({ rows }) => rows).length + rejected.length)
    expect(rejected.length).toBe(check.rowsRejected)
    // Neither file names nor cell contents may leave by a message.
    const messages = [...check.issues.flatMap(({ examples }) => examples.map(({ detail }) => detail)), ...rejected.map(({ detail }) => detail), ...studies.flatMap(({ items }) => items.map(({ detail }) => detail ?? ''))]
    expect(messages.filter((message) => /\.jpg|\.png|maybe|painful/i.test(message))).toEqual([])
  })

  it.skipIf(process.getuid?.() === 0)('a file without the right to read it (not as root, who may read all)', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'table.csv': head + good, '1.jpg': await jpeg(1) })
    await chmod(join(folder, '1.jpg'), 0)
    const check = await checkImport({ source: { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }, mapping: plainMapping, pseudonymKey: 'k' }, createContext())
    expect(check.issues.map(({ code }) => code)).toEqual(['IMPORT_FOLDER_UNREADABLE'])
  })
})

import { join } from 'node:path'
import fc from 'fast-check'
import { encode } from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { createIssueCollector } from '../../../engine/importers/issues.ts'
import { openTable } from '../../../engine/importers/table/open-table.ts'
import { readHeader } from '../../../engine/importers/table/header.ts'
import { numberText } from '../../../engine/importers/table/xlsx-records.ts'
import { makeFolder, makeXlsx, writeFiles } from './helpers.ts'

const never = new AbortController().signal

async function readAll(content: Buffer | string, sheet: string | null = null) {
  const folder = await makeFolder()
  await writeFiles(folder, { table: content })
  const issues = createIssueCollector()
  const table = await openTable({ sourceDir: folder, tableFile: join(folder, 'table'), sheet }, issues, never)
  const rows = []
  for await (const chunk of table.readRows()) rows.push(...chunk)
  return { table, rows, issues: issues.list() }
}

const german = 'ID;Befund;Größe\r\n001;Trübung der Linse, beidseits;groß\r\n002;Ödem;klein\r\n'

describe('encodings', () => {
  const samples: { name: string; bytes: Buffer; encoding: string; cell: string }[] = [
    { name: 'UTF-8 with mark', bytes: encode(german, 'utf8', { addBOM: true }), encoding: 'utf-8', cell: 'Trübung der Linse, beidseits' },
    { name: 'UTF-8', bytes: encode(german, 'utf8'), encoding: 'utf-8', cell: 'Trübung der Linse, beidseits' },
    { name: 'UTF-16 LE with mark', bytes: encode(german, 'utf-16le', { addBOM: true }), encoding: 'utf-16le', cell: 'Trübung der Linse, beidseits' },
    { name: 'UTF-16 BE with mark', bytes: encode(german, 'utf-16be', { addBOM: true }), encoding: 'utf-16be', cell: 'Trübung der Linse, beidseits' },
    { name: 'UTF-16 LE without mark', bytes: encode(german, 'utf-16le'), encoding: 'utf-16le', cell: 'Trübung der Linse, beidseits' },
    { name: 'Latin-1', bytes: encode(german, 'latin1'), encoding: 'windows-1252', cell: 'Trübung der Linse, beidseits' },
    { name: 'Windows-1252', bytes: encode('ID;Befund\n1;œdème – sévère “net”\n', 'win1252'), encoding: 'windows-1252', cell: 'œdème – sévère “net”' },
    { name: 'GB18030', bytes: encode('编号,诊断\n1,糖尿病视网膜病变\n2,正常眼底\n', 'gb18030'), encoding: 'GB18030', cell: '糖尿病视网膜病变' },
    { name: 'GB18030 with only full-width commas', bytes: encode('ID,keywords\n1,moderate retinopathy，hypertensive retinopathy\n2,normal\n', 'gb18030'), encoding: 'GB18030', cell: 'moderate retinopathy，hypertensive retinopathy' },
    { name: 'Cyrillic', bytes: encode('ид;диагноз\n1;начальная катаракта правого глаза\n2;глаукома\n', 'win1251'), encoding: 'windows-1251', cell: 'начальная катаракта правого глаза' },
  ]
  it.each(samples)('$name', async ({ bytes, encoding, cell }) => {
    const { table, rows } = await readAll(bytes)
    expect(table.encoding).toBe(encoding)
    expect(rows[0]!.cells[1]).toBe(cell)
  })

  it('says when the encoding was guessed and when letters were lost', async () => {
    expect((await readAll(encode(german, 'latin1'))).issues.map(({ code }) => code)).toEqual(['IMPORT_ENCODING_GUESSED'])
    expect((await readAll('ID,note\n1,\uFFFDwet market\uFFFD\n')).issues.map(({ code, count }) => [code, count])).toEqual([['IMPORT_TEXT_DAMAGED', 1]])
    const stray = Buffer.concat([Buffer.from(`ID;Befund\n${'1;Trübung und Ödem\n'.repeat(20)}2;`), Buffer.from([0xe9]), Buffer.from('x\n')])
    const { table, rows, issues } = await readAll(stray)
    expect(table.encoding).toBe('utf-8')
    expect(rows[0]!.cells[1]).toBe('Trübung und Ödem')
    expect(issues.map(({ code }) => code)).toContain('IMPORT_TEXT_DAMAGED')
  })
})

describe('separators and rows', () => {
  it.each([',', ';', '\t', '|', '\uFF0C'])('separator %j', async (separator) => {
    const rows = [['id', 'note', 'value'], ['1', 'a b', '3.5'], ['2', 'c d', '4']]
    const { table, rows: read } = await readAll(rows.map((cells) => cells.join(separator)).join('\n'))
    expect(table.separator).toBe(separator)
    expect(read.map(({ cells }) => cells)).toEqual(rows.slice(1))
  })

  it('takes semicolons although decimals are written with commas', async () => {
    const { table, rows } = await readAll('id;a;b\n1;0,5;0,7\n2;1,5;2,7\n')
    expect([table.separator, rows[1]!.cells]).toEqual([';', ['2', '1,5', '2,7']])
  })

  it('respects "sep=" lines, lone titles, blank lines and a single column', async () => {
    expect((await readAll('sep=|\nid|a,b,c\n1|2\n')).rows[0]).toEqual({ row: 3, cells: ['1', '2'], problem: null })
    const titled = await readAll('Export of ward 7\n\nid,a,b\n1,2,3\n')
    expect(titled.table.columns).toEqual(['id', 'a', 'b'])
    expect(titled.rows[0]!.row).toBe(4)
    const gaps = await readAll('id,a\n1,2\n\n ,\n3,4\n\n\n')
    expect(gaps.rows.map(({ row }) => row)).toEqual([2, 5])
    expect(gaps.issues.map(({ code, count }) => [code, count])).toEqual([['IMPORT_BLANK_ROWS', 2]])
    const single = await readAll('id\n1\n2\n')
    expect([single.table.separator, single.rows.length]).toEqual([null, 2])
  })

  it('names rows with too many or too few cells and open quotation marks, and reads on', async () => {
    const { rows } = await readAll('id,a,b\n1,2\n1,2,3,4\n1,2,3,,\n5,"two\nlines, with comma",6\n7,"open,8\n9,10,11\n12,"x",13\n14,15,16\n')
    expect(rows.map(({ problem }) => problem === null)).toEqual([false, false, true, true, false, true])
    expect(rows[3]!.cells[1]).toBe('two\nlines, with comma')
    expect(rows[4]!.problem).toContain('quotation mark')
  })
})

describe('header', () => {
  it('repairs padded, empty and repeated titles', () => {
    const { columns, repairs } = readHeader(['\uFEFFID ', 'Patient\u00a0\n Age', '', 'A', 'A', 'e\u0301'])
    expect(columns).toEqual(['ID', 'Patient Age', 'Column 3', 'A', 'A (2)', '\u00e9'])
    expect(repairs).toHaveLength(5)
  })

  it('always gives unique, non-empty names (property)', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('A', 'A (2)', '', ' ', 'Column 2', 'Column 2 (2)')), { minLength: 1, maxLength: 30 }), (cells) => {
      const { columns } = readHeader(cells)
      expect(new Set(columns).size).toBe(cells.length)
      expect(columns.every((name) => name.length > 0 && name.trim() === name)).toBe(true)
    }))
  })
})

describe('workbooks', () => {
  it('keeps IDs as text, dates as ISO, rows in place and chooses sheets', async () => {
    const book = makeXlsx({
      Empty: [],
      Data: [['ID ', 'when', 'flag', 'value'], [317, new Date('2020-01-02T00:00:00Z'), true, 0.1 + 0.2], [null, null, null, null], ['00317\u00a0', new Date('2020-01-02T13:30:00Z'), false, 1e21]],
      Other: [['x'], ['y']],
    })
    const { table, rows, issues } = await readAll(book)
    expect([table.format, table.sheets, table.sheet, table.columns]).toEqual(['xlsx', ['Empty', 'Data', 'Other'], 'Data', ['ID', 'when', 'flag', 'value']])
    expect(rows[0]).toEqual({ row: 2, cells: ['317', '2020-01-02', 'true', '0.3'], problem: null })
    expect(rows[1]!.row).toBe(4)
    expect(rows[1]!.cells.slice(0, 3)).toEqual(['00317', '2020-01-02T13:30:00', 'false'])
    expect(issues.map(({ code }) => code)).toContain('IMPORT_BLANK_ROWS')
    expect((await readAll(book, 'Other')).rows[0]!.cells).toEqual(['y'])
  })

  it.each([['317.0', '317'], ['3.17E2', '317'], ['12345678901234567890', '12345678901234567890'], ['0.30000000000000004', '0.3'], ['-5', '-5']])('number %s is %s', (raw, text) => {
    expect(numberText(raw)).toBe(text)
  })
})

describe('any table survives writing and reading (property)', () => {
  const cell = fc.oneof(
    fc.stringMatching(/^[a-z0-9 ,;|"'äöüéß\n\t.-]{0,20}$/),
    fc.constantFrom('a,b', 'say "hi"', 'two\nlines', 'tab\there', 'semi;colon', 'x|y', '，full，width', '00123', ''),
  )
  // Inside a cell of several lines, a quotation mark right after a separator is taken for one that was not closed.
    .filter((text) => !(/[\n\r]/.test(text) && /[,;|\t\n]"/.test(text)))
  const clean = (text: string): string => text.normalize('NFC').trim()

  it('whatever the encoding, separator, quoting and line ends', async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 12 }), fc.constantFrom(',', ';', '\t', '|'), fc.constantFrom('\n', '\r\n'),
      fc.constantFrom('utf8', 'utf8-bom', 'utf-16le', 'utf-16be'), fc.boolean(),
      async (cells, separator, lineEnd, encoding, quoteAll) => {
        const quote = (text: string): string => (quoteAll || /[",;|\t\r\n]|^ | $/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
        const rows = cells.map((row, index) => [`p${index}`, ...row])
        const text = [['id', 'one', 'two', 'three'], ...rows].map((row) => row.map(quote).join(separator)).join(lineEnd) + lineEnd
        const bytes = encoding === 'utf8-bom' ? encode(text, 'utf8', { addBOM: true }) : encode(text, encoding, { addBOM: encoding !== 'utf8' })
        const { rows: read } = await readAll(bytes)
        expect(read.map((row) => row.problem)).toEqual(rows.map(() => null))
        expect(read.map((row) => row.cells)).toEqual(rows.map((row) => row.map(clean)))
      },
    ), { numRuns: 100 })
  })

  it('and random bytes are read or refused, never crash', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      try {
        await readAll(Buffer.from(bytes))
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^IMPORT_TABLE_/) })
      }
    }), { numRuns: 100 })
  })
})

import { join } from 'node:path'
import fc from 'fast-check'
import { encode } from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { mappingSchema, type Mapping } from '../../../engine/domain/mapping.ts'
import { cleanCell } from '../../../engine/importers/ids.ts'
import { createIssueCollector } from '../../../engine/importers/issues.ts'
import { loadCohort } from '../../../engine/importers/load-cohort.ts'
import { openTable } from '../../../engine/importers/table/open-table.ts'
import { createContext, makeFolder, makeXlsx, writeFiles } from './helpers.ts'

/** Arbitrary tables, written as programs write them, must come back cell by cell; and no row may be lost on the way to a study. */

const never = new AbortController().signal

async function readBack(content: Buffer) {
  const folder = await makeFolder()
  await writeFiles(folder, { table: content })
  const table = await openTable({ sourceDir: folder, tableFile: join(folder, 'table'), sheet: null }, createIssueCollector(), never)
  const rows: { cells: string[]; problem: string | null }[] = []
  for await (const chunk of table.readRows()) rows.push(...chunk)
  return { columns: table.columns, encoding: table.encoding, rows }
}

const separators = [',', ';', '\t', '|'] as const
const lineEnds = ['\n', '\r\n', '\r'] as const
type Quoting = 'all' | 'needed'

function writeCsv(rows: readonly (readonly string[])[], separator: string, lineEnd: string, quoting: Quoting): string {
  // A single blank cell must be quoted, or its line is an empty one.
  const cellText = (cell: string): string => (quoting === 'all' || /["\r\n]/.test(cell) || cell.includes(separator) || cell === '' || cell !== cell.trim() ? `"${cell.replaceAll('"', '""')}"` : cell)
  return rows.map((cells) => cells.map(cellText).join(separator)).join(lineEnd) + lineEnd
}

const title = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_ ]{0,11}$/).map((text) => text.trim())
const plainCell = fc.oneof(fc.stringMatching(/^[a-z0-9 ,;|.'()+-]{0,16}$/), fc.constantFrom('00123', '', '-5', '3,14', '12/03/2020', 'a "quoted" word', '""', "it's", 'ends, with; all| kinds'))
/** A quotation mark beside a line break is what an unclosed quotation looks like, which is told instead of read; see swallowedLines. */
const lines = fc.array(fc.stringMatching(/^[a-z ]{1,8}$/), { minLength: 2, maxLength: 3 }).map((parts) => parts.join('\n'))
const letters: Record<string, fc.Arbitrary<string>> = {
  'utf-8': fc.constantFrom('Trübung', '白内障', 'œdème', '🙂 ok', 'глаукома', 'e\u0301'),
  'utf-8 with mark': fc.constantFrom('Trübung', '白内障', 'глаукома'),
  'utf-16le': fc.constantFrom('Trübung', '白内障', 'sévère'),
  'utf-16be': fc.constantFrom('Trübung', '白内障', 'sévère'),
  latin1: fc.constantFrom('Trübung der Linse', 'Ödem im Auge', 'sévère à droite', 'maño'),
  win1252: fc.constantFrom('œdème – sévère', 'Trübung der Linse', '“net” à gauche'),
  gb18030: fc.constantFrom('糖尿病视网膜病变', '正常眼底，无异常', '老年性黄斑变性', '高血压性视网膜病变'),
}

interface Written { encoding: string; separator: string; lineEnd: string; quoting: Quoting; titles: string[]; rows: string[][] }

const written: fc.Arbitrary<Written> = fc.constantFrom(...Object.keys(letters)).chain((encoding) => {
  const cell = fc.oneof({ arbitrary: plainCell, weight: 3 }, { arbitrary: lines, weight: 1 }, { arbitrary: letters[encoding]!, weight: 3 })
  return fc.uniqueArray(title.filter((text) => text !== ''), { minLength: 2, maxLength: 6 }).chain((titles) => fc.record({
    encoding: fc.constant(encoding), separator: fc.constantFrom(...separators), lineEnd: fc.constantFrom(...lineEnds), quoting: fc.constantFrom<Quoting>('all', 'needed'), titles: fc.constant(titles),
    // One cell of every row in letters of the encoding, so that there is something to tell it by.
    rows: fc.array(fc.tuple(letters[encoding]!, fc.array(cell, { minLength: titles.length - 1, maxLength: titles.length - 1 })).map(([first, rest]) => [first, ...rest]), { minLength: 6, maxLength: 14 }),
  }))
})

const bytesOf = (text: string, encoding: string): Buffer => (encoding === 'utf-8 with mark' ? encode(text, 'utf8', { addBOM: true }) : encode(text, encoding, { addBOM: encoding.startsWith('utf-16') }))

describe('a text table', () => {
  it('comes back cell by cell, in any encoding, separator, line end and way of quoting', async () => {
    await fc.assert(fc.asyncProperty(written, async ({ encoding, separator, lineEnd, quoting, titles, rows }) => {
      const { columns, rows: read } = await readBack(bytesOf(writeCsv([titles, ...rows], separator, lineEnd, quoting), encoding))
      expect(columns).toEqual(titles.map((text) => text.replace(/\s+/g, ' ')))
      expect(read.map(({ problem }) => problem).filter((problem) => problem !== null)).toEqual([])
      expect(read.map(({ cells }) => cells)).toEqual(rows.map((cells) => cells.map(cleanCell)))
    }), { numRuns: 120 })
  })

  it('is read past blank lines before and after, padded and full-width titles, and a mark of the separator', async () => {
    const noise = fc.record({ before: fc.nat(2), after: fc.nat(3), pad: fc.constantFrom('', ' ', '\u00a0', '\u200b'), hasMark: fc.boolean(), wide: fc.boolean() })
    await fc.assert(fc.asyncProperty(written.filter(({ encoding }) => encoding === 'utf-8'), noise, async ({ separator, titles, rows }, { before, after, pad, hasMark, wide }) => {
      const shown = wide ? titles.map((text) => text.replace(/[A-Za-z0-9]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0))) : titles
      const text = (hasMark && before === 0 ? `sep=${separator}\n` : '') + '\n'.repeat(before) + writeCsv([shown.map((name) => `${pad}${name}${pad}`), ...rows], separator, '\n', 'all') + '\n'.repeat(after)
      const { columns, rows: read } = await readBack(bytesOf(text, 'utf-8'))
      expect(columns).toHaveLength(titles.length)
      expect(columns).toEqual(shown.map((name) => cleanCell(name).replace(/\s+/gu, ' ')))
      expect(read.map(({ cells }) => cells)).toEqual(rows.map((cells) => cells.map(cleanCell)))
    }), { numRuns: 60 })
  })
})

it('a workbook comes back cell by cell', async () => {
  const cell = fc.oneof(fc.stringMatching(/^[a-zäöü0-9 ,;"'<>&.-]{1,20}$/), fc.constantFrom('00123', '白内障', 'a\nb'))
  await fc.assert(fc.asyncProperty(fc.uniqueArray(title.filter((text) => text !== ''), { minLength: 2, maxLength: 5 }).chain((titles) => fc.tuple(fc.constant(titles), fc.array(fc.array(cell, { minLength: titles.length, maxLength: titles.length }), { minLength: 1, maxLength: 8 }))), async ([titles, rows]) => {
    const full = rows.filter((cells) => cells.some((text) => cleanCell(text) !== ''))
    fc.pre(full.length === rows.length)
    const { columns, rows: read } = await readBack(makeXlsx({ Sheet: [titles, ...rows] }))
    expect(columns).toEqual(titles.map((text) => text.replace(/\s+/g, ' ')))
    expect(read.map(({ cells }) => cells)).toEqual(rows.map((cells) => cells.map(cleanCell)))
  }), { numRuns: 40 })
})

describe('a mapping', () => {
  const rowUnits: Mapping['rowUnit'][] = [{ kind: 'patient' }, { kind: 'row' }, { kind: 'study', column: 'visit' }]
  const labels: Mapping['labels'][] = [{ kind: 'one-hot', columns: [{ column: 'A', name: 'Alpha' }, { column: 'B', name: 'Beta' }] }, { kind: 'list', column: 'finding', separators: ',;|' }, { kind: 'single', column: 'finding' }, { kind: 'none' }]
  const id = fc.constantFrom('1', '2', '003', ' 2 ', '', 'NaN', 'x y', '="0007"')
  const row = fc.tuple(id, fc.constantFrom('v1', 'v2', '', 'n/a'), fc.constantFrom('photo.jpg', 'other.jpg', ''), fc.constantFrom('fine', 'seen on 12/03/2020', '', 'line\nbreak'), fc.constantFrom('1', '0', '', 'yes', '2', 'maybe'), fc.constantFrom('0', '1', 'unknown'), fc.constantFrom('cataract', 'Cataract', 'glaucoma, amd', '[]', "['N', 'D']", ''), fc.constantFrom('54', '1', '431', '', 'old'), fc.constantFrom('F', 'm', '', 'x'))
    .chain((cells) => fc.constantFrom<'whole' | 'short' | 'long' | 'blank'>('whole', 'whole', 'whole', 'whole', 'short', 'long', 'blank').map((shape) => (shape === 'short' ? cells.slice(0, 4) : shape === 'long' ? [...cells, 'extra'] : shape === 'blank' ? cells.map(() => '') : cells)))
  const titles = ['id', 'visit', 'image', 'note', 'A', 'B', 'finding', 'age', 'sex']

  it('accounts for every row of any table: rows in = accepted + rejected, each row once', async () => {
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 25 }), fc.constantFrom(...rowUnits), fc.constantFrom(...labels), fc.constantFrom(...separators), async (rows, rowUnit, labelMapping, separator) => {
      const filled = rows.flatMap((cells, index) => (cells.some((cell) => cleanCell(cell) !== '') ? [index + 2] : []))
      fc.pre(filled.length > 0)
      const folder = await makeFolder()
      await writeFiles(folder, { 'table.csv': writeCsv([titles, ...rows], separator, '\n', 'all') })
      const mapping = mappingSchema.parse({
        patientIdColumn: 'id', rowUnit, labels: labelMapping, attributes: { age: 'age', sex: 'sex' },
        slots: [
          { slot: { slotId: 'photo', modality: 'image', title: 'Photo', letter: 'P' }, source: { kind: 'column', column: 'image' } },
          { slot: { slotId: 'note', modality: 'text', title: 'Note', letter: 'N' }, source: { kind: 'template', template: '{note}' } },
        ],
      })
      const cohort = await loadCohort({ source: { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }, mapping, pseudonymKey: 'k' }, createIssueCollector(), createContext())
      const accepted = cohort.studies.flatMap((study) => study.rows)
      const rejected = cohort.rejected.map((entry) => entry.row)
      expect(cohort.rowsIn).toBe(filled.length)
      expect([...accepted, ...rejected].sort((a, b) => a - b)).toEqual(filled)
      expect(cohort.studies.every(({ labelValues }) => labelValues.length === cohort.labelNames.length)).toBe(true)
    }), { numRuns: 150 })
  })
})

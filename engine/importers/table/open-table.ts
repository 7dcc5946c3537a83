import { open, stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { AppError } from '../../domain/errors.ts'
import type { ImportSource } from '../../domain/mapping.ts'
import { openDicomTable } from '../dicom/header-table.ts'
import { tableFileError } from '../file-errors.ts'
import { cleanCell } from '../ids.ts'
import { openReportTable } from '../reports/report-table.ts'
import type { IssueCollector } from '../issues.ts'
import { readCharacters, readCsvRecords } from './csv-records.ts'
import { detectEncoding, type TextEncoding } from './encoding.ts'
import { findHeader, readHeader } from './header.ts'
import { scanBytes } from './scan-bytes.ts'
import { detectSeparator } from './separator.ts'
import { readXlsxSheet } from './xlsx-records.ts'

/** One non-empty row. `row` is its 1-based position in the table, the header included; `cells` fit the columns unless `problem` says why not. */
export interface TableRow {
  row: number
  cells: string[]
  problem: string | null
}

export interface OpenTable {
  format: 'csv' | 'xlsx' | 'dicom' | 'reports'
  encoding: string
  separator: string | null
  sheets: string[]
  sheet: string | null
  columns: string[]
  sha256: string
  /** Non-empty rows in chunks, cells cleaned (NFC, outer blanks removed). Empty rows and lost letters become issues at the end. */
  readRows: () => AsyncGenerator<TableRow[]>
}

const separatorSampleBytes = 128 * 1024
const headerSearchRecords = 20
const chunkRows = 2000

/**
 * Opens a CSV, TSV or XLSX table whatever its encoding and separator, and reads its header. Repairs and guesses go to `issues`.
 * A folder is read as the table of its XML reports, or else of its DICOM headers.
 * @throws AppError IMPORT_TABLE_MISSING, _UNSUPPORTED, _UNREADABLE, _TOO_LARGE, _EMPTY or IMPORT_SHEET_MISSING; an AbortError when cancelled
 */
export async function openTable(source: ImportSource, issues: IssueCollector, signal: AbortSignal): Promise<OpenTable> {
  if (await isFolder(source.tableFile)) return (await openReportTable(source.tableFile, signal)) ?? openDicomTable(source.tableFile, issues, signal)
  const kind = await tableKind(source.tableFile)
  const scan = await scanBytes(source.tableFile, signal)
  if (scan.byteSize === 0) throw new AppError('IMPORT_TABLE_EMPTY', 'The table file is empty (0 bytes).')
  if (kind === 'xlsx') {
    const { sheets, sheet, records } = await readXlsxSheet(source.tableFile, source.sheet)
    signal.throwIfAborted()
    const readRecords = (): AsyncGenerator<string[][]> => inChunks(records, signal)
    const header = await openHeader(readRecords(), issues)
    const widest = { ...header, separator: null }
    return { format: 'xlsx', encoding: 'utf-8', separator: null, sheets, sheet, columns: header.columns, sha256: scan.sha256, readRows: () => tableRows(readRecords(), widest, issues) }
  }
  const encoding = detectEncoding(scan)
  if (!encoding) throw new AppError('IMPORT_TABLE_UNSUPPORTED', 'The file is neither a text table (CSV, TSV) nor an XLSX workbook.')
  noteEncoding(encoding, issues)
  let sample = ''
  for await (const text of readCharacters(source.tableFile, encoding.name, separatorSampleBytes)) sample += text
  const separator = detectSeparator(sample)
  const readRecords = (): AsyncGenerator<string[][]> => readCsvRecords(source.tableFile, encoding.name, separator ?? ',', signal)
  const header = await openHeader(readRecords(), issues)
  return {
    format: 'csv', encoding: encoding.name, separator, sheets: [], sheet: null, columns: header.columns, sha256: scan.sha256,
    readRows: () => tableRows(readRecords(), { ...header, separator: separator ?? ',' }, issues),
  }
}

function noteEncoding(encoding: TextEncoding, issues: IssueCollector): void {
  if (encoding.isDamaged) issues.add('IMPORT_TEXT_DAMAGED', 'note', null, 'Some bytes of the table are not valid UTF-8 and were replaced.')
  else if (!encoding.isCertain) issues.add('IMPORT_ENCODING_GUESSED', 'note', null, `Read as ${encoding.name === 'windows-1252' ? 'Windows-1252 (Latin-1)' : encoding.name}.`)
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((info) => info.isDirectory(), () => false)
}

/** What the first bytes say, since extensions are often wrong. */
async function tableKind(file: string): Promise<'text' | 'xlsx'> {
  const head = Buffer.alloc(8)
  try {
    const handle = await open(file, 'r')
    try {
      await handle.read(head, 0, head.length, 0)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw tableFileError(error)
  }
  if (head.readUInt32BE(0) === 0x504b0304) return 'xlsx'
  if (head.readUInt32BE(0) === 0xd0cf11e0) throw new AppError('IMPORT_TABLE_UNSUPPORTED', 'This is an old XLS workbook, or one locked with a password.')
  if (head.toString('latin1', 0, 4) === 'PAR1') throw new AppError('IMPORT_TABLE_UNSUPPORTED', 'Parquet tables cannot be read.')
  if (head.toString('latin1', 0, 5) === '%PDF-') throw new AppError('IMPORT_TABLE_UNSUPPORTED', 'This is a PDF document, not a table.')
  return 'text'
}

/** Hands out records piece by piece, so that a cancel is heard between the pieces of a long sheet. */
async function* inChunks(records: string[][], signal: AbortSignal): AsyncGenerator<string[][]> {
  for (let start = 0; start < records.length; start += chunkRows) {
    await setImmediate()
    signal.throwIfAborted()
    yield records.slice(start, start + chunkRows)
  }
}

interface FoundHeader { columns: string[]; headerIndex: number }

/** Finds and repairs the header among the first records; the reading is stopped there. */
async function openHeader(chunks: AsyncGenerator<string[][]>, issues: IssueCollector): Promise<FoundHeader> {
  const records: string[][] = []
  for await (const chunk of chunks) {
    records.push(...chunk.slice(0, headerSearchRecords))
    if (records.length >= headerSearchRecords) break
  }
  const start = /^sep=.?$/i.test(records[0]?.[0]?.trim() ?? '') ? 1 : 0
  const index = findHeader(records.slice(start))
  if (index < 0) throw new AppError('IMPORT_TABLE_EMPTY', 'The table has no header: all of its first rows are blank.')
  const { columns, repairs } = readHeader(records[start + index]!)
  for (const repair of repairs) issues.add('IMPORT_HEADER_REPAIRED', 'note', start + index + 1, repair)
  if (index > 0 && records.slice(start, start + index).some((cells) => cells.some((cell) => cleanCell(cell) !== ''))) {
    issues.add('IMPORT_HEADER_REPAIRED', 'note', start + index + 1, `The lines above row ${start + index + 1} were taken for a title and passed over.`)
  }
  return { columns, headerIndex: start + index }
}

async function* tableRows(chunks: AsyncGenerator<string[][]>, header: FoundHeader & { separator: string | null }, issues: IssueCollector): AsyncGenerator<TableRow[]> {
  const { columns, headerIndex, separator } = header
  let index = -1
  let blankRows = 0
  let blankRun = 0
  let damagedCells = 0
  let damagedRow: number | null = null
  for await (const chunk of chunks) {
    const rows: TableRow[] = []
    for (const raw of chunk) {
      index++
      if (index <= headerIndex) continue
      const cells = raw.map(cleanCell)
      let last = cells.length
      while (last > 0 && cells[last - 1] === '') last--
      if (last === 0) {
        blankRun++
        continue
      }
      // Blank lines at the very end are how files end, not something to report.
      blankRows += blankRun
      blankRun = 0
      for (const cell of cells) {
        if (cell.includes('\uFFFD')) {
          damagedCells++
          damagedRow ??= index + 1
        }
      }
      rows.push({ row: index + 1, ...fitCells(cells, last, columns.length, separator) })
    }
    if (rows.length > 0) yield rows
  }
  if (blankRows > 0) issues.add('IMPORT_BLANK_ROWS', 'note', null, 'Rows in which every cell is blank.', blankRows)
  if (damagedCells > 0) issues.add('IMPORT_TEXT_DAMAGED', 'note', damagedRow, 'The replacement sign U+FFFD stands where a letter was lost.', damagedCells)
}

/** Cells beyond the header are dropped when blank; anything else that does not fit is a problem of that row. */
function fitCells(cells: string[], filledLength: number, width: number, separator: string | null): { cells: string[]; problem: string | null } {
  const swallowed = separator === null ? null : swallowedLines(cells, width, separator)
  if (swallowed) return { cells, problem: swallowed }
  if (filledLength > width) return { cells, problem: `${filledLength} cells, but the header has ${width}` }
  if (cells.length > width) return { cells: cells.slice(0, width), problem: null }
  if (cells.length === width) return { cells, problem: null }
  // A workbook leaves out blank cells at the end of a row; a text table does not.
  if (separator === null) return { cells: [...cells, ...Array<string>(width - cells.length).fill('')], problem: null }
  return { cells, problem: `${cells.length} cells, but the header has ${width}` }
}

/**
 * A quotation mark that was never closed swallows the rows up to the end of the next quoted cell: that cell's opening mark then
 * stands inside, right after a separator or line break, and the swallowed lines still have their separators. Notes of several
 * lines alone are fine.
 */
function swallowedLines(cells: readonly string[], width: number, separator: string): string | null {
  for (const cell of cells) {
    if (!cell.includes('\n') && !cell.includes('\r')) continue
    if (!cell.includes(`${separator}"`) && !cell.includes('\n"')) continue
    const lines = cell.split(/\r\n|\n|\r/)
    if (lines.slice(1).some((line) => line.split(separator).length >= width - 1)) return `a quotation mark is not closed, so that ${lines.length} lines run together`
  }
  return null
}

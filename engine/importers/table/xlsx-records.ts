import readWorkbook from 'read-excel-file/node'
import { AppError } from '../../domain/errors.ts'
import { systemCode, tableFileError } from '../file-errors.ts'
import { checkWorkbook } from './workbook-check.ts'

/** A number cell as the file writes it, so that IDs are not pushed through floating point. */
interface RawNumber { raw: string }

export interface XlsxSheet {
  sheets: string[]
  sheet: string
  records: string[][]
}

/**
 * One sheet of a workbook as text cells: numbers without ".0", dates as ISO, error cells blank. Without a chosen sheet the first
 * one that has at least two rows.
 * @throws AppError IMPORT_TABLE_UNREADABLE, IMPORT_TABLE_TOO_LARGE or IMPORT_SHEET_MISSING
 */
export async function readXlsxSheet(file: string, chosenSheet: string | null): Promise<XlsxSheet> {
  await checkWorkbook(file).catch((error: unknown) => { throw error instanceof AppError ? error : tableFileError(error) })
  let workbook: Awaited<ReturnType<typeof readWorkbook<RawNumber>>>
  try {
    workbook = await readWorkbook<RawNumber>(file, { trim: false, parseNumber: (raw) => ({ raw }) })
    // A sheet whose part is not in the archive comes without rows, against the types.
    if (workbook.some(({ data }) => !Array.isArray(data))) throw new Error('a sheet is missing')
  } catch (error) {
    if (systemCode(error) !== '' && !isFormatError(error)) throw tableFileError(error)
    throw new AppError('IMPORT_TABLE_UNREADABLE', 'The workbook is damaged or is not an XLSX file.', { cause: error })
  }
  const sheets = workbook.map((entry) => entry.sheet)
  const found = chosenSheet === null
    ? workbook.find((entry) => entry.data.length >= 2) ?? workbook[0]
    : workbook.find((entry) => entry.sheet === chosenSheet)
  if (!found) {
    if (chosenSheet === null) throw new AppError('IMPORT_TABLE_EMPTY', 'The workbook has no sheet.')
    throw new AppError('IMPORT_SHEET_MISSING', `The workbook has no sheet "${chosenSheet}"; it has: ${sheets.join(', ')}.`)
  }
  return { sheets, sheet: found.sheet, records: found.data.map((cells) => cells.map(cellText)) }
}

function isFormatError(error: unknown): boolean {
  return ['INVALID_ZIP', 'NOT_A_ZIP', 'INVALID_INPUT', 'Z_DATA_ERROR', 'Z_BUF_ERROR'].includes(systemCode(error))
}

/** Text of a cell value as read-excel-file hands it over. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (value instanceof Date) return dateText(value)
  if (typeof value === 'object' && 'raw' in value) return numberText(String(value.raw))
  return String(value)
}

/** "317.0" and "3.17E2" become "317"; whole numbers of any length stay digit for digit. */
export function numberText(raw: string): string {
  const text = raw.trim()
  if (/^-?\d+$/.test(text)) return text
  const value = Number(text)
  if (text === '' || !Number.isFinite(value)) return text
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString()
  // Spreadsheets store 0.1 + 0.2 with all its binary digits; 15 are what they show.
  return String(Number(value.toPrecision(15)))
}

/** ISO day, with the time when it is not midnight. Spreadsheet dates carry no time zone; the reader hands them over as UTC. */
function dateText(value: Date): string {
  if (Number.isNaN(value.getTime())) return ''
  const text = value.toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 19)
}

import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { AppError } from '../domain/errors.ts'

const linesPerWrite = 2000

/** Said in every export, in the last column of its first data line. */
export const researchUseOnly = 'Research use only. Not for diagnosis or treatment.'

/**
 * Writes lines as CSV (RFC 4180; UTF-8 with BOM so that spreadsheets read it) beside the target and renames at the end,
 * so that a failure leaves no half file. Throws EXPORT_FAILED with the system's cause.
 *
 * @returns number of data lines
 */
export function writeCsv(outFile: string, columns: readonly string[], rows: Iterable<readonly (string | number)[]>): number {
  const partFile = `${outFile}.part`
  let rowCount = 0
  try {
    const file = openSync(partFile, 'w')
    try {
      let lines = [`\uFEFF${[...columns, 'note'].join(',')}`]
      for (const row of rows) {
        lines.push([...row, rowCount === 0 ? researchUseOnly : ''].map(csvCell).join(','))
        rowCount++
        if (lines.length >= linesPerWrite) {
          writeSync(file, `${lines.join('\r\n')}\r\n`)
          lines = []
        }
      }
      if (lines.length > 0) writeSync(file, `${lines.join('\r\n')}\r\n`)
    } finally {
      closeSync(file)
    }
    renameSync(partFile, outFile)
    return rowCount
  } catch (error) {
    rmSync(partFile, { force: true })
    if (error instanceof AppError) throw error
    const cause = error instanceof Error && 'code' in error ? String(error.code) : 'unknown cause'
    throw new AppError('EXPORT_FAILED', `The file could not be written (${cause}).`, { cause: error })
  }
}

/** Quotes where needed and defuses text that a spreadsheet would run as a formula. Numbers are written as they are. */
function csvCell(cell: string | number): string {
  if (typeof cell === 'number') return String(cell)
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

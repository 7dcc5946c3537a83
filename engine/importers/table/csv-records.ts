import { createReadStream } from 'node:fs'
import { Readable, pipeline } from 'node:stream'
import { getDecoder } from 'iconv-lite'
import { CsvError, parse } from 'csv-parse'
import { AppError } from '../../domain/errors.ts'
import { systemCode, tableFileError } from '../file-errors.ts'

/** A note of this length is a missing quotation mark, not a note. */
const maxRecordBytes = 4 * 1024 * 1024
const chunkRows = 512

/** The characters of a file, decoded piece by piece; a byte-order mark is dropped. */
export async function* readCharacters(file: string, encoding: string, maxBytes = Infinity): AsyncGenerator<string> {
  const decoder = getDecoder(encoding, { stripBOM: true })
  const end = maxBytes === Infinity ? undefined : maxBytes - 1
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18, end }) as AsyncIterable<Buffer>) {
    const text = decoder.write(chunk)
    if (text !== '') yield text
  }
  const rest = decoder.end()
  if (rest) yield rest
}

/**
 * All records of a text table in chunks, raw cells, in file order; an empty line is a record with one empty cell.
 * @throws AppError IMPORT_TABLE_UNREADABLE naming the row when a quotation mark is never closed; an AbortError when cancelled
 */
export async function* readCsvRecords(file: string, encoding: string, separator: string, signal: AbortSignal): AsyncGenerator<string[][]> {
  const parser = parse({
    delimiter: separator,
    // Exports that were edited by hand mix line ends; all three end a record.
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: false,
    max_record_size: maxRecordBytes,
  })
  // The parser receives every upstream failure and throws it from the loop below.
  pipeline(Readable.from(readCharacters(file, encoding)), parser, () => undefined)
  let recordCount = 0
  let chunk: string[][] = []
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      recordCount++
      chunk.push(record)
      if (chunk.length >= chunkRows) {
        signal.throwIfAborted()
        yield chunk
        chunk = []
      }
    }
  } catch (error) {
    if (signal.aborted || error instanceof AppError) throw error
    if (error instanceof CsvError) {
      const isQuote = error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE'
      const cause = isQuote ? 'a quotation mark is opened but never closed' : 'the cells cannot be told apart'
      throw new AppError('IMPORT_TABLE_UNREADABLE', `Row ${recordCount + 1} of the table: ${cause}.`, { cause: error })
    }
    if (systemCode(error) !== '') throw tableFileError(error)
    throw error
  }
  signal.throwIfAborted()
  if (chunk.length > 0) yield chunk
}

/** What must be known of a workbook before it is read: the reader fills every cell up to the last one named, and trusts its archive. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Transform, Writable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { AppError } from '../../domain/errors.ts'
import { listZip, type ZipEntry } from './zip-entries.ts'

/** Unpacked XML above this would take several times as much memory. */
const maxUnpackedBytes = 1024 * 1024 * 1024
/** Rows by columns of the largest sheet; empty cells cost as much as others (20 million take about half a gigabyte). */
const maxCells = 20_000_000
/** A tag is not longer: what stands at the end of a piece is looked at again with the next. */
const carriedBytes = 256

/**
 * Refuses a workbook that is damaged as an archive or whose sheets would not fit into memory.
 * @throws AppError IMPORT_TABLE_UNREADABLE, IMPORT_TABLE_TOO_LARGE; a system error when the file cannot be read
 */
export async function checkWorkbook(file: string): Promise<void> {
  const entries = await listEntries(file)
  if (entries === null) throw damaged()
  const size = entries.reduce((total, entry) => total + entry.size, 0)
  if (size > maxUnpackedBytes) {
    throw new AppError('IMPORT_TABLE_TOO_LARGE', `The workbook unpacks to ${Math.round(size / 1e6)} MB; at most ${Math.round(maxUnpackedBytes / 1e6)} MB can be read.`)
  }
  for (const entry of entries.filter(({ name }) => name.endsWith('.xml') || name.endsWith('.rels'))) {
    const { rows, columns } = await measureSheet(file, entry)
    if (rows * columns > maxCells) {
      throw new AppError('IMPORT_TABLE_TOO_LARGE', `A sheet of the workbook reaches to row ${rows.toLocaleString('en')} and column ${columns.toLocaleString('en')}; at most ${maxCells / 1e6} million cells can be read, empty ones included.`)
    }
  }
}

async function listEntries(file: string): Promise<ZipEntry[] | null> {
  const handle = await open(file, 'r')
  try {
    return await listZip(handle)
  } finally {
    await handle.close()
  }
}

/** Last row and column that a part of the workbook names; reading it to its end also shows whether it can be unpacked. */
async function measureSheet(file: string, { method, compressedSize, size, crc32: checksum, start }: ZipEntry): Promise<{ rows: number; columns: number }> {
  const reach = { rows: 0, columns: 0 }
  let carried = ''
  let total = 0
  let sum = 0
  const measure = new Writable({
    write(chunk: Buffer, _encoding, done) {
      total += chunk.length
      sum = crc32(chunk, sum)
      // More than the directory says: it lies, and with it the sum above.
      if (total > size) return done(damaged())
      const text = carried + chunk.toString('latin1')
      for (const [, column, row] of text.matchAll(/<(?:\w+:)?c\s[^<>]*?\br=["']([A-Z]+)(\d+)["']/g)) {
        reach.rows = Math.max(reach.rows, Number(row))
        reach.columns = Math.max(reach.columns, columnOf(column!))
      }
      for (const [, row] of text.matchAll(/<(?:\w+:)?row\s[^<>]*?\br=["'](\d+)["']/g)) reach.rows = Math.max(reach.rows, Number(row))
      carried = text.slice(-carriedBytes)
      done()
    },
  })
  if (compressedSize === 0) {
    if (size > 0) throw damaged()
    return reach
  }
  try {
    const unpack = method === 8 ? createInflateRaw() : new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) })
    await pipeline(createReadStream(file, { start, end: start + compressedSize - 1 }), unpack, measure)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    throw code.startsWith('Z_') || code.startsWith('ERR_') ? damaged(cause) : cause
  }
  if (total !== size || sum !== checksum || (method !== 0 && method !== 8)) throw damaged()
  return reach
}

/** "A" is 1, "AA" 27. */
function columnOf(letters: string): number {
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0)
}

function damaged(cause?: unknown): AppError {
  return new AppError('IMPORT_TABLE_UNREADABLE', 'The workbook is damaged or was cut short.', { cause })
}

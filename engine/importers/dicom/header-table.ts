/**
 * A table made from the headers of a DICOM folder: one row for each image file, for deliveries that come without a table.
 * It lives in memory only; patient IDs become pseudonyms like those of any other table.
 */
import { hash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import { mapInOrder } from '../concurrency.ts'
import { indexFiles } from '../images/file-index.ts'
import type { IssueCollector } from '../issues.ts'
import { restrictHeader } from '../privacy/profile/kept-attributes.ts'
import type { OpenTable, TableRow } from '../table/open-table.ts'
import type { DicomDataSet } from './data-set.ts'
import { checkDirectories } from './directory.ts'
import { readFacts } from './facts.ts'
import { isDicom, parseDicom } from './parse.ts'

export const dicomColumns = ['PatientID', 'StudyUID', 'AccessionNumber', 'StudyDate', 'Modality', 'Laterality', 'ViewPosition', 'BodyPart', 'PatientAge', 'PatientSex', 'Frames', 'File'] as const

const firstBytes = 64 * 1024
/** Private groups of some scanners fill megabytes before the elements of the image. */
const moreBytes = 4 * 1024 * 1024
const filesInFlight = 16
const chunkRows = 2000

/** What one file gives; a row, or why there is none. */
type FileRow = { kind: 'row'; cells: string[] } | { kind: 'not-dicom' } | { kind: 'no-image' } | { kind: 'unreadable' }

/** Rows of the folder that was read last: the wizard asks for the same table at every step. */
const cache: { folder: string; rows: Map<string, { size: number; modifiedMs: number; row: FileRow }> } = { folder: '', rows: new Map() }

/**
 * Reads the headers of all DICOM files below a folder.
 * @throws AppError IMPORT_TABLE_MISSING when there is none, IMPORT_FOLDER_* ; an AbortError when cancelled
 */
export async function openDicomTable(folder: string, issues: IssueCollector, signal: AbortSignal): Promise<OpenTable> {
  const { paths } = await indexFiles(folder, issues, signal)
  if (cache.folder !== folder) cache.rows.clear()
  cache.folder = folder
  const counts = { 'not-dicom': 0, 'no-image': 0, unreadable: 0 }
  const rows: TableRow[] = []
  const directories = await checkDirectories(folder, paths)
  const read = mapInOrder(paths, filesInFlight, async (path) => {
    signal.throwIfAborted()
    return readCached(folder, path)
  })
  for await (const row of read) {
    signal.throwIfAborted()
    if (row.kind === 'row') rows.push({ row: rows.length + 2, cells: row.cells, problem: null })
    else counts[row.kind]++
  }
  if (rows.length === 0) throw new AppError('IMPORT_TABLE_MISSING', 'The table is a folder, and it holds no DICOM image from whose header a table could be made.')
  if (directories.missing > 0) issues.add('DICOM_DIRECTORY_INCOMPLETE', 'note', null, `The DICOMDIR names ${directories.listed} files; some of them are not in the folder.`, directories.missing)
  if (counts['no-image'] > 0) issues.add('DICOM_NO_IMAGE', 'note', null, 'DICOM files without a picture are left out.', counts['no-image'])
  if (counts.unreadable > 0) issues.add('DICOM_UNREADABLE', 'note', null, 'Files that look like DICOM but cannot be read are left out.', counts.unreadable)
  return {
    format: 'dicom', encoding: 'utf-8', separator: null, sheets: [], sheet: null, columns: [...dicomColumns],
    sha256: hash('sha256', JSON.stringify(rows.map(({ cells }) => cells))),
    async* readRows() {
      for (let start = 0; start < rows.length; start += chunkRows) yield rows.slice(start, start + chunkRows)
    },
  }
}

async function readCached(folder: string, path: string): Promise<FileRow> {
  const file = join(folder, ...path.split('/'))
  const info = await stat(file).catch(() => null)
  if (info === null) return { kind: 'unreadable' }
  const known = cache.rows.get(path)
  if (known && known.size === info.size && known.modifiedMs === info.mtimeMs) return known.row
  const row = await readRow(file, path, info.size).catch((error: unknown): FileRow => {
    if (error instanceof AppError || (error instanceof Error && 'code' in error)) return { kind: 'unreadable' }
    throw error
  })
  cache.rows.set(path, { size: info.size, modifiedMs: info.mtimeMs, row })
  return row
}

async function readRow(file: string, path: string, size: number): Promise<FileRow> {
  const start = await readStart(file, firstBytes)
  if (!isDicom(start)) return { kind: 'not-dicom' }
  let parsed = parseDicom(start)
  // Cut off by us rather than by the writer: once more with all that a header may take.
  if (parsed.pixels === null && size > firstBytes) parsed = parseDicom(await readStart(file, moreBytes))
  const { transferSyntax } = parsed
  // The rows become cells that a mapping may store: nothing but the listed attributes may get that far.
  const dataSet = restrictHeader(parsed.dataSet)
  const isImage = dataSet.has('0028,0010') && dataSet.has('0028,0011')
  if (!isImage) return { kind: 'no-image' }
  const frames = dataSet.decimals('0028,0008')[0] ?? 1
  const facts = readFacts(dataSet, transferSyntax, frames)
  const cells = [
    dataSet.text('0010,0020'), dataSet.text('0020,000d'), dataSet.text('0008,0050'), readDate(dataSet), facts.dicomModality, facts.laterality, facts.viewPosition,
    facts.bodyPart, dataSet.text('0010,1010'), dataSet.text('0010,0040'), String(frames), path,
  ]
  return { kind: 'row', cells: cells.map((cell) => cell ?? '') }
}

async function readStart(file: string, length: number): Promise<Uint8Array> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0)
    return new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead)
  } finally {
    await handle.close()
  }
}

/** Study date as 2026-11-21; the older way of writing, 2026.11.21, as well. Anything else as it stands: the import says that it is no date. */
function readDate(dataSet: DicomDataSet): string | null {
  const text = dataSet.text('0008,0020')
  const digits = text?.replaceAll('.', '') ?? ''
  return /^\d{8}$/.test(digits) ? `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}` : text
}

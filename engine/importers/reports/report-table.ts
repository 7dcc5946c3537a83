/** A folder of XML reports as a table: one row for each report, images by name, terms as a list. */
import { hash } from 'node:crypto'
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { mapInOrder } from '../concurrency.ts'
import { folderError } from '../file-errors.ts'
import { cleanCell } from '../ids.ts'
import type { OpenTable, TableRow } from '../table/open-table.ts'
import { isXmlReport, parseXmlReport, type XmlReport } from './report-xml.ts'

/** Columns before those of the images; "Problems" holds the headings of the terms, as in the tables that circulate. */
export const reportColumns = ['uid', 'MeSH', 'Problems', 'indication', 'comparison', 'findings', 'impression'] as const

const filesInFlight = 16
const chunkRows = 2000
/** A report has a few kilobytes; what is far larger is something else. */
const maxReportBytes = 4 * 1024 * 1024
const sniffedBytes = 512
/** Files looked at before a folder counts as one without reports. */
const maxSniffed = 20

/**
 * The table of the reports below a folder, or null when there is none. A report that cannot be read is a row with a problem, so
 * that it is counted.
 * @throws AppError IMPORT_FOLDER_*; an AbortError when cancelled
 */
export async function openReportTable(folder: string, signal: AbortSignal): Promise<OpenTable | null> {
  const files = await listXmlFiles(folder, signal)
  if (!(await hasReport(files.slice(0, maxSniffed)))) return null
  const reports: (XmlReport | null)[] = []
  const read = mapInOrder(files, filesInFlight, async (file) => {
    signal.throwIfAborted()
    return readReport(file)
  })
  for await (const report of read) if (report !== 'other') reports.push(report)
  const imageCount = Math.max(1, ...reports.map((report) => report?.images.length ?? 0))
  const columns = [...reportColumns, ...Array.from({ length: imageCount }, (_, i) => `image ${i + 1}`)]
  const rows = reports.map((report, i): TableRow => (report === null
    ? { row: i + 2, cells: [], problem: 'the report file cannot be read or is cut short' }
    : { row: i + 2, cells: cellsOf(report, imageCount), problem: null }))
  return {
    format: 'reports', encoding: 'utf-8', separator: null, sheets: [], sheet: null, columns, sha256: hash('sha256', JSON.stringify(rows)),
    async* readRows() {
      for (let start = 0; start < rows.length; start += chunkRows) yield rows.slice(start, start + chunkRows)
    },
  }
}

/** XML files below the folder in the order of their numbers: 2.xml before 10.xml. */
async function listXmlFiles(folder: string, signal: AbortSignal): Promise<string[]> {
  const files: string[] = []
  const folders = [folder]
  for (let next = folders.shift(); next !== undefined; next = folders.shift()) {
    signal.throwIfAborted()
    const entries = await readdir(next, { withFileTypes: true }).catch((error: unknown) => {
      // Subfolders that cannot be read are told by the search for images.
      if (next === folder) throw folderError(error)
      return []
    })
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory()) folders.push(join(next, entry.name))
      else if (/\.xml$/i.test(entry.name)) files.push(join(next, entry.name))
    }
  }
  const order = new Intl.Collator('en', { numeric: true })
  return files.sort((a, b) => order.compare(a, b))
}

async function hasReport(files: readonly string[]): Promise<boolean> {
  for (const file of files) {
    const handle = await open(file, 'r').catch(() => null)
    if (handle === null) continue
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(sniffedBytes), 0, sniffedBytes, 0)
      if (isXmlReport(buffer.toString('utf8', 0, bytesRead))) return true
    } finally {
      await handle.close()
    }
  }
  return false
}

async function readReport(file: string): Promise<XmlReport | 'other' | null> {
  const info = await stat(file).catch(() => null)
  if (info === null || info.size > maxReportBytes) return null
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null || text.trim() === '') return null
  return isXmlReport(text) ? parseXmlReport(text) : 'other'
}

function cellsOf({ uid, sections, terms, images }: XmlReport, imageCount: number): string[] {
  const headings = [...new Set(terms.map((term) => term.split('/')[0]!.trim()))]
  const section = (name: string): string => sections.get(name) ?? ''
  const cells = [uid, terms.join(';'), headings.join(';'), section('indication'), section('comparison'), section('findings'), section('impression')]
  return [...cells, ...Array.from({ length: imageCount }, (_, i) => images[i] ?? '')].map(cleanCell)
}

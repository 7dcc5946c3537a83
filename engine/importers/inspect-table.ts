import { hash } from 'node:crypto'
import type { ImportSource, TableJoin } from '../domain/mapping.ts'
import type { JobContext, JobRequest, JobResult } from '../protocol.ts'
import { createDateEvidence, type DateEvidence } from './dates/date-column.ts'
import { indexFiles } from './images/file-index.ts'
import { createIssueCollector, type IssueCollector } from './issues.ts'
import { findJoin } from './profiles/find-join.ts'
import { suggestMapping } from './profiles/suggest-mapping.ts'
import { startStage } from './progress.ts'
import { withReportFiles } from './reports/suggest-reports.ts'
import { openJoinedTable, type JoinedTable } from './table/join-tables.ts'

const maxSamples = 8
const maxSampleLength = 160
const maxFileSamples = 40
/** Longer cells are counted by their hash, so that long notes are not all held in memory. */
const maxHeldLength = 40

/** Counts of one column while the table is read. */
interface ColumnCounter {
  blankCount: number
  distinct: Set<string>
  samples: string[]
  dates: DateEvidence
}

/**
 * Looks at a table and an image folder before any mapping: encoding, separator, columns with samples, number of rows and image
 * files, and a mapping when the layout is known or can be guessed.
 * @throws AppError for a table or folder that cannot be read; an AbortError when cancelled
 */
export async function inspectTable(request: JobRequest<'table:inspect'>, context: JobContext): Promise<JobResult<'table:inspect'>> {
  const stage = startStage(context, 'Reading the table', null)
  const { source, join, table, issues } = await openTables(request, context.signal)
  const counters = table.columns.map((): ColumnCounter => ({ blankCount: 0, distinct: new Set(), samples: [], dates: createDateEvidence() }))
  let rowCount = 0
  for await (const rows of table.readRows()) {
    context.signal.throwIfAborted()
    for (const { row, cells, problem } of rows) {
      rowCount++
      if (problem !== null) issues.add('IMPORT_ROW_CELLS', 'rejects-row', row, `Row ${row}: ${problem}.`)
      else for (const [index, counter] of counters.entries()) countCell(counter, cells[index] ?? '')
    }
    stage.set(rowCount)
  }
  if (rowCount === 0) issues.add('IMPORT_TABLE_EMPTY', 'blocks', null, 'The table has a header but no rows below it.')
  const fileStage = startStage(context, 'Looking for image files', null)
  const files = await indexFiles(source.sourceDir, issues, context.signal, (count) => fileStage.set(count))
  const columns = table.columns.map((name, index) => {
    const { blankCount, distinct, samples, dates } = counters[index]!
    const facts = dates.column()
    return { name, blankCount, distinctCount: distinct.size, samples, ...(facts.readable > 0 && dates.isLikely() ? { dates: facts } : {}) }
  })
  const imageFileSamples = files.paths.slice(0, maxFileSamples)
  const suggestion = await withReportFiles(suggestMapping({ rowCount, columns, imageFileSamples }), columns, source.sourceDir, table.format === 'dicom', context.signal)
  return {
    source: { ...source, sheet: table.sheet }, join, ownColumns: table.ownColumns, joinColumns: table.joinColumns, format: table.format, encoding: table.encoding, separator: table.separator, sheets: table.sheets,
    rowCount, columns, imageFileCount: files.paths.length, imageFileSamples, tableSha256: table.sha256,
    suggestion: suggestion === null || join === null ? suggestion : { ...suggestion, mapping: { ...suggestion.mapping, join } }, issues: issues.list(),
  }
}

interface ChosenTables { source: ImportSource; join: TableJoin | null; table: JoinedTable; issues: IssueCollector }

/** The tables as asked for; unless a second one was chosen or refused, the other half of a known pair is looked for. */
async function openTables({ source, join }: JobRequest<'table:inspect'>, signal: AbortSignal): Promise<ChosenTables> {
  const issues = createIssueCollector()
  const table = await openJoinedTable(source, join ?? null, issues, signal)
  const found = join === undefined ? await findJoin(source, table.columns, signal) : null
  if (found === null) return { source, join: join ?? null, table, issues }
  const pairIssues = createIssueCollector()
  return { ...found, table: await openJoinedTable(found.source, found.join, pairIssues, signal), issues: pairIssues }
}

function countCell(counter: ColumnCounter, cell: string): void {
  if (cell === '') {
    counter.blankCount++
    return
  }
  if (counter.dates.isLikely()) counter.dates.add(cell)
  const key = cell.length > maxHeldLength ? hash('sha1', cell, 'base64') : cell
  const before = counter.distinct.size
  counter.distinct.add(key)
  if (counter.distinct.size > before && counter.samples.length < maxSamples) counter.samples.push(cell.slice(0, maxSampleLength))
}

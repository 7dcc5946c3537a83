/**
 * Two tables as one: the rows of the first keep their place and number, the cells of the second stand beside them. Where the
 * second has several rows for one ID (a list of images), each gets columns of its own, so that no row is dropped or repeated.
 */
import { hash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { ImportSource, TableJoin } from '../../domain/mapping.ts'
import { isBlankCell, normaliseId } from '../ids.ts'
import type { IssueCollector } from '../issues.ts'
import { createColumnLookup } from '../rows/mapped-columns.ts'
import { openTable, type OpenTable, type TableRow } from './open-table.ts'

/** Rows of the second table for one ID and one view that get columns; what is beyond is counted and told. */
const maxCopies = 8
/** More views than this is not a view column but an ID. */
const maxViews = 20

/** A joined table, and the columns that each of the two brought by its own names. */
export interface JoinedTable extends OpenTable {
  ownColumns: string[]
  joinColumns: string[]
}

/** Where the cells of one row of the second table go. */
interface Block { view: string; copy: number }

/** The rows of the second table by ID and then by block. */
interface Partners {
  blocks: Block[]
  rowsOfId: Map<string, Map<string, string[]>>
  surplus: number
}

/**
 * Opens a table together with the one that `join` names.
 * @throws AppError IMPORT_COLUMN_MISSING when a column of the join is not there, and whatever openTable throws for either table
 */
export async function openJoinedTable(source: ImportSource, join: TableJoin | null, issues: IssueCollector, signal: AbortSignal): Promise<JoinedTable> {
  const table = await openTable(source, issues, signal)
  if (join === null) return { ...table, ownColumns: table.columns, joinColumns: [] }
  const other = await openTable({ ...source, tableFile: await joinedFile(source, join), sheet: join.sheet }, issues, signal)
  const idPosition = createColumnLookup(table.columns)(join.column)
  const otherLookup = createColumnLookup(other.columns)
  const otherId = otherLookup(join.otherColumn)
  const viewPosition = join.spreadBy === null ? -1 : otherLookup(join.spreadBy)
  const partners = await readPartners(other, otherId, viewPosition, issues, signal)
  const kept = other.columns.map((_, position) => position).filter((position) => position !== otherId && position !== viewPosition)
  const added = nameColumns(table.columns, other.columns, kept, partners.blocks)
  return {
    ...table, ownColumns: table.columns, joinColumns: other.columns, columns: [...table.columns, ...added], sha256: hash('sha256', `${table.sha256} ${other.sha256} ${JSON.stringify(join)}`),
    readRows: () => joinRows(table, idPosition, kept, partners, issues),
  }
}

/** The second table lies where the first one does, unless its path is absolute. */
async function joinedFile(source: ImportSource, join: TableJoin): Promise<string> {
  const isFolder = await stat(source.tableFile).then((info) => info.isDirectory(), () => false)
  return resolve(isFolder ? source.tableFile : dirname(source.tableFile), join.table)
}

async function readPartners(other: OpenTable, idPosition: number, viewPosition: number, issues: IssueCollector, signal: AbortSignal): Promise<Partners> {
  const rowsOfId: Partners['rowsOfId'] = new Map()
  const copiesOfView = new Map<string, number>()
  let surplus = 0
  for await (const rows of other.readRows()) {
    signal.throwIfAborted()
    for (const { row, cells, problem } of rows) {
      if (problem !== null) {
        issues.add('IMPORT_ROW_CELLS', 'note', row, `Row ${row} of the second table is left out: ${problem}.`)
        continue
      }
      const id = normaliseId(cells[idPosition] ?? '')
      const cell = viewPosition < 0 ? '' : cells[viewPosition] ?? ''
      const view = copiesOfView.has(cell) || copiesOfView.size < maxViews ? cell : ''
      const held = rowsOfId.get(id) ?? new Map<string, string[]>()
      let copy = 1
      while (held.has(blockKey({ view, copy }))) copy++
      if (id === '' || copy > maxCopies) {
        surplus++
        continue
      }
      held.set(blockKey({ view, copy }), cells)
      rowsOfId.set(id, held)
      copiesOfView.set(view, Math.max(copy, copiesOfView.get(view) ?? 0))
    }
  }
  const views = [...copiesOfView].sort(([a], [b]) => (a < b ? -1 : 1))
  return { rowsOfId, surplus, blocks: views.flatMap(([view, copies]) => Array.from({ length: copies }, (_, i) => ({ view, copy: i + 1 }))) }
}

const blockKey = ({ view, copy }: Block): string => `${copy} ${view}`

/** "filename", "filename 2", or "Frontal filename", "Frontal filename 2"; a name that is taken gets "(2)". */
function nameColumns(columns: readonly string[], others: readonly string[], kept: readonly number[], blocks: readonly Block[]): string[] {
  const taken = new Set(columns)
  return blocks.flatMap(({ view, copy }) => kept.map((position) => {
    const base = `${view === '' ? '' : `${view} `}${others[position]!}${copy === 1 ? '' : ` ${copy}`}`.slice(0, 290)
    let name = base
    for (let number = 2; taken.has(name); number++) name = `${base} (${number})`
    taken.add(name)
    return name
  }))
}

async function* joinRows(table: OpenTable, idPosition: number, kept: readonly number[], { blocks, rowsOfId, surplus }: Partners, issues: IssueCollector): AsyncGenerator<TableRow[]> {
  const used = new Set<string>()
  let alone = 0
  for await (const rows of table.readRows()) {
    yield rows.map((row) => {
      if (row.problem !== null) return row
      const cell = row.cells[idPosition] ?? ''
      const id = isBlankCell(cell) ? '' : normaliseId(cell)
      const held = rowsOfId.get(id)
      if (held === undefined) alone++
      else used.add(id)
      const added = blocks.flatMap((block) => {
        const cells = held?.get(blockKey(block))
        return kept.map((position) => cells?.[position] ?? '')
      })
      return { ...row, cells: [...row.cells, ...added] }
    })
  }
  const leftOver = [...rowsOfId].filter(([id]) => !used.has(id)).reduce((sum, [, held]) => sum + held.size, 0)
  if (alone > 0) issues.add('IMPORT_JOIN_UNMATCHED', 'note', null, `${alone} rows of the first table have no row in the second.`, alone)
  if (leftOver > 0) issues.add('IMPORT_JOIN_UNMATCHED', 'note', null, `${leftOver} rows of the second table belong to no row of the first; they are left out.`, leftOver)
  if (surplus > 0) issues.add('IMPORT_JOIN_UNMATCHED', 'note', null, `${surplus} rows of the second table have no ID, or one that came ${maxCopies} times before; they are left out.`, surplus)
}

import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ImportSource, TableJoin } from '../../domain/mapping.ts'
import { createIssueCollector } from '../issues.ts'
import { openTable } from '../table/open-table.ts'
import { foldTitle } from './profile.ts'

/** Tables that come in two files, by the titles that make them up. The first has one row for each study. */
const pairs = [
  { first: ['uid', 'findings', 'impression', 'problems'], second: ['uid', 'filename', 'projection'], id: 'uid', spreadBy: 'projection' },
]
/** A folder with more tables than this is an archive, not a delivery. */
const maxTables = 40

/** The source as it is to be read: the table with one row for each study first, the other one joined to it. */
interface FoundJoin {
  source: ImportSource
  join: TableJoin
}

/** Finds the other half of a known pair of tables in the same folder; null when the table stands alone. */
export async function findJoin(source: ImportSource, columns: readonly string[], signal: AbortSignal): Promise<FoundJoin | null> {
  const folded = columns.map(foldTitle)
  for (const { first, second, id, spreadBy } of pairs) {
    const isFirst = first.every((title) => folded.includes(title))
    if (!isFirst && !(second.every((title) => folded.includes(title)) && folded.length <= second.length + 1)) continue
    const other = await findTable(source, isFirst ? second : first, signal)
    if (other === null) continue
    const [studies, images] = isFirst ? [columns, other.columns] : [other.columns, columns]
    const nameOf = (names: readonly string[], title: string): string => names.find((name) => foldTitle(name) === title)!
    return {
      source: isFirst ? source : { ...source, tableFile: other.file, sheet: null },
      join: { table: basename(isFirst ? other.file : source.tableFile), sheet: null, column: nameOf(studies, id), otherColumn: nameOf(images, id), spreadBy: nameOf(images, spreadBy) },
    }
  }
  return null
}

async function findTable(source: ImportSource, titles: readonly string[], signal: AbortSignal): Promise<{ file: string; columns: string[] } | null> {
  const folder = dirname(source.tableFile)
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(csv|tsv|txt|xlsx)$/i.test(name) && name !== basename(source.tableFile)).sort()
  for (const name of names.slice(0, maxTables)) {
    signal.throwIfAborted()
    // What cannot be read is no half of a pair; its problems are not those of the chosen table.
    const table = await openTable({ ...source, tableFile: join(folder, name), sheet: null }, createIssueCollector(), signal).catch(() => null)
    if (table !== null && titles.every((title) => table.columns.some((column) => foldTitle(column) === title))) return { file: join(folder, name), columns: table.columns }
  }
  return null
}

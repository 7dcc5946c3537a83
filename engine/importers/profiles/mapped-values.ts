import { valueColumnsOf, type MappedValues } from '../../domain/saved-mappings.ts'
import type { JobContext, JobRequest } from '../../protocol.ts'
import { createIssueCollector } from '../issues.ts'
import { parseLabelList } from '../rows/labels.ts'
import { openJoinedTable } from '../table/join-tables.ts'

const keptValues = 200

/**
 * The titles of a table and the distinct values of the columns whose values the mapping relies on, with the number of rows that hold each.
 * Columns that the table no longer has are passed over; lists of labels are taken apart.
 */
export async function readMappedValues({ source, mapping }: JobRequest<'mapping:values'>, context: JobContext): Promise<MappedValues> {
  const table = await openJoinedTable(source, mapping.join ?? null, createIssueCollector(), context.signal)
  const counted = valueColumnsOf(mapping).flatMap((column) => {
    const position = table.columns.indexOf(column)
    return position === -1 ? [] : [{ column, position, counts: new Map<string, number>(), isWhole: true }]
  })
  const { labels } = mapping
  for await (const rows of table.readRows()) {
    context.signal.throwIfAborted()
    for (const row of rows) {
      for (const entry of counted) {
        const cell = (row.cells[entry.position] ?? '').trim()
        const values = labels.kind === 'list' && labels.column === entry.column ? parseLabelList(cell, labels.separators) ?? [] : cell === '' ? [] : [cell]
        for (const value of values) {
          const count = entry.counts.get(value)
          if (count === undefined && entry.counts.size >= keptValues) entry.isWhole = false
          else entry.counts.set(value, (count ?? 0) + 1)
        }
      }
    }
  }
  return {
    columns: table.columns,
    values: counted.map(({ column, counts, isWhole }) => ({ column, isWhole, values: [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([value, rows]) => ({ value, rows })) })),
  }
}

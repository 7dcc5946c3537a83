import type { Mapping, TabularSource } from '../../domain/mapping.ts'
import { formatTabularItem, parseTabularItem, type TabularValues } from '../../domain/tabular.ts'
import { isBlankCell } from '../ids.ts'
import type { IssueCollector } from '../issues.ts'
import { normaliseColumnName } from '../table/header.ts'
import { parseAge, parseSex } from './demographics.ts'
import type { ColumnLookup } from './mapped-columns.ts'

const numberCell = /^[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?$/iu
/** "150,000" is a hundred and fifty thousand in one country and a hundred and fifty in the next: a guess would be wrong by a factor of a thousand. */
const ambiguousCell = /^[+-]?[1-9]\d{0,2},\d{3}$/u

/**
 * Reads the columns of a tabular slot into one line of JSON, or null when every cell is blank. The age column is read as years and the sex
 * column as "female", "male" or "other" whatever their coding, as in texts. A cell that is no number, or may be two, is
 * stored as unknown and said.
 * @throws AppError IMPORT_COLUMN_MISSING
 */
export function createTabularReader(source: TabularSource, lookup: ColumnLookup, attributes: Mapping['attributes'], issues: IssueCollector): (cells: readonly string[], row: number) => string | null {
  const agePosition = attributes.age === null ? -1 : lookup(attributes.age)
  const sexPosition = attributes.sex === null ? -1 : lookup(attributes.sex)
  const columns = source.columns.map(({ column, values }) => ({ name: normaliseColumnName(column), position: lookup(column), values }))
  const names = columns.map(({ name }) => name)
  return (cells, row) => {
    const values: TabularValues = {}
    let hasValue = false
    for (const { name, position, values: kind } of columns) {
      const cell = cells[position] ?? ''
      if (isBlankCell(cell)) continue
      hasValue = true
      if (position === sexPosition) values[name] = parseSex(cell) ?? cell
      else if (kind === 'category') values[name] = cell
      else if (position === agePosition) values[name] = parseAge(cell).ageYears
      else if (ambiguousCell.test(cell)) issues.add('IMPORT_VALUE_NOT_NUMBER', 'note', row, `Row ${row}: the comma in the cell of "${name}" may mark decimals or thousands.`)
      else if (numberCell.test(cell)) values[name] = Number(cell.replace(',', '.'))
      else issues.add('IMPORT_VALUE_NOT_NUMBER', 'note', row, `Row ${row}: the cell of "${name}" is no number.`)
    }
    return hasValue ? formatTabularItem(names, values) : null
  }
}

/** Values of two rows of one study as one: each fills the other's blanks. Null when they contradict each other. */
export function mergeTabular(held: string, next: string): string | null {
  const [a, b] = [parseTabularItem(held), parseTabularItem(next)]
  const columns = Object.keys(a)
  const isContradiction = columns.some((column) => a[column] !== null && (b[column] ?? null) !== null && a[column] !== b[column])
  return isContradiction ? null : formatTabularItem(columns, Object.fromEntries(columns.map((column) => [column, a[column] ?? b[column] ?? null])))
}

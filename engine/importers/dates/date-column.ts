import type { DateColumn, DateOrder } from '../../domain/visit-dates.ts'
import { isBlankCell } from '../ids.ts'
import { parseDate, type DateReading, type WrittenDate } from './parse-date.ts'

/** Fewer of each kind say nothing: five and five have a chance below one in a thousand in a column that is whole. */
const leastExchanged = 5
const longestDate = 40
/** After so many cells half of them must be dates. */
const enoughCells = 50

/** Counts over the cells of one column what they may mean. */
export interface DateEvidence {
  /** How the cell was read; null for a blank one. */
  add: (cell: string) => DateReading | null
  column: () => DateColumn
  /** False as soon as it is plain that the column holds something else: then its cells need not be read on. */
  isLikely: () => boolean
}

export function createDateEvidence(): DateEvidence {
  const fits: Record<DateOrder, number> = { 'day-first': 0, 'month-first': 0, 'year-first': 0, 'spreadsheet-days': 0 }
  let filled = 0
  let readable = 0
  let needOrder = 0
  let early = 0
  let late = 0
  let decided = 0
  return {
    isLikely: () => filled < enoughCells || readable * 2 >= filled,
    add(cell) {
      if (isBlankCell(cell)) return null
      filled++
      // Notes are long, and most cells of a table have no digit: neither can be a date.
      const reading: DateReading = cell.length > longestDate || !/\d/.test(cell) ? { kind: 'unreadable' } : parseDate(cell)
      if (reading.kind === 'date') {
        readable++
        if (reading.date.day <= 12) early++
        else late++
      } else if (reading.kind === 'orders') {
        readable++
        needOrder++
        const orders = Object.keys(reading.dates) as DateOrder[]
        for (const order of orders) fits[order]++
        if (orders.length === 1 && orders[0] !== 'spreadsheet-days') decided++
      }
      return reading
    },
    column: () => ({
      filled, readable, needOrder,
      orders: needOrder === 0 ? [] : (Object.keys(fits) as DateOrder[]).filter((order) => fits[order] === needOrder),
      isExchanged: late === 0 && early >= leastExchanged && decided === needOrder && decided >= leastExchanged,
    }),
  }
}

/** The date that a cell names under an order; null when it names none there. */
export function dateUnder(reading: DateReading, order: DateOrder | null): WrittenDate | null {
  if (reading.kind === 'date') return reading.date
  return reading.kind === 'orders' && order !== null ? reading.dates[order] ?? null : null
}

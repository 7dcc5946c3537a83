import { describe, expect, it } from 'vitest'
import { orderOf } from '../../../../engine/domain/visit-dates.ts'
import { createDateEvidence, dateUnder } from '../../../../engine/importers/dates/date-column.ts'
import { epochDayOf, formatDay, parseDate, type DateReading } from '../../../../engine/importers/dates/parse-date.ts'
import type { DateOrder } from '../../../../engine/domain/visit-dates.ts'

const dayUnder = (reading: DateReading, order: DateOrder | null = null): string | null => {
  const date = dateUnder(reading, order)
  return date === null ? null : date.isShort ? `${date.year}/${date.month}/${date.day}` : formatDay(epochDayOf(date, date.year)!)
}
const columnOf = (cells: readonly string[]) => {
  const evidence = createDateEvidence()
  for (const cell of cells) evidence.add(cell)
  return evidence.column()
}

describe('a cell of a date column', () => {
  it.each([
    ['2020-03-14', '2020-03-14'], ['2020/3/4', '2020-03-04'], ['2020.03.14', '2020-03-14'], ['2020-03-14T23:59:59Z', '2020-03-14'], ['2020-03-14 08:15', '2020-03-14'],
    ['20200314', '2020-03-14'], ['20200314123000.000000+0100', '2020-03-14'], ['14 March 2020', '2020-03-14'], ['14-MAR-2020', '2020-03-14'], ['Mar 14, 2020', '2020-03-14'],
    ['Saturday, 14th of March 2020', '2020-03-14'], ['14MAR2020', '2020-03-14'], ['2020-02-29', '2020-02-29'], ['  2020-03-14 ', '2020-03-14'], ['2020-03-14 10:00:00 PM', '2020-03-14'],
  ])('%s names one day', (cell, day) => {
    expect(dayUnder(parseDate(cell))).toBe(day)
  })

  it('with three numbers names a day only under an order', () => {
    const reading = parseDate('03/04/2020')
    expect([dayUnder(reading), dayUnder(reading, 'day-first'), dayUnder(reading, 'month-first'), dayUnder(reading, 'year-first')]).toEqual([null, '2020-04-03', '2020-03-04', null])
    expect(dayUnder(parseDate('25.03.2020 10:15'), 'day-first')).toBe('2020-03-25')
    expect(dayUnder(parseDate('25.03.2020'), 'month-first')).toBe(null)
    expect(['day-first', 'month-first', 'year-first'].map((order) => dayUnder(parseDate('03-04-05'), order as DateOrder))).toEqual(['5/4/3', '5/3/4', '3/4/5'])
  })

  it('with a number of days names the day that a spreadsheet means', () => {
    expect(dayUnder(parseDate('43904'), 'spreadsheet-days')).toBe('2020-03-14')
    expect(dayUnder(parseDate('43904.5'), 'spreadsheet-days')).toBe('2020-03-14')
  })

  it.each(['2020-02-30', '2021-02-29', '31.04.2020', '2020-13-01', '99999', '25032020', '12345678', 'unknown', '14', '3.5', '2020-03-14-7', '1/2/3/2020', '32 March 2020', '00000000', '0000-00-00', '45', '120-80-70'])('%s is no date', (cell) => {
    expect(parseDate(cell).kind).toBe('unreadable')
  })

  it.each(['2020', '2020-03', '03/2020', 'March 2020', '2020 Mar'])('%s has no day', (cell) => {
    expect(parseDate(cell).kind).toBe('no-day')
  })
})

describe('a column of dates', () => {
  it('proves its order when only one fits every cell', () => {
    expect(orderOf(columnOf(['03/04/2020', '25/04/2020', '', 'NaN']), null)).toBe('day-first')
    expect(orderOf(columnOf(['03/04/2020', '04/25/2020']), null)).toBe('month-first')
    expect(columnOf(['03/04/2020', '25/04/2020', ''])).toMatchObject({ filled: 2, readable: 2, needOrder: 2, orders: ['day-first'] })
  })

  it('leaves it open when several fit, or none, and takes what was chosen', () => {
    expect(columnOf(['03/04/2020', '05/06/2021']).orders).toEqual(['day-first', 'month-first'])
    expect(orderOf(columnOf(['03/04/2020', '05/06/2021']), null)).toBe(null)
    expect(orderOf(columnOf(['25/04/2020', '04/25/2020']), null)).toBe(null)
    expect(orderOf(columnOf(['03/04/2020']), 'day-first')).toBe('day-first')
    // Two digits of a year may be the day: 20-03-14 is March 2020 or March 2014.
    expect(orderOf(columnOf(['20-03-14', '25-04-13']), null)).toBe(null)
  })

  it('needs none for dates with one meaning', () => {
    expect(columnOf(['2020-03-14', '20200315', '14 March 2020'])).toMatchObject({ readable: 3, needOrder: 0, orders: [] })
  })

  it('is doubted when a spreadsheet took the day of some cells for the month', () => {
    const days = [1, 4, 7, 9, 12]
    const cells = [...days.map((day) => `2020-${String(day).padStart(2, '0')}-05`), ...days.map((day) => `${day + 12}/05/2020`)]
    expect(columnOf(cells)).toMatchObject({ isExchanged: true, orders: ['day-first'] })
    expect(orderOf(columnOf(cells), null)).toBe(null)
    expect(columnOf([...cells, '2020-03-14']).isExchanged).toBe(false)
  })
})

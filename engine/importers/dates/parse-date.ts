/**
 * One cell of a date column: which day it names, or which days it may name. Nothing is guessed here: 03/04/2020 is two days until an order says which.
 * Read are ISO 8601, dates of DICOM (PS3.5 section 6.2, DA and DT) and of spreadsheets, English names of months, and three numbers.
 */
import { dayMs, type DateOrder } from '../../domain/visit-dates.ts'

/** A date as written: `year` may be short (0 to 99), which leaves the century open. */
export interface WrittenDate { year: number; month: number; day: number; isShort: boolean }

export type DateReading =
  | { kind: 'date'; date: WrittenDate }
  /** What it is under each order that fits. */
  | { kind: 'orders'; dates: Partial<Record<DateOrder, WrittenDate>> }
  /** A month or a year without a day. */
  | { kind: 'no-day' }
  | { kind: 'unreadable' }

const time = '(?:[T\\s,]+\\d{1,2}[:.]\\d{2}(?:[:.]\\d{2}(?:[.,]\\d+)?)?\\s*(?:[ap]\\.?m\\.?)?\\s*(?:Z|UTC|[+-]\\d{2}:?\\d{2})?)?'
const weekday = '(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\\.?,?\\s+)?'
const month = '(?<m>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?'
const whole = (source: string): RegExp => new RegExp(`^${source}$`, 'i')
const yearFirst = whole(`(?<y>\\d{4})(?<s>[-/.])(?<m>\\d{1,2})\\k<s>(?<d>\\d{1,2})${time}`)
const compact = whole('(?<y>\\d{4})(?<m>\\d{2})(?<d>\\d{2})(?:[\\sT]?\\d{2}(?:\\d{2}(?:\\d{2}(?:\\.\\d{1,6})?)?)?)?(?:[+-]\\d{4})?')
const dayMonth = whole(`${weekday}(?<d>\\d{1,2})(?:st|nd|rd|th)?[\\s./-]*(?:of\\s+)?${month}[\\s,./-]*(?<y>\\d{4}|['’]?\\d{2})${time}`)
const monthDay = whole(`${weekday}${month}[\\s./-]*(?<d>\\d{1,2})(?:st|nd|rd|th)?(?:,\\s*|[\\s./-]+)(?<y>\\d{4}|['’]?\\d{2})${time}`)
const numbers = whole(`${weekday}(?<a>\\d{1,2})\\s?(?<s>[-/.\\s])\\s?(?<b>\\d{1,2})\\s?\\k<s>\\s?(?<c>\\d{4}|\\d{2})${time}`)
const incomplete = [whole('(?:1[89]|2[0-2])\\d{2}'), whole('\\d{4}[-/.]\\d{1,2}'), whole('\\d{1,2}[-/.]\\d{4}'), whole(`${month}[\\s,./-]*\\d{4}`), whole(`\\d{4}[\\s,./-]*${month}`)]
/** From 1927 to 2119: five digits outside are no date of a study or a birth. */
const spreadsheetDay = whole('(?<n>[1-7]\\d{4})(?:\\.\\d+)?')
/** Day 0 of the Unix count in a spreadsheet of the 1900 system; its wrong leap day lies before every day that is read here. */
const spreadsheetEpoch = 25_569
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
/** Eight digits are more often a number of something than a date of another century. */
const compactYears = [1800, 2299] as const

export function parseDate(cell: string): DateReading {
  const text = cell.trim()
  const iso = yearFirst.exec(text)?.groups ?? null
  if (iso !== null) return only(written(iso.y!, iso.m!, iso.d!))
  const digits = compact.exec(text)?.groups ?? null
  if (digits !== null) {
    const isInRange = Number(digits.y) >= compactYears[0] && Number(digits.y) <= compactYears[1]
    return isInRange ? only(written(digits.y!, digits.m!, digits.d!)) : { kind: 'unreadable' }
  }
  const named = (dayMonth.exec(text) ?? monthDay.exec(text))?.groups ?? null
  if (named !== null) return only(written(named.y!, String(monthNames.indexOf(named.m!.slice(0, 3).toLowerCase()) + 1), named.d!))
  const three = numbers.exec(text)?.groups ?? null
  if (three !== null) return underOrders(three.a!, three.b!, three.c!)
  const serial = spreadsheetDay.exec(text)?.groups ?? null
  if (serial !== null) return { kind: 'orders', dates: { 'spreadsheet-days': ofEpochDay(Number(serial.n) - spreadsheetEpoch) } }
  return incomplete.some((pattern) => pattern.test(text)) ? { kind: 'no-day' } : { kind: 'unreadable' }
}

function underOrders(a: string, b: string, c: string): DateReading {
  const possible: [DateOrder, WrittenDate | null][] = [
    ['day-first', written(c, b, a)], ['month-first', written(c, a, b)],
    // Four digits stand at the end: then the year does.
    ['year-first', c.length === 2 && a.length === 2 ? written(a, b, c) : null],
  ]
  const dates = Object.fromEntries(possible.filter(([, date]) => date !== null)) as Partial<Record<DateOrder, WrittenDate>>
  return Object.keys(dates).length === 0 ? { kind: 'unreadable' } : { kind: 'orders', dates }
}

const only = (date: WrittenDate | null): DateReading => (date === null ? { kind: 'unreadable' } : { kind: 'date', date })

/** Null for a day that the calendar does not have. */
function written(year: string, month: string, day: string): WrittenDate | null {
  const digits = year.replace(/\D/g, '')
  const date: WrittenDate = { year: Number(digits), month: Number(month), day: Number(day), isShort: digits.length === 2 }
  // 29 February of a short year is there in one of the centuries at most; 2000 has it, as every fourth year of either has.
  return epochDayOf(date, date.isShort ? 2000 + date.year : date.year) === null ? null : date
}

/** Days since 1970-01-01 of a date in `year`; null when that year has no such day. */
export function epochDayOf({ month, day }: WrittenDate, year: number): number | null {
  const moment = new Date(0)
  moment.setUTCFullYear(year, month - 1, day)
  return year >= 1000 && moment.getUTCMonth() === month - 1 && moment.getUTCDate() === day ? moment.getTime() / dayMs : null
}

/** 2018-09-02. Throws a RangeError beyond the years 1000 to 9999, which no date here reaches. */
export function formatDay(epochDay: number): string {
  const text = new Date(epochDay * dayMs).toISOString()
  if (!/^[1-9]\d{3}-/.test(text)) throw new RangeError(`day ${epochDay} lies outside the calendar of the store`)
  return text.slice(0, 10)
}

function ofEpochDay(epochDay: number): WrittenDate {
  const moment = new Date(epochDay * dayMs)
  return { year: moment.getUTCFullYear(), month: moment.getUTCMonth() + 1, day: moment.getUTCDate(), isShort: false }
}

import { dayMs, isImpossible, type DateProblem } from '../../domain/visit-dates.ts'
import { epochDayOf, type WrittenDate } from './parse-date.ts'

/** What is known of one study, as real days; it lives in memory while an import runs and goes nowhere. */
export interface KnownDates {
  /** Dates of its rows, in their order. */
  written: readonly WrittenDate[]
  /** Cells that hold something that is no date, and such with a month or a year alone. */
  unreadable: number
  withoutDay: number
  birth: WrittenDate | null
  /** As the table has it, not capped; null when unknown. */
  ageYears: number | null
  /** Days in the headers of its images. */
  headerDays: readonly number[]
}

/** `day` and `ageYears` null: not known, or not to be believed. */
export interface JudgedDate { day: number | null; ageYears: number | null; problems: DateProblem[] }

const oldestAge = 122
/** No picture of this kind was made before. */
const firstYear = 1900
/** An examination over midnight, or an archive in another time zone. */
const headerTolerance = 1
/** A date of birth with two digits of the year leaves two persons in question when both could be alive. */
const oldestShortAge = 110
/** Ages are capped at 90 by many hospitals. */
const cappedAge = 89

/**
 * The day of a study and everything that speaks against it.
 *
 * @param today epoch day of the import
 */
export function judgeDate({ written, unreadable, withoutDay, birth, ageYears, headerDays }: KnownDates, today: number): JudgedDate {
  const problems: DateProblem[] = []
  const thisYear = new Date(today * dayMs).getUTCFullYear()
  const tableDays = written.map((date) => dayOf(date, thisYear)).filter((day) => day !== null)
  if (tableDays.length === 0 && unreadable > 0) problems.push('unreadable')
  else if (tableDays.length === 0 && withoutDay > 0) problems.push('no-day')
  const tableDay = tableDays.length === 0 ? null : Math.min(...tableDays)
  const day = tableDay ?? (headerDays.length === 0 ? null : Math.min(...headerDays))
  if (day === null) return { day, ageYears: null, problems }
  if (tableDay !== null && headerDays.length > 0 && !headerDays.some((header) => tableDays.some((own) => Math.abs(own - header) <= headerTolerance))) problems.push('header-differs')
  // The rows may be several visits taken for one study.
  if (tableDays.some((own) => own !== tableDay)) problems.push('rows-differ')
  if (day > today) problems.push('future')
  if (new Date(day * dayMs).getUTCFullYear() < firstYear) problems.push('too-early')
  const birthDay = birth === null ? null : birthDayOf(birth, day, ageYears)
  if (birthDay !== null && day < birthDay) problems.push('before-birth')
  const age = birthDay === null || day < birthDay ? null : completedYears(birthDay, day)
  if (age !== null && age > oldestAge) problems.push('too-old')
  else if (age !== null && ageYears !== null && differs(ageYears, age)) problems.push('age-differs')
  return { day, ageYears: isImpossible(problems) ? null : age, problems }
}

/** In the century that puts a short year last before the import. */
function dayOf(date: WrittenDate, thisYear: number): number | null {
  if (!date.isShort) return epochDayOf(date, date.year)
  return epochDayOf(date, date.year + (2000 + date.year <= thisYear ? 2000 : 1900))
}

/** Null where both centuries are possible and no age tells which. */
function birthDayOf(birth: WrittenDate, day: number, ageYears: number | null): number | null {
  if (!birth.isShort) return epochDayOf(birth, birth.year)
  const days = [2000, 1900].map((century) => epochDayOf(birth, century + birth.year)).filter((candidate) => candidate !== null).filter((candidate) => candidate <= day)
  const fitting = ageYears === null ? days.filter((candidate) => completedYears(candidate, day) <= oldestShortAge) : days.filter((candidate) => !differs(ageYears, completedYears(candidate, day)))
  return fitting.length === 1 ? fitting[0]! : null
}

/** Whole years; in the first two years of life completed months as a part of one, as ages in tables are read. */
export function completedYears(birthDay: number, day: number): number {
  const [born, then] = [new Date(birthDay * dayMs), new Date(day * dayMs)]
  const isMonthOpen = then.getUTCDate() < born.getUTCDate()
  const months = (then.getUTCFullYear() - born.getUTCFullYear()) * 12 + then.getUTCMonth() - born.getUTCMonth() - (isMonthOpen ? 1 : 0)
  return months < 24 ? Math.round((100 * months) / 12) / 100 : Math.floor(months / 12)
}

/** An age may be that of the year or of another visit of the same stay: one year either way is no contradiction. */
function differs(stated: number, computed: number): boolean {
  if (stated >= cappedAge && computed >= cappedAge) return false
  return Math.abs(Math.floor(stated) - Math.floor(computed)) > 1
}

import { describe, expect, it } from 'vitest'
import { completedYears, judgeDate, type KnownDates } from '../../../../engine/importers/dates/judge-date.ts'
import { epochDayOf, formatDay, parseDate, type WrittenDate } from '../../../../engine/importers/dates/parse-date.ts'

const written = (text: string): WrittenDate => {
  const reading = parseDate(text)
  if (reading.kind !== 'date') throw new Error(text)
  return reading.date
}
const day = (text: string): number => epochDayOf(written(text), written(text).year)!
const today = day('2026-11-21')
const judge = (known: Partial<KnownDates>) => {
  const judged = judgeDate({ written: [], unreadable: 0, withoutDay: 0, birth: null, ageYears: null, headerDays: [], ...known }, today)
  return { ...judged, day: judged.day === null ? null : formatDay(judged.day) }
}

describe('the day of a study', () => {
  it('is that of the table, the earliest of its rows, or else that of its images', () => {
    expect(judge({ written: [written('2020-03-16'), written('2020-03-14')] })).toEqual({ day: '2020-03-14', ageYears: null, problems: ['rows-differ'] })
    expect(judge({ written: [written('2020-03-14'), written('2020-03-14')] }).problems).toEqual([])
    expect(judge({ headerDays: [day('2020-03-15'), day('2020-03-14')] })).toEqual({ day: '2020-03-14', ageYears: null, problems: [] })
    expect(judge({})).toEqual({ day: null, ageYears: null, problems: [] })
  })

  it.each([
    ['unreadable', { unreadable: 1 }], ['no-day', { withoutDay: 1 }], ['future', { written: [written('2026-11-22')] }], ['too-early', { written: [written('1899-12-31')] }],
    ['before-birth', { written: [written('2020-03-14')], birth: written('2020-03-15') }], ['too-old', { written: [written('2020-03-14')], birth: written('1890-01-01') }],
    ['age-differs', { written: [written('2020-03-14')], birth: written('1960-01-01'), ageYears: 58 }],
    ['header-differs', { written: [written('2020-03-14')], headerDays: [day('2020-03-17')] }],
  ] as const)('is told to be %s', (problem, known) => {
    expect(judge(known).problems).toEqual([problem])
  })

  it.each([
    ['today', { written: [written('2026-11-21')] }], ['the first day that counts', { written: [written('1900-01-01')] }], ['the day of birth', { written: [written('2020-03-14')], birth: written('2020-03-14'), ageYears: 0 }],
    ['an examination over midnight', { written: [written('2020-03-14')], headerDays: [day('2020-03-15')] }], ['an age a year off', { written: [written('2020-03-14')], birth: written('1960-06-01'), ageYears: 60 }],
    ['an age that was capped', { written: [written('2020-03-14')], birth: written('1920-06-01'), ageYears: 90 }],
  ] as const)('is not doubted for %s', (_, known) => {
    expect(judge(known).problems).toEqual([])
  })

  it('is not said to differ from images of one of the days of its rows', () => {
    expect(judge({ written: [written('2020-03-14'), written('2020-06-01')], headerDays: [day('2020-06-01')] }).problems).toEqual(['rows-differ'])
  })

  it('with two digits of the year lies in the past, and a birth in the century that the age tells, or in none', () => {
    expect(judge({ written: [written('14-MAR-26')] }).day).toBe('2026-03-14')
    expect(judge({ written: [written('14-MAR-27')] }).day).toBe('1927-03-14')
    const study = { written: [written('2020-03-14')] }
    expect(judge({ ...study, birth: written('1-JAN-60') }).ageYears).toBe(60)
    expect(judge({ ...study, birth: written('1-JAN-15') }).ageYears).toBe(null)
    expect(judge({ ...study, birth: written('1-JAN-15'), ageYears: 5 }).ageYears).toBe(5)
    expect(judge({ ...study, birth: written('1-JAN-25') }).ageYears).toBe(95)
  })

  it('gives an age in completed years, in months for the youngest', () => {
    expect(completedYears(day('1960-03-15'), day('2020-03-14'))).toBe(59)
    expect(completedYears(day('1960-03-14'), day('2020-03-14'))).toBe(60)
    expect(completedYears(day('2020-01-31'), day('2020-07-30'))).toBe(0.42)
    expect(completedYears(day('2018-03-14'), day('2020-03-14'))).toBe(2)
  })
})

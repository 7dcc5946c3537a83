import { describe, expect, it } from 'vitest'
import { dateAlarms } from '../../../engine/alarms/date-alarms.ts'
import { daysSinceFirst, type DateProblem } from '../../../engine/domain/visit-dates.ts'
import { summariseFollowUp } from '../../../engine/jobs/fingerprint/follow-up.ts'
import type { CohortColumns } from '../../../engine/store/study-index.ts'
import { makeFacts } from './cohort.ts'

const facts = (problems: [number, DateProblem[]][]) => ({ ...makeFacts(1, 40), dateProblems: new Map(problems), hasDates: true })

describe('the alarm of dates', () => {
  it('is quiet without a problem, and for a date that only lacks its day', () => {
    expect(dateAlarms(facts([]))).toEqual([])
    expect(dateAlarms(facts([[3, ['no-day']]]))).toEqual([])
  })

  it('counts what is wrong by kind, names the studies so that they open, and offers three remedies', () => {
    // Rows 10 and 11 are two studies of one patient.
    const [alarm] = dateAlarms(facts([[10, ['future']], [11, ['future', 'header-differs']], [20, ['unreadable']], [5, ['no-day']]]))
    expect(alarm).toMatchObject({ kind: 'impossible-dates', severity: 'serious', title: '3 studies of 2 patients have a date that cannot be right' })
    expect(alarm!.evidence[0]!.rows).toEqual([['after the day of the import', '1', '2'], ['image made on another day than the table says', '1', '1'], ['it cannot be read', '1', '1']])
    expect(alarm!.evidence[1]).toMatchObject({ studyIds: [11, 12, 12, 21], rows: { length: 4 } })
    expect(alarm!.remedies.map(({ draft }) => draft)).toEqual([
      { kind: 'exclude-studies', studyIds: [11, 12, 21] }, { kind: 'judge-dates', studyIds: [11, 12, 21], isUsed: false }, { kind: 'judge-dates', studyIds: [11, 12, 21], isUsed: true },
    ])
  })

  it('warns only where every day can be true', () => {
    expect(dateAlarms(facts([[4, ['age-differs']]]))).toMatchObject([{ severity: 'warning', title: '1 study of 1 patient has a date that cannot be right' }])
  })
})

describe('follow-up', () => {
  it('counts days from the first dated study of a key', () => {
    expect([...daysSinceFirst(['a', 'b', 'a', 'a', 'b'], [500, 7, 88, Number.NaN, 7])]).toEqual([412, 0, 0, Number.NaN, 0])
  })

  it('is told over what counts, and is nothing where no day was ever read', () => {
    const columns = { patientKeys: ['a', 'a', 'b', 'c', 'c', 'c'], days: Float64Array.of(100, 512, 3, 10, 40, Number.NaN), dateProblems: new Map<number, DateProblem[]>([[5, ['future']]]) } as unknown as CohortColumns
    expect(summariseFollowUp(columns, { rows: [0, 1, 2, 3, 4, 5] })).toMatchObject({ datedStudies: 5, undatedStudies: 0, doubtfulStudies: 1, followedPatients: 2, spanDays: { shortest: 30, longest: 412, median: 30 } })
    expect(summariseFollowUp(columns, { rows: [0, 2] })).toMatchObject({ followedPatients: 0, spanDays: null })
    expect(summariseFollowUp({ ...columns, days: new Float64Array(6).fill(Number.NaN), dateProblems: new Map() }, { rows: [0, 1] })).toBe(null)
  })
})

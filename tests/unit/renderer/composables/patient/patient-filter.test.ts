import { describe, expect, it } from 'vitest'
import { studyFilterSchema } from '../../../../../engine/domain/records.ts'
import { filterOfQuery, queryOfFilter, restrictionCount, withRun } from '../../../../../renderer/composables/patient/patient-filter.ts'

describe('patient filter in the address', () => {
  it('survives the way there and back', () => {
    const filter = studyFilterSchema.parse({
      cohortId: 3, runId: 7, labelId: 2, pattern: 'right-eye+notes', search: '0042', error: 'false-negative', review: 'none', split: 'test', sortBy: 'probability', descending: true,
    })
    expect(filterOfQuery(3, queryOfFilter(filter))).toEqual(filter)
  })

  it('writes nothing for the default list', () => {
    expect(queryOfFilter(studyFilterSchema.parse({ cohortId: 1 }))).toEqual({})
  })

  it('keeps the empty pattern apart from no pattern', () => {
    const filter = studyFilterSchema.parse({ cohortId: 1, pattern: '' })
    expect(filterOfQuery(1, queryOfFilter(filter)).pattern).toBe('')
  })

  it('opens a list from a damaged address', () => {
    const filter = filterOfQuery(1, { run: 'x', label: '-4', split: 'side', error: ['any', 'none'], sort: 'height', order: null })
    expect(filter).toEqual(studyFilterSchema.parse({ cohortId: 1 }))
  })

  it('drops what needs a run when none is named', () => {
    const filter = filterOfQuery(1, { error: 'any', review: 'agree', split: 'test' })
    expect([filter.error, filter.review, filter.split]).toEqual([null, null, null])
  })

  it('lets go of the labels and pattern of another run', () => {
    const filter = studyFilterSchema.parse({ cohortId: 1, runId: 2, labelId: 5, pattern: 'notes', split: 'test', sortBy: 'confidence' })
    expect(withRun(filter, 3)).toMatchObject({ runId: 3, labelId: null, pattern: null, split: 'test', sortBy: 'confidence' })
    expect(withRun(filter, null)).toMatchObject({ runId: null, split: null, sortBy: 'patientKey' })
  })

  it('counts restrictions', () => {
    expect(restrictionCount(studyFilterSchema.parse({ cohortId: 1, runId: 2 }))).toBe(0)
    expect(restrictionCount(studyFilterSchema.parse({ cohortId: 1, search: 'a', pattern: '' }))).toBe(2)
  })
})

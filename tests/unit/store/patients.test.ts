import { describe, expect, it } from 'vitest'
import { studyDetailSchema, studyListPageSchema, type StudyFilterInput } from '../../../engine/domain/records.ts'
import type { Store } from '../../../engine/store/open.ts'
import { addCohort, addRun, createEmptyCohort, makeBlock, makeStart, makeStudy, openTestStore } from './fixtures.ts'

function prepare(): { store: Store; cohortId: number; runId: number; labelIds: number[]; studyIds: number[] } {
  const store = openTestStore()
  const cohortId = addCohort(store, 40)
  const runId = addRun(store, cohortId)
  const labelIds = store.cohorts.get(cohortId).labels.map((label) => label.labelId)
  const studyIds = store.patients.listStudyIds({ cohortId, sortBy: 'patientKey' })
  store.predictions.addBlock(runId, makeBlock(studyIds.slice(0, 30)), labelIds)
  return { store, cohortId, runId, labelIds, studyIds }
}

describe('the patient list', () => {
  it('shows presence with its reason, reference labels and no prediction without a run', () => {
    const { store, cohortId } = prepare()
    const page = studyListPageSchema.parse(store.patients.listStudies({ cohortId, limit: 2 }))
    expect(page).toMatchObject({
      total: 40,
      rows: [
        { patientKey: 'P00000', studyKey: 'visit-0', ageYears: null, sex: 'female', pattern: 'right-eye', referenceLabels: ['glaucoma'], unknownLabelCount: 1, prediction: null, review: null,
          presence: [{ slotId: 'right-eye', isPresent: true, reason: null }, { slotId: 'left-eye', isPresent: false, reason: 'file-missing' }, { slotId: 'notes', isPresent: false, reason: 'not-collected' }] },
        { patientKey: 'P00000', studyKey: 'visit-1', ageYears: 41, pattern: 'right-eye+left-eye+notes', referenceLabels: [], unknownLabelCount: 0 },
      ],
    })
  })

  it('agrees with a plain count over every study for errors, splits, references and patterns', () => {
    const { store, cohortId, runId, labelIds, studyIds } = prepare()
    const count = (filter: Omit<StudyFilterInput, 'cohortId'>) => store.patients.listStudies({ cohortId, runId, ...filter }).total
    const wrong = { fp: [0, 0], fn: [0, 0], any: 0 }
    for (const studyId of studyIds) {
      const detail = store.patients.getStudy(studyId)
      let isWrong = false
      for (const prediction of store.predictions.forStudy(runId, studyId)) {
        prediction.labels.forEach((label, c) => {
          const isPredicted = label.probability >= label.threshold
          const { value } = detail.labels[c]!
          expect(label.reference).toBe(value)
          if (isPredicted && value === 0) wrong.fp[c]!++
          if (!isPredicted && value === 1) wrong.fn[c]!++
          if ((isPredicted && value === 0) || (!isPredicted && value === 1)) isWrong = true
        })
      }
      if (isWrong) wrong.any++
    }
    expect(wrong.any).toBeGreaterThan(5)
    expect(count({ error: 'any' })).toBe(wrong.any)
    labelIds.forEach((labelId, c) => {
      expect(count({ error: 'false-positive', labelId })).toBe(wrong.fp[c])
      expect(count({ error: 'false-negative', labelId })).toBe(wrong.fn[c])
    })
    expect(count({ split: 'test' })).toBe(30)
    expect(count({ split: 'train' })).toBe(0)
    expect(count({ pattern: 'right-eye+notes' })).toBe(store.cohorts.patternCounts(cohortId).find(({ pattern }) => pattern === 'right-eye+notes')!.count)
    const [first, second] = store.cohorts.labelCounts(cohortId)
    expect(count({ labelId: first!.labelId, reference: 'positive' })).toBe(first!.positives)
    expect(count({ labelId: second!.labelId, reference: 'unknown' })).toBe(second!.unknown)
  })

  it('sorts by probability, confidence, pattern and age, unknown last either way', () => {
    const { store, cohortId, runId, labelIds } = prepare()
    const rows = (filter: Omit<StudyFilterInput, 'cohortId'>) => store.patients.listStudies({ cohortId, runId, limit: 1000, ...filter }).rows
    for (const descending of [false, true]) {
      const direction = descending ? -1 : 1
      const isOrdered = (values: (number | null)[]) => {
        const known = values.filter((value) => value !== null)
        expect(values.slice(0, known.length)).toEqual(known)
        expect(known).toEqual([...known].sort((a, b) => (a - b) * direction))
      }
      isOrdered(rows({ sortBy: 'probability', labelId: labelIds[1], descending }).map((row) => row.prediction?.probability ?? null))
      isOrdered(rows({ sortBy: 'probability', descending }).map((row) => row.prediction?.probability ?? null))
      isOrdered(rows({ sortBy: 'confidence', descending }).map((row) => row.prediction?.confidence ?? null))
      isOrdered(rows({ sortBy: 'ageYears', descending }).map((row) => row.ageYears))
      const patterns = rows({ sortBy: 'pattern', descending }).map((row) => row.pattern)
      expect(patterns.filter((pattern, i) => pattern !== patterns[i - 1]).length).toBe(new Set(patterns).size)
    }
  })

  it('pages without gap or overlap and finds by any part of a key', () => {
    const { store, cohortId } = prepare()
    const ids = store.patients.listStudyIds({ cohortId, sortBy: 'ageYears', descending: true })
    const paged = [0, 15, 30].flatMap((offset) => store.patients.listStudies({ cohortId, sortBy: 'ageYears', descending: true, offset, limit: 15 }).rows.map((row) => row.studyId))
    expect(paged).toEqual(ids)
    expect(store.patients.listStudies({ cohortId, search: ' p00011 ' }).rows.map((row) => row.patientKey)).toEqual(['P00011', 'P00011'])
    expect(store.patients.listStudies({ cohortId, search: '%' }).total).toBe(0)
  })

  it('shows what the model had not seen first: test before validation before training', () => {
    const { store, cohortId, runId, labelIds, studyIds } = prepare()
    store.predictions.addBlock(runId, makeBlock([studyIds[35]!], { split: 'train', fold: 0 }), labelIds)
    store.predictions.addBlock(runId, makeBlock([studyIds[35]!], { split: 'test', fold: 2 }), labelIds)
    store.predictions.addBlock(runId, makeBlock([studyIds[35]!], { split: 'val', fold: 1 }), labelIds)
    store.predictions.addBlock(runId, makeBlock([studyIds[36]!], { isActual: [false], patterns: ['notes'] }), labelIds)
    const rows = store.patients.listStudies({ cohortId, runId, limit: 100 }).rows
    expect(rows[35]!.prediction).toMatchObject({ split: 'test', fold: 2 })
    expect(rows[36]!.prediction).toBeNull()
  })

  it('follows the newest review', () => {
    const { store, cohortId, runId, studyIds, labelIds } = prepare()
    const studyId = studyIds[4]!
    const rowOf = () => store.patients.listStudies({ cohortId, runId, limit: 100 }).rows[4]!
    expect(rowOf().review).toBeNull()
    store.reviews.add({ runId, studyId, labelId: labelIds[0]!, verdict: 'agree', comment: '' })
    expect(store.patients.listStudyIds({ cohortId, runId, review: 'agree' })).toEqual([studyId])
    const last = store.reviews.add({ runId, studyId, labelId: labelIds[0]!, verdict: 'disagree', comment: 'small disc' })
    expect(rowOf().review).toEqual(last)
    expect(store.reviews.latest(runId, studyId)).toEqual([last])
    store.reviews.add({ runId, studyId, labelId: null, verdict: 'unsure', comment: '' })
    expect(store.reviews.latest(runId, studyId).map((review) => review.verdict)).toEqual(['unsure', 'disagree'])
    expect(store.reviews.list(runId)).toHaveLength(3)
    expect(store.patients.listStudies({ cohortId, runId, review: 'none' }).total).toBe(39)
    expect(store.audit.list().some((entry) => JSON.stringify(entry).includes('small disc'))).toBe(false)
    expect(() => store.reviews.add({ runId, studyId: 9999, labelId: null, verdict: 'agree', comment: '' })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(() => store.reviews.add({ runId, studyId, labelId: 9999, verdict: 'agree', comment: '' })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })

  it('refuses a filter it cannot apply', () => {
    const { store, cohortId, runId, labelIds } = prepare()
    const other = addCohort(store, 5, 'Other')
    const list = (filter: StudyFilterInput) => () => store.patients.listStudies(filter)
    expect(list({ cohortId, error: 'any' })).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
    expect(list({ cohortId, reference: 'positive' })).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
    expect(list({ cohortId: other, runId })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(list({ cohortId: other, labelId: labelIds[0]! })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(list({ cohortId: 99 })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    const narrow = addRun(store, cohortId, { labelIds: [labelIds[1]!] })
    expect(list({ cohortId, runId: narrow, labelId: labelIds[0]! })).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })

  it('names the pattern over the slots of the run', () => {
    const { store, cohortId } = prepare()
    const runId = addRun(store, cohortId, { slotIds: ['right-eye', 'notes'] })
    expect(store.patients.listStudies({ cohortId, runId }).rows[1]!.pattern).toBe('right-eye+notes')
    expect(store.patients.listStudies({ cohortId, runId, pattern: 'right-eye+notes' }).total).toBe(32)
  })

  it('works before the first batch', () => {
    const { store } = prepare()
    const cohortId = createEmptyCohort(store, 'Empty')
    expect(store.patients.listStudies({ cohortId })).toEqual({ total: 0, patients: 0, rows: [] })
    store.imports.setStart(cohortId, makeStart(1))
    store.imports.addBatch(cohortId, [makeStudy(0)], 1)
    expect(store.patients.listStudies({ cohortId }).total).toBe(1)
  })
})

describe('a study', () => {
  it('comes with its items in slot order, labels and siblings', () => {
    const { store, studyIds } = prepare()
    const detail = studyDetailSchema.parse(store.patients.getStudy(studyIds[6]!))
    expect(detail).toMatchObject({ ordinal: 6, patientKey: 'P00003', rows: [8], pattern: 'right-eye+notes', siblingStudyIds: [studyIds[7]] })
    expect(detail.items.map((item) => [item.slotId, item.isPresent, item.reason, item.text])).toEqual([['right-eye', true, null, null], ['left-eye', false, 'file-missing', null], ['notes', true, null, 'note 6']])
    expect(detail.labels.map((label) => [label.name, label.value])).toEqual([['glaucoma', 0], ['cataract', 1]])
    expect(() => store.patients.getStudy(9999)).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })

  it('names the file of an image', () => {
    const { store, studyIds } = prepare()
    expect(store.patients.itemFile(studyIds[6]!, 'right-eye')?.path).toBe('/data/eyes/images/right-eye-6.png')
    expect(store.patients.itemFile(studyIds[6]!, 'left-eye')).toBeNull()
    expect(store.patients.itemFile(studyIds[6]!, 'notes')).toBeNull()
  })
})

describe('training studies', () => {
  it('hold present items with absolute paths and labels in the order asked for', () => {
    const { store, cohortId, labelIds, studyIds } = prepare()
    const studies = store.patients.trainingStudies(cohortId, ['notes', 'left-eye'], [labelIds[1]!, labelIds[0]!])
    expect(studies.map((study) => study.studyId)).toEqual(studyIds)
    expect(studies[0]).toMatchObject({ items: [], pattern: '', patientKey: 'P00000', studyKey: 'visit-0' })
    expect([...studies[0]!.labels]).toEqual([Number.NaN, 1])
    expect(studies[1]).toMatchObject({ pattern: 'left-eye+notes', items: [{ slotId: 'left-eye', path: '/data/eyes/images/left-eye-1.png', text: null }, { slotId: 'notes', path: null, text: 'note 1' }] })
    expect([...studies[4]!.labels]).toEqual([1, 1])
    expect(() => store.patients.trainingStudies(cohortId, ['ear'], labelIds)).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(() => store.patients.trainingStudies(cohortId, ['notes'], [99])).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })
})

import { describe, expect, it } from 'vitest'
import { storedPredictionSchema } from '../../../engine/domain/records.ts'
import { addCohort, addRun, makeBlock, openTestStore, summary } from './fixtures.ts'

function prepare() {
  const store = openTestStore()
  const cohortId = addCohort(store, 20)
  const runId = addRun(store, cohortId)
  const labelIds = store.runs.get(runId).config.labelIds
  store.runs.setStatus(runId, 'running')
  return { store, runId, cohortId, labelIds, studyIds: store.patients.listStudyIds({ cohortId }) }
}

describe('predictions', () => {
  it('come back as they went in, to the last bit of a 32-bit number', () => {
    const { store, runId, labelIds, studyIds } = prepare()
    const block = makeBlock(studyIds)
    expect(store.predictions.addBlock(runId, block, labelIds)).toEqual({ added: 40 })
    const columns = store.predictions.forRun(runId)
    expect(columns).toMatchObject({ count: 20, labelIds, labelNames: ['glaucoma', 'cataract'] })
    expect([...columns.studyIds]).toEqual(studyIds)
    expect(columns.logits).toEqual(block.logits)
    expect(columns.probabilities).toEqual(block.probabilities)
    expect([...columns.thresholds.slice(0, 2)]).toEqual([0.5, 0.25])
    expect([...columns.references.slice(0, 4)]).toEqual([1, Number.NaN, 0, 0])
    expect(new Set(columns.patientIds).size).toBe(10)
    expect(store.predictions.count(runId)).toBe(40)
  })

  it('are not doubled by a resume, and refuse to differ', () => {
    const { store, runId, labelIds, studyIds } = prepare()
    store.predictions.addBlock(runId, makeBlock(studyIds.slice(0, 10)), labelIds)
    expect(store.predictions.addBlock(runId, makeBlock(studyIds), labelIds)).toEqual({ added: 20 })
    const nearby = makeBlock(studyIds)
    nearby.logits[3]! += 1e-5
    expect(store.predictions.addBlock(runId, nearby, labelIds)).toEqual({ added: 0 })
    const other = makeBlock(studyIds, { fold: 0 })
    other.logits[39]! += 0.5
    expect(() => store.predictions.addBlock(runId, other, labelIds)).toThrow(expect.objectContaining({ code: 'STORE_PREDICTIONS_DIFFER' }))
    expect(() => store.predictions.addBlock(runId, makeBlock(studyIds, { split: 'train' }), labelIds)).toThrow(expect.objectContaining({ code: 'STORE_PREDICTIONS_DIFFER' }))
    expect(store.predictions.count(runId)).toBe(40)
  })

  it('are written whole or not at all, and only as numbers', () => {
    const { store, runId, labelIds, studyIds } = prepare()
    expect(() => store.predictions.addBlock(runId, makeBlock([...studyIds, 9999]), labelIds)).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    const broken = makeBlock(studyIds)
    broken.logits[5] = Number.NaN
    expect(() => store.predictions.addBlock(runId, broken, labelIds)).toThrow('not a number')
    expect(() => store.predictions.addBlock(runId, makeBlock(studyIds, { thresholds: new Float32Array(3) }), labelIds)).toThrow('does not fit')
    expect(() => store.predictions.addBlock(runId, makeBlock(studyIds), [labelIds[0]!, 99])).toThrow('other labels')
    expect(store.predictions.count(runId)).toBe(0)
  })

  it('accept the labels of the run in any order', () => {
    const { store, runId, labelIds, studyIds } = prepare()
    const block = makeBlock(studyIds.slice(0, 1))
    store.predictions.addBlock(runId, block, [...labelIds].reverse())
    const columns = store.predictions.forRun(runId)
    expect([...columns.logits]).toEqual([...block.logits].reverse())
    expect([...columns.thresholds]).toEqual([0.25, 0.5])
  })

  it('show the pattern a study really has before the what-ifs', () => {
    const { store, runId, labelIds, studyIds } = prepare()
    const studyId = studyIds[1]!
    store.predictions.addBlock(runId, makeBlock([studyId, studyId, studyId], { patterns: ['notes', 'right-eye', 'right-eye+left-eye+notes'], isActual: [false, false, true] }), labelIds)
    const predictions = store.predictions.forStudy(runId, studyId)
    predictions.forEach((prediction) => storedPredictionSchema.parse(prediction))
    expect(predictions.map((prediction) => [prediction.pattern, prediction.isActual])).toEqual([['right-eye+left-eye+notes', true], ['notes', false], ['right-eye', false]])
    expect(predictions[0]!.labels.map((label) => label.labelName)).toEqual(['glaucoma', 'cataract'])
    expect(store.predictions.forRun(runId, { onlyActual: true }).patterns).toEqual(['right-eye+left-eye+notes'])
    expect(store.predictions.forRun(runId, { split: 'val' }).count).toBe(0)
    expect(store.predictions.forRun(runId, { split: 'test' }).count).toBe(3)
  })

  it('leave as rows for a table, with the decision the list shows', () => {
    const { store, runId, cohortId, labelIds, studyIds } = prepare()
    store.predictions.addBlock(runId, makeBlock(studyIds), labelIds)
    store.predictions.addBlock(runId, makeBlock(studyIds.slice(0, 5), { patterns: Array<string>(5).fill('notes'), isActual: Array<boolean>(5).fill(false) }), labelIds)
    const rows = [...store.predictions.exportRows(runId)]
    expect(rows).toHaveLength(50)
    expect(rows[0]).toMatchObject({ runId, patientKey: 'P00000', studyKey: 'visit-0', labelName: 'glaucoma', reference: 1, pattern: 'right-eye+left-eye+notes', isActual: true, fold: 0, split: 'test', threshold: 0.5 })
    expect(rows[2]).toMatchObject({ patientKey: 'P00000', pattern: 'notes', isActual: false })
    const actual = [...store.predictions.exportRows(runId, { onlyActual: true })]
    const listed = store.patients.listStudies({ cohortId, runId, limit: 100 }).rows
    expect(actual.filter((row) => row.isPredicted).map((row) => `${row.patientKey}/${row.studyKey}/${row.labelName}`).sort())
      .toEqual(listed.flatMap((row) => row.prediction!.predictedLabels.map((name) => `${row.patientKey}/${row.studyKey}/${name}`)).sort())
    // An export that is still being read does not stand in the way of a write.
    const reading = store.predictions.exportRows(runId)
    reading.next()
    store.meta.set('key', 'value')
    expect([...reading]).toHaveLength(49)
  })

  it('of one fold can be cleared until the run is finished', () => {
    const { store, runId, labelIds, studyIds } = prepare()
    store.predictions.addBlock(runId, makeBlock(studyIds), labelIds)
    store.predictions.addBlock(runId, makeBlock(studyIds, { fold: 1, split: 'train' }), labelIds)
    store.predictions.clearFold(runId, 0)
    expect(store.predictions.count(runId)).toBe(40)
    store.runs.finish(runId, summary)
    expect(() => store.predictions.clearFold(runId, 1)).toThrow(expect.objectContaining({ code: 'RUN_WRONG_STATE' }))
    expect(store.predictions.count(runId)).toBe(40)
    // What-ifs asked for later are still welcome.
    expect(store.predictions.addBlock(runId, makeBlock(studyIds.slice(0, 1), { patterns: ['notes'], isActual: [false], fold: 1, split: 'train' }), labelIds)).toEqual({ added: 2 })
  })

  it('of one class at a time follow the most probable class', () => {
    const { store, cohortId, studyIds } = prepare()
    const runId = addRun(store, cohortId, { task: 'multi-class' })
    const labelIds = store.runs.get(runId).config.labelIds
    const block = makeBlock(studyIds.slice(0, 1))
    block.probabilities.set([0.4, 0.45])
    store.predictions.addBlock(runId, block, labelIds)
    expect(store.patients.listStudies({ cohortId, runId }).rows[0]!.prediction!.predictedLabels).toEqual(['cataract'])
    expect([...store.predictions.exportRows(runId)].map((row) => row.isPredicted)).toEqual([false, true])
    // The lead over the other class, whichever label is looked at: no threshold decides.
    for (const labelId of [null, ...labelIds]) expect(store.patients.listStudies({ cohortId, runId, labelId }).rows[0]!.prediction!.confidence).toBeCloseTo(0.05, 5)
  })
})

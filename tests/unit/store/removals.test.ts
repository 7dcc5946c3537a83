import SqliteDatabase from 'better-sqlite3'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { openStore } from '../../../engine/store/open.ts'
import { addCohort, addRun, makeBlock, openTestStore, summary, temporaryFolder } from './fixtures.ts'

const tables = ['cohorts', 'runs', 'patients', 'studies', 'items', 'study_labels', 'labels', 'prediction_sets', 'predictions', 'reviews']

function countsOf(path: string): Record<string, number> {
  const db = new SqliteDatabase(path, { readonly: true })
  const counts = Object.fromEntries(tables.map((table) => [table, db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number]))
  db.close()
  return counts
}

function storeWithCohort(folder: string) {
  const store = openTestStore(folder)
  const cohortId = addCohort(store, 120, 'Large')
  const runId = addRun(store, cohortId)
  const studyIds = store.patients.listStudyIds({ cohortId })
  store.runs.setStatus(runId, 'running')
  store.predictions.addBlock(runId, makeBlock(studyIds), store.cohorts.get(cohortId).labels.map((label) => label.labelId))
  store.reviews.add({ runId, studyId: studyIds[0]!, labelId: null, verdict: 'agree', comment: '' })
  store.runs.finish(runId, summary)
  return { store, cohortId, runId, studyId: studyIds[0]! }
}

describe('a removed cohort', () => {
  it('is gone for every read at once, and its name is free', () => {
    const { store, cohortId, runId, studyId } = storeWithCohort(temporaryFolder())
    store.cohorts.remove(cohortId)
    const gone = expect.objectContaining({ code: 'STORE_NOT_FOUND' })
    for (const read of [
      () => store.cohorts.get(cohortId), () => store.runs.get(runId), () => store.patients.listStudyIds({ cohortId }), () => store.patients.getStudy(studyId), () => store.imports.report(cohortId),
      () => store.runs.getSplit(runId), () => store.predictions.forRun(runId, {}), () => store.cohorts.rename(cohortId, 'Back'), () => store.cohorts.remove(cohortId),
      () => store.reviews.add({ runId, studyId, labelId: null, verdict: 'agree', comment: '' }), () => addRun(store, cohortId),
    ]) expect(read).toThrow(gone)
    expect([store.cohorts.list(), store.cohorts.getByName('Large'), store.runs.list()]).toEqual([[], null, []])
    expect(addCohort(store, 3, 'Large')).toBeGreaterThan(cohortId)
  })

  it('is erased in slices, and after a stop in between the next opening goes on', () => {
    const { store, cohortId } = storeWithCohort(temporaryFolder())
    const before = countsOf(store.path)
    store.cohorts.remove(cohortId)
    // A clock on which every step is long: each slice then has one.
    let nowMs = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1000))
    const slices = store.removals.erase()
    for (let turn = 0; turn < 3; turn++) expect(slices.next().done).toBe(false)
    clock.mockRestore()
    const between = countsOf(store.path)
    expect(between.prediction_sets).toBeGreaterThan(0)
    expect(between.prediction_sets).toBeLessThan(before.prediction_sets!)
    store.close()
    const again = openStore(store.path, { appVersion: '0.1.0' })
    expect(again.cohorts.list()).toEqual([])
    Array.from(again.removals.erase())
    expect(countsOf(store.path)).toEqual(Object.fromEntries(tables.map((table) => [table, 0])))
    expect(again.audit.list(1)[0]).toMatchObject({ event: 'cohort.erased', details: { cohortId } })
    expect(again.audit.verify().isIntact).toBe(true)
    again.close()
  })

  it('cannot be brought back, and what was not removed stays append-only', () => {
    const folder = temporaryFolder()
    const { store, cohortId } = storeWithCohort(folder)
    store.close()
    const db = new SqliteDatabase(join(folder, 'lacuna.db'))
    expect(() => db.exec('DELETE FROM prediction_sets')).toThrow('predictions of a finished run are kept')
    expect(() => db.exec('DELETE FROM reviews')).toThrow('append-only')
    db.prepare('UPDATE cohorts SET removal_began_at = ? WHERE id = ?').run('2024-01-01', cohortId)
    expect(() => db.exec('UPDATE cohorts SET removal_began_at = NULL')).toThrow('not taken back')
    db.close()
  })
})

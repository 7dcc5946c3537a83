import SqliteDatabase from 'better-sqlite3'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ImportedStudy } from '../../../engine/domain/import.ts'
import { mappingSchema } from '../../../engine/domain/mapping.ts'
import { makeStart, makeStudy, mapping, openTestStore, sha256, temporaryFolder } from './fixtures.ts'
import type { Store } from '../../../engine/store/open.ts'

const source = { sourceDir: '/data/eyes', tableFile: 'table.csv', sheet: null }
const dated = mappingSchema.parse({ ...mapping, dates: { study: 'When' } })
const study = (ordinal: number, patientKey: string, date: ImportedStudy['date']): ImportedStudy => makeStudy(ordinal, { patientKey, studyKey: `visit-${ordinal}`, ...(date ? { date } : {}) })
/** Visits out of order, one that cannot be true, one without a day, and a second patient. */
const studies = [
  study(0, 'P-A', { day: '2018-06-01', problems: [] }), study(1, 'P-A', { day: '2017-04-15', problems: [] }), study(2, 'P-A', { day: '2031-01-01', problems: ['future'] }),
  study(3, 'P-A', { day: null, problems: ['unreadable'] }), study(4, 'P-B', { day: '2016-01-01', problems: ['age-differs'] }), study(5, 'P-B', { day: '2016-01-31', problems: [] }),
]

function fill(store: Store, content = studies): number {
  const cohortId = store.cohorts.create({ name: 'Eyes', source, mapping: dated })
  store.imports.setStart(cohortId, makeStart(content.length))
  store.imports.addBatch(cohortId, content, content.length)
  store.imports.finish(cohortId)
  return cohortId
}
const idOf = (store: Store, cohortId: number, ordinal: number): number => store.patients.trainingStudies(cohortId, [], [])[ordinal]!.studyId
const visitsOf = (store: Store, studyId: number) => store.patients.getStudy(studyId).visits.map(({ studyKey, dayNumber, problems }) => [studyKey, dayNumber, ...problems])

it('orders the studies of a patient by their days; a day that cannot be true counts once somebody says so', () => {
  const store = openTestStore()
  const cohortId = fill(store)
  const first = idOf(store, cohortId, 0)
  expect(visitsOf(store, first)).toEqual([['visit-1', 0], ['visit-0', 412], ['visit-2', null, 'future'], ['visit-3', null, 'unreadable']])
  expect(store.patients.getStudy(first).noteDay).toBe('2018-06-01')
  expect(Array.from(store.cohorts.columns(cohortId).days, (day) => Number.isNaN(day))).toEqual([false, false, true, true, false, false])
  const hash = store.curation.hashOf(cohortId)
  const decide = (studyIds: number[], isUsed: boolean) => store.curation.decide(cohortId, { draft: { kind: 'judge-dates', studyIds, isUsed }, effect: 'x', reason: '', madeBy: 'me' })
  const used = decide([idOf(store, cohortId, 2)], true)
  expect(store.curation.hashOf(cohortId)).not.toBe(hash)
  expect(visitsOf(store, first).at(-2)).toEqual(['visit-2', 5009])
  decide([idOf(store, cohortId, 2), idOf(store, cohortId, 0)], false)
  expect(visitsOf(store, first)).toEqual([['visit-1', 0], ['visit-0', null], ['visit-2', null], ['visit-3', null, 'unreadable']])
  expect(store.patients.getStudy(first).noteDay).toBe(null)
  store.curation.undo(store.curation.list(cohortId)[0]!.decisionId, { reason: '', undoneBy: 'me' })
  store.curation.undo(used.decisionId, { reason: '', undoneBy: 'me' })
  expect(store.curation.hashOf(cohortId)).toBe(hash)
  expect(() => decide([9999], true)).toThrow('not in the cohort')
})

it('never counts days from one key to another, whose days were moved differently', () => {
  const store = openTestStore()
  const cohortId = fill(store)
  store.curation.decide(cohortId, { draft: { kind: 'merge-patients', groups: [['P-A', 'P-B']] }, effect: 'x', reason: '', madeBy: 'me' })
  expect(store.patients.getStudy(idOf(store, cohortId, 5)).visits.map(({ patientKey, dayNumber }) => [patientKey, dayNumber])).toEqual([['P-A', 0], ['P-A', 412], ['P-A', null], ['P-A', null], ['P-B', 0], ['P-B', 30]])
})

it('tells them in the report of the import, and seals them into the content', () => {
  const folder = temporaryFolder()
  const store = openTestStore(folder)
  const cohortId = fill(store)
  expect(store.imports.report(cohortId).dates).toEqual({ dated: 5, undated: 1, problems: [{ problem: 'age-differs', count: 1, rows: [6] }, { problem: 'future', count: 1, rows: [4] }, { problem: 'unreadable', count: 1, rows: [5] }] })
  expect(store.imports.verifyContent(cohortId)).toBe(true)
  const db = new SqliteDatabase(join(folder, 'lacuna.db'))
  db.prepare(`UPDATE studies SET study_date = '2018-06-02' WHERE ordinal = 0`).run()
  db.close()
  expect(store.imports.verifyContent(cohortId)).toBe(false)
})

it('compares them in a further delivery, and puts them back when it is undone', () => {
  const store = openTestStore()
  const cohortId = fill(store)
  const again = studies.map((one, i) => (i === 0 ? { ...one, date: { day: '2018-06-02', problems: [] } } : one))
  const deliver = (changed: ImportedStudy[], wanted = dated) => {
    const deliveryId = store.deliveries.begin({ cohortId, source, mapping: wanted, onChanged: 'replace', leaveOutNewLabels: false })
    store.deliveries.setStart(deliveryId, makeStart(changed.length, { tableSha256: sha256('next') }))
    store.deliveries.addBatch(deliveryId, changed, changed.length)
    store.deliveries.finish(deliveryId, store.deliveries.needsChain(deliveryId) ? store.deliveries.contentChain(cohortId) : null)
    return deliveryId
  }
  const deliveryId = deliver(again)
  expect(store.deliveries.changed(deliveryId, 10)).toMatchObject([{ studyKey: 'visit-0', outcome: 'replaced', changes: [{ kind: 'date', slotId: null }] }])
  expect(visitsOf(store, idOf(store, cohortId, 0))[1]).toEqual(['visit-0', 413])
  store.deliveries.beginUndo(deliveryId)
  Array.from(store.deliveries.undoSteps())
  expect(visitsOf(store, idOf(store, cohortId, 0))[1]).toEqual(['visit-0', 412])
  const silent = deliver(studies.map(({ date: _date, ...one }) => one), mapping)
  expect(store.deliveries.list(cohortId).at(-1)!.counts).toMatchObject({ unchanged: { studies: 6 }, replaced: { studies: 0 } })
  expect(store.imports.deliveryDates(cohortId, silent)).toBe(null)
})

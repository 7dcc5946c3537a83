import fc from 'fast-check'
import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { OnChanged } from '../../../engine/domain/deliveries.ts'
import type { ImportedStudy } from '../../../engine/domain/import.ts'
import { mappingSchema } from '../../../engine/domain/mapping.ts'
import type { Store } from '../../../engine/store/open.ts'
import { absentItem, addCohort, addRun, imageItem, labelNames, makeStart, makeStudy, mapping, openTestStore, sha256, storeSplit, temporaryFolder, textItem } from './fixtures.ts'

const source = { sourceDir: '/data/next', tableFile: '/data/next/table.csv', sheet: null }

interface Options { onChanged?: OnChanged; rejected?: number; rowUnit?: 'patient' | 'row' }

/** A delivery from its first row to its end, in batches of 7 so that borders are crossed. */
function deliver(store: Store, cohortId: number, studies: readonly ImportedStudy[], { onChanged = 'keep', rejected = 0, rowUnit = 'patient' }: Options = {}): number {
  const deliveryId = begin(store, cohortId, studies, { onChanged, rejected, rowUnit })
  feed(store, deliveryId, studies)
  store.deliveries.finish(deliveryId, store.deliveries.needsChain(deliveryId) ? store.deliveries.contentChain(cohortId) : null)
  return deliveryId
}

function begin(store: Store, cohortId: number, studies: readonly ImportedStudy[], { onChanged = 'keep', rejected = 0, rowUnit = 'patient' }: Options = {}): number {
  const deliveryId = store.deliveries.begin({ cohortId, source, mapping: mappingSchema.parse({ ...mapping, rowUnit: { kind: rowUnit } }), onChanged, leaveOutNewLabels: false })
  const rows = studies.reduce((sum, study) => sum + study.rows.length, 0)
  store.deliveries.setStart(deliveryId, makeStart(studies.length, {
    tableSha256: sha256('next'), rowsIn: rows + rejected, rejectedRows: Array.from({ length: rejected }, (_, i) => ({ row: 1000 + i, code: 'IMPORT_ID_BLANK' as const, detail: 'x' })),
  }))
  return deliveryId
}

function feed(store: Store, deliveryId: number, studies: readonly ImportedStudy[], until = studies.length): void {
  for (let from = 0; from < until; from += 7) {
    const batch = studies.slice(from, Math.min(from + 7, until)).map((study, i) => ({ ...study, ordinal: from + i }))
    store.deliveries.addBatch(deliveryId, batch, from + batch.length)
  }
}

const range = (from: number, until: number) => Array.from({ length: until - from }, (_, i) => makeStudy(from + i))
const countsOf = (store: Store, cohortId: number) => store.deliveries.list(cohortId).at(-1)!.counts
/** Everything that is stored of the studies, without their numbers in this database. */
function contentOf(store: Store, cohortId: number): unknown {
  return store.patients.listStudyIds({ cohortId }).map((studyId) => {
    const { studyId: _id, patientId: _patient, siblingStudyIds, ...study } = store.patients.getStudy(studyId)
    return { ...study, siblings: siblingStudyIds.length }
  })
}
function undo(store: Store, deliveryId: number): void {
  store.deliveries.beginUndo(deliveryId)
  Array.from(store.deliveries.undoSteps())
}

describe('a further delivery', () => {
  it('adds what is new, counts what is known, and extends the content hash', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 20)
    const before = store.cohorts.get(cohortId)
    deliver(store, cohortId, range(10, 30), { rejected: 2 })
    expect(countsOf(store, cohortId)).toEqual({
      rowsIn: 22, rowsRejected: 2, newPatients: 5, added: { studies: 10, rows: 10 }, unchanged: { studies: 10, rows: 10 },
      kept: { studies: 0, rows: 0 }, keptUsed: { studies: 0, rows: 0 }, replaced: { studies: 0, rows: 0 },
    })
    const after = store.cohorts.get(cohortId)
    expect(after).toMatchObject({ status: 'ready', studyCount: 30, patientCount: 15, nextOrdinal: 30 })
    expect(after.contentHash).not.toBe(before.contentHash)
    expect(store.imports.verifyContent(cohortId)).toBe(true)
    // The same content in one import gives the same hash: growing leaves no trace in it.
    expect(after.contentHash).toBe(store.cohorts.get(addCohort(store, 30, 'At once')).contentHash)
    expect(store.deliveries.hasGrownFrom(cohortId, before.contentHash!)).toBe(true)
    expect(store.deliveries.hasGrownFrom(cohortId, sha256('other'))).toBe(false)
    expect(store.imports.report(cohortId)).toMatchObject({ rowsIn: 20, studyCount: 20, patientCount: 10, itemCount: 60 })
  })

  it('adds nothing and changes no hash when everything is known', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 12)
    const { contentHash } = store.cohorts.get(cohortId)
    deliver(store, cohortId, range(0, 12))
    expect(store.cohorts.get(cohortId)).toMatchObject({ contentHash, studyCount: 12 })
    expect(countsOf(store, cohortId)).toMatchObject({ unchanged: { studies: 12, rows: 12 }, added: { studies: 0 }, newPatients: 0 })
  })

  const changed = (studies: ImportedStudy[]) => studies.map((study, i) => (i === 1 ? { ...study, labels: [1, 1] as (0 | 1 | null)[] }
    : i === 2 ? { ...study, items: study.items.map((item) => (item.slotId === 'notes' ? textItem('notes', 'another note') : item)) }
      : i === 4 ? { ...study, items: study.items.map((item) => (item.slotId === 'right-eye' ? imageItem('right-eye', 4, 'other pixels') : item)), ageYears: 99 }
        : i === 3 ? { ...study, items: study.items.map((item) => (item.slotId === 'left-eye' ? imageItem('left-eye', 3) : item)) } : study))

  it('keeps what it has where a study comes in another version, and lists how it differs', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 8)
    const before = contentOf(store, cohortId)
    const deliveryId = deliver(store, cohortId, changed(range(0, 8)))
    expect(contentOf(store, cohortId)).toEqual(before)
    expect(countsOf(store, cohortId)).toMatchObject({ unchanged: { studies: 4 }, kept: { studies: 4, rows: 4 } })
    expect(store.deliveries.changed(deliveryId, 10).map(({ patientKey, studyKey, outcome, changes }) => [patientKey, studyKey, outcome, changes.map(({ kind }) => kind).join()])).toEqual([
      ['P00000', 'visit-1', 'kept', 'labels'], ['P00001', 'visit-0', 'kept', 'text'], ['P00001', 'visit-1', 'kept', 'arrived'], ['P00002', 'visit-0', 'kept', 'image,age'],
    ])
  })

  it('takes the new version where asked, but never of a study that a run has used', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 8)
    const ids = store.patients.listStudyIds({ cohortId, sortBy: 'patientKey' })
    const runId = addRun(store, cohortId)
    storeSplit(store, runId, [['test']], [ids[1]!], { splitHash: sha256('s'), folds: [], patientCount: 1, studyCount: 1 })
    store.runs.setStatus(runId, 'running')
    store.runs.setStatus(runId, 'cancelled')
    const contentHash = store.cohorts.get(cohortId).contentHash!
    const deliveryId = deliver(store, cohortId, changed(range(0, 8)), { onChanged: 'replace' })
    expect(store.deliveries.changed(deliveryId, 10).map(({ outcome }) => outcome)).toEqual(['kept-used', 'replaced', 'replaced', 'replaced'])
    expect(store.imports.verifyContent(cohortId)).toBe(true)
    expect(store.cohorts.get(cohortId).contentHash).not.toBe(contentHash)
    const detail = store.patients.getStudy(ids[4]!)
    expect(detail).toMatchObject({ ageYears: 99 })
    expect(detail.items.find(({ slotId }) => slotId === 'right-eye')!.sha256).toBe(sha256('other pixels'))
    // What came with the new version lies in the folder of its delivery, what was not delivered again where it was.
    expect(store.patients.itemFile(ids[4]!, 'right-eye')!.path).toBe('/data/next/images/right-eye-4.png')
    expect(store.patients.itemFile(ids[1]!, 'right-eye')!.path).toBe('/data/eyes/images/right-eye-1.png')
    expect(store.runs.get(runId).cohortHash).toBe(contentHash)
  })

  it('does not take a file that is not delivered again for a change, and keeps it in a new version', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 2)
    const [first, second] = range(0, 2)
    const withoutFile = (study: ImportedStudy): ImportedStudy => ({ ...study, items: study.items.map((item) => (item.slotId === 'right-eye' ? absentItem('right-eye') : item)) })
    deliver(store, cohortId, [withoutFile(first!), { ...withoutFile(second!), labels: [1, 1] }], { onChanged: 'replace' })
    expect(countsOf(store, cohortId)).toMatchObject({ unchanged: { studies: 1 }, replaced: { studies: 1 } })
    const ids = store.patients.listStudyIds({ cohortId })
    expect(ids.map((studyId) => store.patients.itemFile(studyId, 'right-eye')?.path)).toEqual(['/data/eyes/images/right-eye-0.png', '/data/eyes/images/right-eye-1.png'])
  })

  it('finds a row again by its content or image where every row is a study of its own, however the rows are ordered', () => {
    const store = openTestStore()
    const rows = range(0, 6).map((study) => ({ ...study, patientKey: 'P1', studyKey: `P1-${study.ordinal + 1}`, items: study.items.map((item) => (item.slotId === 'right-eye' ? imageItem('right-eye', study.ordinal) : item)) }))
    const cohortId = addCohort(store, 6, 'Rows', (study) => rows[study.ordinal]!)
    const next = [{ ...rows[5]!, studyKey: 'P1-1' }, { ...makeStudy(70), patientKey: 'P1', studyKey: 'P1-2' }, { ...rows[0]!, studyKey: 'P1-3', labels: [0, 0] as (0 | 1 | null)[] }]
    deliver(store, cohortId, next, { rowUnit: 'row' })
    expect(countsOf(store, cohortId)).toMatchObject({ unchanged: { studies: 1 }, kept: { studies: 1 }, added: { studies: 1 } })
    expect(store.patients.getStudy(store.patients.listStudyIds({ cohortId }).at(-1)!).studyKey).toBe('P1-7')
  })

  it('is refused while another import or a run is under way, with other modalities, and with other labels', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 8)
    const draft = { cohortId, source, mapping, onChanged: 'keep' as const, leaveOutNewLabels: false }
    const runId = addRun(store, cohortId)
    expect(() => store.deliveries.begin(draft)).toThrow(expect.objectContaining({ code: 'IMPORT_DELIVERY_RUN_ACTIVE' }))
    store.runs.setStatus(runId, 'running')
    store.runs.setStatus(runId, 'cancelled')
    expect(() => store.deliveries.begin({ ...draft, mapping: { ...mapping, slots: mapping.slots.slice(1) } })).toThrow(expect.objectContaining({ code: 'IMPORT_DELIVERY_MISFIT' }))
    const deliveryId = store.deliveries.begin(draft)
    expect(() => store.deliveries.begin(draft)).toThrow(expect.objectContaining({ code: 'STORE_WRONG_STATE' }))
    expect(() => store.deliveries.setStart(deliveryId, makeStart(1, { labelNames: [...labelNames, 'new'] }))).toThrow(expect.objectContaining({ code: 'IMPORT_DELIVERY_MISFIT' }))
    store.deliveries.setStart(deliveryId, makeStart(1))
    expect(() => store.deliveries.setStart(deliveryId, makeStart(2))).toThrow(expect.objectContaining({ code: 'STORE_IMPORT_CHANGED' }))
    expect(() => store.deliveries.finish(deliveryId, null)).toThrow(expect.objectContaining({ code: 'STORE_IMPORT_INCOMPLETE' }))
  })
})

describe('undo of a delivery', () => {
  it('brings back the cohort as it was, for any mix of new, changed and replaced studies, from a finished or a stopped import', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 14 }), fc.constantFrom<OnChanged>('keep', 'replace'), fc.array(fc.nat(3), { minLength: 14, maxLength: 14 }), fc.boolean(), (size, from, length, onChanged, kinds, isFinished) => {
      const store = openTestStore()
      const cohortId = addCohort(store, size)
      const before = { content: contentOf(store, cohortId), cohort: store.cohorts.get(cohortId) }
      const studies = range(from, from + length).map((study, i) => (kinds[i] === 0 ? study : kinds[i] === 1 ? { ...study, labels: [1, null] as (0 | 1 | null)[] } : kinds[i] === 2 ? { ...study, rows: [500 + i, 600 + i], ageYears: 1 } : { ...study, items: study.items.map((item) => (item.slotId === 'notes' ? textItem('notes', 'x') : item)) }))
      const deliveryId = isFinished ? deliver(store, cohortId, studies, { onChanged }) : begin(store, cohortId, studies, { onChanged })
      if (!isFinished) feed(store, deliveryId, studies, Math.ceil(length / 2))
      const { counts } = store.deliveries.list(cohortId).at(-1)!
      if (isFinished) expect(counts.added.rows + counts.unchanged.rows + counts.kept.rows + counts.replaced.rows + counts.rowsRejected).toBe(counts.rowsIn)
      expect(store.imports.verifyContent(cohortId) || onChanged === 'replace').toBe(true)
      undo(store, deliveryId)
      expect(contentOf(store, cohortId)).toEqual(before.content)
      expect(store.cohorts.get(cohortId)).toEqual(before.cohort)
      expect(store.imports.verifyContent(cohortId)).toBe(true)
      expect(store.deliveries.list(cohortId).at(-1)).toMatchObject({ status: 'undone', undoBlocked: 'undone' })
      store.close()
    }), { numRuns: 15 })
  })

  it('is refused while a run uses its studies or a later delivery stands on it, and is logged', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 4)
    const second = deliver(store, cohortId, range(4, 8))
    const third = deliver(store, cohortId, range(8, 10))
    expect(() => store.deliveries.beginUndo(second)).toThrow(expect.objectContaining({ code: 'IMPORT_UNDO_ORDER' }))
    const runId = addRun(store, cohortId, { name: 'Baseline' })
    storeSplit(store, runId, [['train']], [store.patients.listStudyIds({ cohortId }).at(-1)!], { splitHash: sha256('s'), folds: [], patientCount: 1, studyCount: 1 })
    expect(() => store.deliveries.beginUndo(third)).toThrow(expect.objectContaining({ code: 'IMPORT_UNDO_USED', message: expect.stringContaining('"Baseline"') }))
    expect(store.deliveries.list(cohortId).map(({ number, undoBlocked }) => [number, undoBlocked])).toEqual([[1, 'first'], [2, 'not-last'], [3, 'used-by-runs']])
    store.runs.remove(runId)
    Array.from(store.removals.erase())
    undo(store, third)
    undo(store, second)
    expect(store.cohorts.get(cohortId)).toMatchObject({ studyCount: 4, status: 'ready' })
    expect(store.audit.list().map(({ event }) => event).filter((event) => event.startsWith('delivery.'))).toEqual(['delivery.undone', 'delivery.undo', 'delivery.undone', 'delivery.undo', 'delivery.finished', 'delivery.started', 'delivery.begun', 'delivery.finished', 'delivery.started', 'delivery.begun'])
    expect(store.audit.verify().isIntact).toBe(true)
  })

  it('goes on at the next opening when it was cut off, and erases what was read in from the file', () => {
    const folder = temporaryFolder()
    const store = openTestStore(folder)
    const cohortId = addCohort(store, 4)
    const before = store.cohorts.get(cohortId)
    const deliveryId = deliver(store, cohortId, range(0, 200).map((study) => ({ ...study, items: [imageItem('right-eye', study.ordinal), absentItem('left-eye'), textItem('notes', `secret words ${study.ordinal}`)] })), { onChanged: 'replace' })
    store.deliveries.beginUndo(deliveryId)
    store.close()
    const again = openTestStore(folder)
    expect(again.cohorts.get(cohortId).status).toBe('importing')
    Array.from(again.deliveries.undoSteps())
    expect(again.cohorts.get(cohortId)).toEqual(before)
    again.close()
    const db = new SqliteDatabase(again.path, { readonly: true })
    expect(db.serialize().includes('secret words')).toBe(false)
    db.close()
  })
})

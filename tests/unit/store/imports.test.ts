import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { importReportSchema } from '../../../engine/domain/import.ts'
import { cohortSummarySchema } from '../../../engine/domain/records.ts'
import { absentItem, addCohort, addRun, createEmptyCohort, imageItem, makeBlock, makeStart, makeStudy, openTestStore, sha256, slots, textItem } from './fixtures.ts'

describe('an import', () => {
  it('tells of itself at every stage', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    expect(cohortSummarySchema.parse(store.cohorts.get(cohortId))).toMatchObject({ name: 'Eyes', status: 'importing', slots: [], labels: [], task: null, studyCount: 0, contentHash: null })
    expect(store.cohorts.importRequest(cohortId)).toMatchObject({ fromOrdinal: 0, tableSha256: null, source: { tableFile: 'table.csv' } })
    store.imports.setStart(cohortId, makeStart(3, { rowsIn: 5, rejectedRows: [{ row: 9, code: 'STORE_NOT_FOUND', detail: 'blank ID' }, { row: 4, code: 'STORE_NOT_FOUND', detail: 'blank ID' }] }))
    expect(store.imports.addBatch(cohortId, [makeStudy(0), makeStudy(1)], 2)).toEqual({ added: 2 })
    expect(store.cohorts.importRequest(cohortId)).toMatchObject({ fromOrdinal: 2, tableSha256: sha256('table') })
    expect(store.imports.report(cohortId)).toMatchObject({ status: 'paused', rowsIn: 4, rowsAccepted: 2, rowsRejected: 2, studyCount: 2 })
    store.imports.addBatch(cohortId, [makeStudy(2)], 3)
    const hash = store.imports.finish(cohortId)
    expect(cohortSummarySchema.parse(store.cohorts.get(cohortId))).toMatchObject({
      status: 'ready', contentHash: hash, task: 'multi-label', patientCount: 2, studyCount: 3, itemCount: 9, presentItemCount: 7, runCount: 0,
      labels: [{ name: 'glaucoma', position: 0 }, { name: 'cataract', position: 1 }],
    })
    const report = importReportSchema.omit({ elapsedMs: true, imagesPerSecond: true }).parse(store.imports.report(cohortId))
    expect(report).toMatchObject({
      status: 'complete', rowsIn: 5, rowsAccepted: 3, rowsRejected: 2, patientCount: 2, studyCount: 3, itemCount: 9,
      rejections: [{ code: 'STORE_NOT_FOUND', count: 2, rows: [4, 9], reason: 'blank ID' }],
      absences: [{ slotId: 'left-eye', reason: 'file-missing', count: 1 }, { slotId: 'notes', reason: 'not-collected', count: 1 }],
    })
  })

  it('writes a repeated batch once', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    store.imports.setStart(cohortId, makeStart(4))
    const batch = [makeStudy(0), makeStudy(1)]
    store.imports.addBatch(cohortId, batch, 2)
    expect(store.imports.addBatch(cohortId, batch, 2)).toEqual({ added: 0 })
    expect(store.imports.addBatch(cohortId, [makeStudy(1), makeStudy(2), makeStudy(3)], 4)).toEqual({ added: 2 })
    expect(store.cohorts.get(cohortId)).toMatchObject({ studyCount: 4, nextOrdinal: 4 })
    expect(store.imports.finish(cohortId)).toMatch(/^[0-9a-f]{64}$/)
  })

  it('hashes the same content to the same hash, however it was cut into batches, and other content to another', () => {
    const store = openTestStore()
    const hashes = [[7], [1, 6], [3, 3, 1]].map((sizes, index) => {
      const cohortId = createEmptyCohort(store, `Cohort ${index}`)
      store.imports.setStart(cohortId, makeStart(7))
      let from = 0
      for (const size of sizes) {
        store.imports.addBatch(cohortId, Array.from({ length: size }, (_, i) => makeStudy(from + i)), from + size)
        from += size
      }
      return store.imports.finish(cohortId)
    })
    expect(new Set(hashes).size).toBe(1)
    const changes = [{ patientKey: 'other' }, { studyKey: 'other' }, { ageYears: 12.5 }, { labels: [0, null] as (0 | null)[] }, { sex: null },
      { items: [imageItem('right-eye', 3, 'other'), absentItem('left-eye'), textItem('notes', 'note 3')] },
      { items: [imageItem('right-eye', 3), absentItem('left-eye', 'unreadable'), textItem('notes', 'note 3')] },
      { items: [imageItem('right-eye', 3), absentItem('left-eye'), textItem('notes', 'note 3.')] }]
    const others = changes.map((change, index) => store.cohorts.get(addCohort(store, 7, `Other ${index}`, (study) => (study.ordinal === 3 ? { ...study, ...change } : study))).contentHash)
    expect(new Set([...others, hashes[0]]).size).toBe(changes.length + 1)
    const moved = addCohort(store, 7, 'Moved', (study) => ({ ...study, items: study.items.map((item) => ({ ...item, sourcePath: item.sourcePath && `elsewhere/${item.sourcePath}` })).reverse() }))
    expect(store.cohorts.get(moved).contentHash).toBe(hashes[0])
  })

  it('notices content that was changed behind its back', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 20)
    expect(store.imports.verifyContent(cohortId)).toBe(true)
    const other = new SqliteDatabase(store.path)
    for (const [change, undo] of [
      [`UPDATE items SET text = 'nott 7' WHERE text = 'note 7'`, `UPDATE items SET text = 'note 7' WHERE text = 'nott 7'`],
      [`UPDATE study_labels SET value = 1 - value WHERE study_id = 3`, `UPDATE study_labels SET value = 1 - value WHERE study_id = 3`],
      [`UPDATE labels SET name = 'galucoma' WHERE name = 'glaucoma'`, `UPDATE labels SET name = 'glaucoma' WHERE name = 'galucoma'`],
    ]) {
      other.exec(change!)
      expect(store.imports.verifyContent(cohortId)).toBe(false)
      other.exec(undo!)
      expect(store.imports.verifyContent(cohortId)).toBe(true)
    }
    other.close()
  })

  it('takes up again only the same source', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    const start = makeStart(4, { rejectedRows: [{ row: 7, code: 'STORE_NOT_FOUND', detail: '' }] })
    store.imports.setStart(cohortId, start)
    store.imports.setStart(cohortId, start)
    expect(store.imports.report(cohortId).rowsRejected).toBe(1)
    for (const change of [{ tableSha256: sha256('other') }, { rowsIn: 5 }, { labelNames: ['glaucoma'] }, { slots: slots.slice(1) }, { task: 'multi-class' as const }]) {
      expect(() => store.imports.setStart(cohortId, { ...start, ...change })).toThrow(expect.objectContaining({ code: 'STORE_IMPORT_CHANGED' }))
    }
  })

  it('is not finished before every study and row is accounted for', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    expect(() => store.imports.finish(cohortId)).toThrow(expect.objectContaining({ code: 'STORE_IMPORT_INCOMPLETE' }))
    store.imports.setStart(cohortId, makeStart(2, { rowsIn: 3 }))
    store.imports.addBatch(cohortId, [makeStudy(0)], 1)
    expect(() => store.imports.finish(cohortId)).toThrow(expect.objectContaining({ code: 'STORE_IMPORT_INCOMPLETE' }))
    store.imports.addBatch(cohortId, [makeStudy(1)], 2)
    expect(() => store.imports.finish(cohortId)).toThrow(expect.objectContaining({ code: 'STORE_IMPORT_INCOMPLETE', message: expect.stringContaining('of 3') }))
    expect(store.cohorts.get(cohortId).status).toBe('importing')
  })

  it('refuses what does not fit, and then writes nothing of the batch', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    expect(() => store.imports.addBatch(cohortId, [makeStudy(0)], 1)).toThrow('before its start')
    store.imports.setStart(cohortId, makeStart(10))
    const twice = { ...makeStudy(1), patientKey: 'P00000', studyKey: 'visit-0' }
    expect(() => store.imports.addBatch(cohortId, [makeStudy(0), twice], 2)).toThrow(expect.objectContaining({ code: 'STORE_STUDY_TWICE' }))
    for (const broken of [{ labels: [1 as const] }, { items: [] }, { items: [imageItem('right-eye', 1), imageItem('right-eye', 1), imageItem('left-eye', 1)] }]) {
      expect(() => store.imports.addBatch(cohortId, [makeStudy(0), { ...makeStudy(1), ...broken }], 2)).toThrow('slots')
    }
    expect(() => store.imports.addBatch(cohortId, [makeStudy(1), makeStudy(0)], 2)).toThrow('order')
    expect(() => store.imports.addBatch(cohortId, [makeStudy(0), makeStudy(1)], 1)).toThrow('goes on at')
    expect(store.cohorts.get(cohortId)).toMatchObject({ studyCount: 0, patientCount: 0, nextOrdinal: 0 })
    expect(() => store.imports.addBatch(addCohort(store, 3, 'Ready'), [makeStudy(3)], 4)).toThrow(expect.objectContaining({ code: 'STORE_WRONG_STATE' }))
  })
})

describe('cohorts', () => {
  it('have names of their own', () => {
    const store = openTestStore()
    const first = createEmptyCohort(store, ' Eyes ')
    expect(() => createEmptyCohort(store, 'eyes')).toThrow(expect.objectContaining({ code: 'STORE_NAME_TAKEN' }))
    const second = createEmptyCohort(store, 'Chests')
    expect(() => store.cohorts.rename(second, 'EYES')).toThrow(expect.objectContaining({ code: 'STORE_NAME_TAKEN' }))
    store.cohorts.rename(second, 'Lungs')
    expect(store.cohorts.getByName('lungs')?.cohortId).toBe(second)
    expect(store.cohorts.getByName('Chests')).toBeNull()
    expect(store.cohorts.list().map((cohort) => cohort.cohortId)).toEqual([second, first])
    expect(() => store.cohorts.get(99)).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })

  it('are counted by label, pattern, absence and repeated image', () => {
    const store = openTestStore()
    const cohortId = addCohort(store, 30, 'Eyes', (study) => (study.ordinal === 8 || study.ordinal === 9 || study.ordinal === 20 ? { ...study, items: [imageItem('right-eye', study.ordinal, study.ordinal === 20 ? 'same' : 'twin'), ...study.items.slice(1)] } : study.ordinal === 21 ? { ...study, items: [imageItem('right-eye', 21, 'same'), imageItem('left-eye', 21, 'same'), study.items[2]!] } : study))
    expect(store.cohorts.labelCounts(cohortId)).toMatchObject([
      { name: 'glaucoma', positives: 8, negatives: 22, unknown: 0 },
      { name: 'cataract', positives: 12, negatives: 13, unknown: 5 },
    ])
    const patterns = store.cohorts.patternCounts(cohortId)
    expect(patterns.reduce((sum, { count }) => sum + count, 0)).toBe(30)
    expect(patterns[0]).toEqual({ pattern: 'right-eye+left-eye+notes', count: 17 })
    expect(patterns).toContainEqual({ pattern: 'right-eye', count: 2 })
    expect(store.cohorts.absences(cohortId)).toEqual([{ slotId: 'left-eye', reason: 'file-missing', count: 9 }, { slotId: 'notes', reason: 'not-collected', count: 6 }])
    expect(store.cohorts.duplicateImages(cohortId)).toEqual([
      { sha256: sha256('same'), count: 3, acrossPatients: false, rows: [22, 23] },
      { sha256: sha256('twin'), count: 2, acrossPatients: false, rows: [10, 11] },
    ])
    expect(() => store.cohorts.labelCounts(99)).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
  })

  it('keep the label words found in the notes', () => {
    const store = openTestStore()
    const cohortId = createEmptyCohort(store)
    const word = { slotId: 'notes', word: 'drusen', labelName: 'glaucoma', studiesWithWord: 5, studiesWithWordAndLabel: 4, auroc: 0.8 }
    store.imports.setStart(cohortId, makeStart(1, { labelWords: [word, { ...word, word: 'opacity', auroc: 0.9 }] }))
    expect(store.cohorts.labelWords(cohortId)).toEqual([{ ...word, word: 'opacity', auroc: 0.9 }, word])
  })

  it('go with everything that hangs on them, and leave the others alone', () => {
    const store = openTestStore()
    const [first, second] = [addCohort(store, 12, 'First'), addCohort(store, 12, 'Second')]
    const runs = [first, second].map((cohortId) => {
      const runId = addRun(store, cohortId)
      store.predictions.addBlock(runId, makeBlock(store.patients.listStudyIds({ cohortId })), store.cohorts.get(cohortId).labels.map((label) => label.labelId))
      store.reviews.add({ runId, studyId: store.patients.listStudyIds({ cohortId })[0]!, labelId: null, verdict: 'unsure', comment: '' })
      return runId
    })
    store.runs.setStatus(runs[0]!, 'running')
    expect(() => store.cohorts.remove(first)).toThrow(expect.objectContaining({ code: 'RUN_WRONG_STATE' }))
    store.runs.setStatus(runs[0]!, 'paused')
    store.cohorts.remove(first)
    expect(store.cohorts.list().map((cohort) => cohort.cohortId)).toEqual([second])
    expect(() => store.runs.get(runs[0]!)).toThrow(expect.objectContaining({ code: 'STORE_NOT_FOUND' }))
    expect(store.predictions.count(runs[1]!)).toBe(24)
    expect(store.imports.verifyContent(second)).toBe(true)
    expect(store.removals.runIds()).toEqual([runs[0]])
    Array.from(store.removals.erase())
    expect(store.removals.runIds()).toEqual([])
    const other = new SqliteDatabase(store.path, { readonly: true })
    expect(other.pragma('foreign_key_check')).toEqual([])
    expect(other.prepare('SELECT count(*) FROM items').pluck().get()).toBe(36)
    other.close()
    expect(store.audit.list(2)).toMatchObject([{ event: 'cohort.erased', details: { cohortId: first } }, { event: 'cohort.removed', details: { cohortId: first, studies: 12, runs: 1 } }])
  })
})

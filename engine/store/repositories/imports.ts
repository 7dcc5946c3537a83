import { AppError } from '../../domain/errors.ts'
import type { ImportedStudy, ImportReport } from '../../domain/import.ts'
import type { ImportStart } from '../../domain/exchange.ts'
import { canonicalJson, found, slotsOf, type StoreContext } from '../context.ts'
import { sealContent } from '../content-seal.ts'
import { createContentReader, nextContentHash } from '../cohort-content.ts'
import { createImportReports } from '../import-report.ts'
import { assertShape, createStudyWriter } from '../study-writer.ts'
import { createVisits } from '../visits.ts'

interface ImportStateRow {
  status: 'importing' | 'ready'
  slots_json: string
  task: string | null
  table_sha256: string | null
  content_chain: string
  next_ordinal: number
  rows_in: number
  study_total: number
}

export interface StoredImage { path: string; sha256: string; byteSize: number; frame: number }

export interface ImportRepository {
  setStart: (cohortId: number, start: ImportStart) => void
  addBatch: (cohortId: number, studies: readonly ImportedStudy[], nextOrdinal: number) => { added: number }
  finish: (cohortId: number) => string
  verifyContent: (cohortId: number) => boolean
  /** Images of at most `count` studies stored so far, spread evenly, as they were when they were read. `path` is relative to the source folder. */
  sampleImages: (cohortId: number, count: number) => StoredImage[]
  report: (cohortId: number) => Omit<ImportReport, 'elapsedMs' | 'imagesPerSecond'>
  /** Puts the words found in the whole cohort in the place of those of its first import. */
  replaceLabelWords: (cohortId: number, words: ImportStart['labelWords']) => void
  /** Days of the studies that a delivery added; null where its mapping reads none. */
  deliveryDates: (cohortId: number, deliveryId: number) => ImportReport['dates'] | null
}

/** Takes a cohort in, batch by batch; a stop at any point leaves whole batches and a place to go on from. */
export function createImportRepository({ db, now, audit, changed }: StoreContext): ImportRepository {
  const selectState = db.prepare<{ cohortId: number }, ImportStateRow>(`
    SELECT status, slots_json, task, table_sha256, content_chain, next_ordinal, rows_in, study_total FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL`)
  const updateStart = db.prepare<{ cohortId: number; tableSha256: string; rowsIn: number; studyTotal: number; slots: string; task: string }>(`
    UPDATE cohorts SET table_sha256 = :tableSha256, rows_in = :rowsIn, study_total = :studyTotal, slots_json = :slots, task = :task WHERE id = :cohortId`)
  const insertLabel = db.prepare<{ cohortId: number; position: number; name: string; derivedFrom: string | null }>('INSERT INTO labels (cohort_id, position, name, derived_from) VALUES (:cohortId, :position, :name, :derivedFrom)')
  const insertRejected = db.prepare<{ cohortId: number; row: number; code: string; detail: string }>('INSERT INTO rejected_rows (cohort_id, row, code, detail) VALUES (:cohortId, :row, :code, :detail)')
  const insertWord = db.prepare<ImportStart['labelWords'][number] & { cohortId: number }>(`
    INSERT INTO label_words (cohort_id, slot_id, word, label_name, studies_with_word, studies_with_word_and_label, auroc)
    VALUES (:cohortId, :slotId, :word, :labelName, :studiesWithWord, :studiesWithWordAndLabel, :auroc)`)
  const removeWords = db.prepare<{ cohortId: number }>('DELETE FROM label_words WHERE cohort_id = :cohortId')
  const selectLabels = db.prepare<{ cohortId: number }, { id: number; name: string }>('SELECT id, name FROM labels WHERE cohort_id = :cohortId ORDER BY position')
  const updateProgress = db.prepare<{ cohortId: number; nextOrdinal: number; chain: string }>('UPDATE cohorts SET next_ordinal = :nextOrdinal, content_chain = :chain WHERE id = :cohortId')
  const updateReady = db.prepare<{ cohortId: number; hash: string; finishedAt: string }>(`UPDATE cohorts SET status = 'ready', content_hash = :hash, finished_at = :finishedAt WHERE id = :cohortId`)
  // CROSS JOIN keeps the short list outside, so that only its studies are looked up.
  const selectImages = db.prepare<{ cohortId: number; ordinals: string }, StoredImage>(`
    SELECT items.source_path AS path, items.sha256 AS sha256, items.byte_size AS byteSize, items.frame AS frame FROM json_each(:ordinals) AS chosen
    CROSS JOIN studies ON studies.cohort_id = :cohortId AND studies.ordinal = chosen.value JOIN items ON items.study_id = studies.id
    WHERE items.is_present = 1 AND items.source_path IS NOT NULL AND items.sha256 IS NOT NULL AND items.delivery_id IS NULL ORDER BY studies.ordinal, items.slot_id`)
  const writer = createStudyWriter(db)
  const reports = createImportReports(db)
  const visits = createVisits(db)
  const content = createContentReader(db)

  const stateOf = (cohortId: number) => found(selectState.get({ cohortId }), 'cohort', cohortId)

  function openState(cohortId: number): ImportStateRow {
    const state = stateOf(cohortId)
    if (state.status === 'ready') throw new AppError('STORE_WRONG_STATE', `The import of cohort ${cohortId} is complete; nothing can be added to it.`)
    return state
  }

  const setStart = db.transaction((cohortId: number, start: ImportStart): void => {
    const state = openState(cohortId)
    if (state.table_sha256 !== null) {
      const before = { table: state.table_sha256, rows: state.rows_in, studies: state.study_total, slots: slotsOf(state.slots_json), task: state.task, labels: selectLabels.all({ cohortId }).map((label) => label.name) }
      const after = { table: start.tableSha256, rows: start.rowsIn, studies: start.studyCount, slots: start.slots, task: start.task, labels: start.labelNames }
      if (canonicalJson(before) !== canonicalJson(after)) throw new AppError('STORE_IMPORT_CHANGED', 'The source is not the one this import began with.')
      return
    }
    updateStart.run({ cohortId, tableSha256: start.tableSha256, rowsIn: start.rowsIn, studyTotal: start.studyCount, slots: JSON.stringify(start.slots), task: start.task })
    const derived = new Map(start.derivedLabels?.map(({ name, slotIds }) => [name, JSON.stringify(slotIds)]))
    start.labelNames.forEach((name, position) => insertLabel.run({ cohortId, position, name, derivedFrom: derived.get(name) ?? null }))
    for (const rejected of start.rejectedRows) insertRejected.run({ cohortId, ...rejected })
    for (const word of start.labelWords) insertWord.run({ cohortId, ...word })
    audit('import.started', { cohortId, tableSha256: start.tableSha256, rowsIn: start.rowsIn, studies: start.studyCount, rejectedRows: start.rejectedRows.length })
    changed.cohort(cohortId)
  })

  const addBatch = db.transaction((cohortId: number, studies: readonly ImportedStudy[], nextOrdinal: number): { added: number } => {
    const state = openState(cohortId)
    if (state.table_sha256 === null) throw new Error(`cohort ${cohortId} got a batch before its start`)
    const slots = slotsOf(state.slots_json)
    const labelIds = selectLabels.all({ cohortId }).map((label) => label.id)
    let chain = state.content_chain
    let expected = state.next_ordinal
    let added = 0
    for (const study of studies) {
      // An import that resumes may deliver again what was written just before it stopped.
      if (study.ordinal < state.next_ordinal) continue
      if (study.ordinal < expected) throw new Error(`study ${study.ordinal} came out of order`)
      assertShape(study, slots, labelIds.length)
      writer.writeStudy(study, { cohortId, deliveryId: null, labelIds })
      chain = nextContentHash(chain, study, slots)
      expected = study.ordinal + 1
      added++
    }
    const next = Math.max(state.next_ordinal, nextOrdinal)
    if (next < expected) throw new Error(`a batch up to study ${expected - 1} says it goes on at ${nextOrdinal}`)
    updateProgress.run({ cohortId, nextOrdinal: next, chain })
    changed.cohort(cohortId)
    return { added }
  })

  const finish = db.transaction((cohortId: number): string => {
    const state = openState(cohortId)
    const { rowsAccepted, rowsRejected, studyCount } = reports.rowCounts(cohortId)
    if (state.table_sha256 === null || studyCount !== state.study_total || rowsAccepted + rowsRejected !== state.rows_in) {
      throw new AppError('STORE_IMPORT_INCOMPLETE', `${studyCount} of ${state.study_total} studies are stored; ${rowsAccepted} accepted and ${rowsRejected} rejected rows of ${state.rows_in}.`)
    }
    const hash = seal(state.content_chain, cohortId)
    updateReady.run({ cohortId, hash, finishedAt: now() })
    audit('import.finished', { cohortId, contentHash: hash, studies: studyCount, rowsAccepted, rowsRejected })
    changed.cohort(cohortId)
    return hash
  })

  const replaceLabelWords = db.transaction((cohortId: number, words: ImportStart['labelWords']): void => {
    stateOf(cohortId)
    removeWords.run({ cohortId })
    for (const word of words) insertWord.run({ cohortId, ...word })
    changed.cohort(cohortId)
  })

  function seal(chain: string, cohortId: number): string {
    const state = stateOf(cohortId)
    return sealContent(chain, slotsOf(state.slots_json), selectLabels.all({ cohortId }).map((label) => label.name), state.task)
  }

  function verifyContent(cohortId: number): boolean {
    const slots = slotsOf(stateOf(cohortId).slots_json)
    let chain = ''
    for (const study of content.studies(cohortId)) chain = nextContentHash(chain, study, slots)
    const stored = content.hashes(cohortId)
    return stored.content_hash === null ? stored.content_chain === chain : stored.content_hash === seal(chain, cohortId)
  }

  return {
    setStart: (cohortId, start) => setStart.immediate(cohortId, start),
    addBatch: (cohortId, studies, nextOrdinal) => addBatch.immediate(cohortId, studies, nextOrdinal),
    finish: (cohortId) => finish.immediate(cohortId),
    verifyContent,
    sampleImages: (cohortId, count) => {
      const stored = stateOf(cohortId).next_ordinal
      const chosen = new Set(Array.from({ length: Math.min(count, stored) }, (_, i) => Math.floor((i * stored) / Math.min(count, stored))))
      return selectImages.all({ cohortId, ordinals: JSON.stringify([...chosen]) })
    },
    report: (cohortId) => reports.report(cohortId),
    replaceLabelWords: (cohortId, words) => replaceLabelWords.immediate(cohortId, words),
    deliveryDates: visits.ofImport,
  }
}

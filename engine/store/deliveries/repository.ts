import { AppError } from '../../domain/errors.ts'
import type { ChangedStudy, Delivery, DeliveryForecast, OnChanged } from '../../domain/deliveries.ts'
import type { ImportStart } from '../../domain/exchange.ts'
import type { ImportedStudy, ImportReport } from '../../domain/import.ts'
import type { ImportSource, Mapping } from '../../domain/mapping.ts'
import { createContentReader, nextContentHash } from '../cohort-content.ts'
import { canonicalJson, found, slotsOf, type StoreContext } from '../context.ts'
import { sealContent } from '../content-seal.ts'
import { assertShape, createStudyWriter } from '../study-writer.ts'
import { changesBetween, findStored, freeStudyKey } from './match.ts'
import { createDeliveryRecords } from './records.ts'
import { createDeliveryUndo } from './undo.ts'
import { createVersions } from './versions.ts'

interface CohortState { status: 'importing' | 'ready'; slots_json: string; task: string; content_chain: string; content_hash: string | null; next_ordinal: number; study_total: number; finished_at: string | null }

interface DeliveryState { id: number; cohort_id: number; number: number; status: string; on_changed: OnChanged; mapping_json: string; table_sha256: string | null; rows_in: number; study_total: number; next_ordinal: number; leave_out_new_labels: 0 | 1 }

export interface DeliveryDraft {
  cohortId: number
  source: ImportSource
  mapping: Mapping
  onChanged: OnChanged
  /** Labels that the cohort does not have are passed over instead of refused. */
  leaveOutNewLabels: boolean
}

/** What the import job needs to start a delivery or to go on with it. */
export interface OpenDelivery {
  deliveryId: number
  number: number
  status: 'importing' | 'undoing'
  request: { source: ImportSource; mapping: Mapping; fromOrdinal: number; tableSha256: string | null }
  /** The cohort's own, which a delivery cannot change. */
  knownLabels: { names: string[]; leaveOutNew: boolean }
}

export interface DeliveryRepository {
  /** Opens a delivery; the cohort counts as importing until it is finished or undone. */
  begin: (draft: DeliveryDraft) => number
  open: (cohortId: number) => OpenDelivery | null
  setStart: (deliveryId: number, start: ImportStart) => void
  addBatch: (deliveryId: number, studies: readonly ImportedStudy[], nextOrdinal: number) => void
  /** Content chain of everything stored; reads the whole cohort, so not for the process of the windows. */
  contentChain: (cohortId: number) => string
  /** Whether the chain has to be made anew, because a study in the middle of it was replaced. */
  needsChain: (deliveryId: number) => boolean
  finish: (deliveryId: number, chain: string | null) => string
  list: (cohortId: number) => Delivery[]
  changed: (deliveryId: number, limit: number) => ChangedStudy[]
  rejections: (deliveryId: number) => ImportReport['rejections']
  forecast: (cohortId: number, keys: readonly string[]) => DeliveryForecast
  /**
   * True when the cohort once was what this hash says and has only grown since: what was there then is there now, since a delivery replaces
   * no study that a run has used. Decisions are those of now, or with `runId` those of that run.
   */
  hasGrownFrom: (cohortId: number, cohortHash: string, runId?: number) => boolean
  /** Marks the delivery and gives the number of its cohort; `undoSteps` then takes it back in slices. Throws IMPORT_UNDO_USED or IMPORT_UNDO_ORDER. */
  beginUndo: (deliveryId: number) => number
  undoSteps: () => Generator<void>
}

const activeRuns = `SELECT name FROM runs WHERE cohort_id = :cohortId AND status IN ('queued', 'running') AND removal_began_at IS NULL`

/** Imports after the first one of a cohort: they add, compare and note, and can be taken back as long as no run has used them. */
export function createDeliveryRepository(context: StoreContext): DeliveryRepository {
  const { db, now, audit, changed, effective } = context
  const selectCohort = db.prepare<{ cohortId: number }, CohortState>(`SELECT status, slots_json, task, content_chain, content_hash, next_ordinal, study_total, finished_at FROM cohorts
    WHERE id = :cohortId AND removal_began_at IS NULL`)
  const selectState = db.prepare<{ deliveryId: number }, DeliveryState>('SELECT * FROM deliveries WHERE id = :deliveryId')
  const selectOpen = db.prepare<{ cohortId: number }, DeliveryState & { source_dir: string; table_file: string; sheet: string | null }>(`SELECT * FROM deliveries WHERE cohort_id = :cohortId AND status IN ('importing', 'undoing')`)
  const selectActive = db.prepare<{ cohortId: number }, { name: string }>(activeRuns)
  const selectLabels = db.prepare<{ cohortId: number }, { id: number; name: string }>('SELECT id, name FROM labels WHERE cohort_id = :cohortId ORDER BY position')
  const selectNumber = db.prepare<{ cohortId: number }>('SELECT coalesce(max(number), 1) + 1 FROM deliveries WHERE cohort_id = :cohortId').pluck()
  const insertDelivery = db.prepare(`INSERT INTO deliveries (cohort_id, number, on_changed, source_dir, table_file, sheet, mapping_json, cohort_before_json, hash_before, created_at, leave_out_new_labels)
    VALUES (:cohortId, :number, :onChanged, :sourceDir, :tableFile, :sheet, :mapping, :before, :hashBefore, :now, :leaveOut)`)
  const openCohort = db.prepare<{ cohortId: number }>(`UPDATE cohorts SET status = 'importing', content_hash = NULL, finished_at = NULL WHERE id = :cohortId`)
  const updateStart = db.prepare('UPDATE deliveries SET table_sha256 = :tableSha256, rows_in = :rowsIn, study_total = :studyTotal WHERE id = :deliveryId')
  const insertRejection = db.prepare('INSERT INTO delivery_rejections (delivery_id, row, code, detail) VALUES (:deliveryId, :row, :code, :detail)')
  const insertOutcome = db.prepare(`INSERT INTO delivery_studies (delivery_id, study_id, outcome, row_count, changes_json, previous_json)
    VALUES (:deliveryId, :studyId, :outcome, :rowCount, :changes, :previous)`)
  const selectMet = db.prepare<{ deliveryId: number; studyId: number }>('SELECT 1 FROM delivery_studies WHERE study_id = :studyId AND delivery_id = :deliveryId').pluck()
  const selectUsed = db.prepare<{ studyId: number }>(`SELECT EXISTS (SELECT 1 FROM splits WHERE study_id = :studyId) OR EXISTS (SELECT 1 FROM prediction_sets WHERE study_id = :studyId)
    OR EXISTS (SELECT 1 FROM reviews WHERE study_id = :studyId)`).pluck()
  const updateCohort = db.prepare('UPDATE cohorts SET next_ordinal = :nextOrdinal, study_total = :nextOrdinal, content_chain = :chain WHERE id = :cohortId')
  const updatePlace = db.prepare('UPDATE deliveries SET next_ordinal = :nextOrdinal WHERE id = :deliveryId')
  const selectReplaced = db.prepare<{ deliveryId: number }>(`SELECT EXISTS (SELECT 1 FROM delivery_studies WHERE delivery_id = :deliveryId AND outcome = 'replaced')`).pluck()
  const readyCohort = db.prepare(`UPDATE cohorts SET status = 'ready', content_chain = :chain, content_hash = :hash, finished_at = :now WHERE id = :cohortId`)
  const endDelivery = db.prepare(`UPDATE deliveries SET status = 'done', hash_after = :hash, counts_json = :counts, finished_at = :now WHERE id = :deliveryId`)
  const selectBefore = db.prepare<{ cohortId: number }>(`SELECT hash_before FROM deliveries WHERE cohort_id = :cohortId AND status <> 'undone' ORDER BY number`).pluck()
  const records = createDeliveryRecords(db)
  const undo = createDeliveryUndo(context, records)
  const content = createContentReader(db)
  const writer = createStudyWriter(db)
  const versions = createVersions(db)

  const cohortOf = (cohortId: number) => found(selectCohort.get({ cohortId }), 'cohort', cohortId)
  const stateOf = (deliveryId: number) => found(selectState.get({ deliveryId }), 'delivery', deliveryId)

  const begin = db.transaction(({ cohortId, source, mapping, onChanged, leaveOutNewLabels }: DeliveryDraft): number => {
    const cohort = cohortOf(cohortId)
    if (cohort.status !== 'ready') throw new AppError('STORE_WRONG_STATE', 'An import of this cohort is not finished; a further delivery has to wait.')
    const active = selectActive.get({ cohortId })
    if (active) throw new AppError('IMPORT_DELIVERY_RUN_ACTIVE', `"${active.name}" is training on this cohort.`)
    const wanted = mapping.slots.map(({ slot }) => slot)
    const byId = (slots: readonly { slotId: string; modality: string }[]) => slots.map(({ slotId, modality }) => `${slotId} ${modality}`).sort().join()
    if (byId(wanted) !== byId(slotsOf(cohort.slots_json))) throw new AppError('IMPORT_DELIVERY_MISFIT', 'The mapping of this delivery does not have the same modalities as the cohort.')
    const { slots_json: _slots, task: _task, status: _status, ...before } = cohort
    const number = selectNumber.get({ cohortId }) as number
    const deliveryId = Number(insertDelivery.run({
      cohortId, number, onChanged, sourceDir: source.sourceDir, tableFile: source.tableFile, sheet: source.sheet,
      mapping: JSON.stringify(mapping), before: JSON.stringify(before), hashBefore: cohort.content_hash, now: now(), leaveOut: leaveOutNewLabels ? 1 : 0,
    }).lastInsertRowid)
    openCohort.run({ cohortId })
    audit('delivery.begun', { cohortId, deliveryId, number, onChanged, contentHash: cohort.content_hash })
    changed.cohort(cohortId)
    return deliveryId
  })

  function importing(deliveryId: number): DeliveryState {
    const state = stateOf(deliveryId)
    if (state.status !== 'importing') throw new AppError('STORE_WRONG_STATE', `Delivery ${state.number} is ${state.status}; nothing can be added to it.`)
    return state
  }

  const setStart = db.transaction((deliveryId: number, start: ImportStart): void => {
    const state = importing(deliveryId)
    const { cohort_id: cohortId } = state
    const cohort = cohortOf(cohortId)
    const labels = selectLabels.all({ cohortId }).map(({ name }) => name)
    if (canonicalJson([labels, cohort.task]) !== canonicalJson([start.labelNames, start.task])) throw new AppError('IMPORT_DELIVERY_MISFIT', 'The labels of this delivery are not those of the cohort.')
    if (state.table_sha256 !== null) {
      if (canonicalJson([state.table_sha256, state.rows_in, state.study_total]) !== canonicalJson([start.tableSha256, start.rowsIn, start.studyCount])) throw new AppError('STORE_IMPORT_CHANGED', 'The source is not the one this delivery began with.')
      return
    }
    updateStart.run({ deliveryId, tableSha256: start.tableSha256, rowsIn: start.rowsIn, studyTotal: start.studyCount })
    for (const rejected of start.rejectedRows) insertRejection.run({ deliveryId, ...rejected })
    audit('delivery.started', { cohortId, deliveryId, tableSha256: start.tableSha256, rowsIn: start.rowsIn, studies: start.studyCount, rejectedRows: start.rejectedRows.length })
  })

  const addBatch = db.transaction((deliveryId: number, studies: readonly ImportedStudy[], nextOrdinal: number): void => {
    const state = importing(deliveryId)
    const { cohort_id: cohortId } = state
    if (state.table_sha256 === null) throw new Error(`delivery ${deliveryId} got a batch before its start`)
    const cohort = cohortOf(cohortId)
    const slots = slotsOf(cohort.slots_json)
    const labelIds = selectLabels.all({ cohortId }).map(({ id }) => id)
    const isNumbered = (JSON.parse(state.mapping_json) as Mapping).rowUnit.kind === 'row'
    let chain = cohort.content_chain
    let ordinal = cohort.next_ordinal
    for (const study of studies) {
      // A resume may bring again what was written just before the stop.
      if (study.ordinal < state.next_ordinal) continue
      assertShape(study, slots, labelIds.length)
      const patientId = writer.patientId(cohortId, study.patientKey)
      const candidates = patientId === null ? [] : versions.ofPatient(cohortId, patientId)
      const stored = findStored(candidates, study, isNumbered, slots, (studyId) => selectMet.get({ deliveryId, studyId }) !== undefined)
      if (stored === null) {
        const studyKey = isNumbered ? freeStudyKey(study.patientKey, new Set(candidates.map((candidate) => candidate.studyKey))) : study.studyKey
        const added = { ...study, studyKey, ordinal }
        const studyId = writer.writeStudy(added, { cohortId, deliveryId, labelIds })
        insertOutcome.run({ deliveryId, studyId, outcome: 'added', rowCount: study.rows.length, changes: '[]', previous: null })
        chain = nextContentHash(chain, added, slots)
        ordinal++
        continue
      }
      const { studyId } = stored
      const changes = changesBetween(stored, study, slots)
      const isUsed = changes.length > 0 && state.on_changed === 'replace' && selectUsed.get({ studyId }) === 1
      const outcome = changes.length === 0 ? 'unchanged' : state.on_changed === 'keep' ? 'kept' : isUsed ? 'kept-used' : 'replaced'
      const previous = outcome === 'replaced' ? versions.snapshot(studyId) : null
      if (outcome === 'replaced') versions.replace(studyId, study, deliveryId, labelIds)
      insertOutcome.run({ deliveryId, studyId, outcome, rowCount: study.rows.length, changes: JSON.stringify(changes), previous })
    }
    updateCohort.run({ cohortId, nextOrdinal: ordinal, chain })
    updatePlace.run({ deliveryId, nextOrdinal: Math.max(state.next_ordinal, nextOrdinal) })
    changed.cohort(cohortId)
  })

  const finish = db.transaction((deliveryId: number, newChain: string | null): string => {
    const state = importing(deliveryId)
    const { cohort_id: cohortId } = state
    const cohort = cohortOf(cohortId)
    const counts = records.countNow(deliveryId, state.rows_in)
    const told = counts.added.rows + counts.unchanged.rows + counts.kept.rows + counts.keptUsed.rows + counts.replaced.rows + counts.rowsRejected
    if (state.table_sha256 === null || state.next_ordinal !== state.study_total || told !== state.rows_in) {
      throw new AppError('STORE_IMPORT_INCOMPLETE', `${state.next_ordinal} of ${state.study_total} studies of the delivery are looked at; ${told} of ${state.rows_in} rows are accounted for.`)
    }
    const hasReplaced = selectReplaced.get({ deliveryId }) === 1
    if (hasReplaced && newChain === null) throw new Error(`delivery ${deliveryId} replaced studies and brings no new chain`)
    const chain = hasReplaced ? newChain! : cohort.content_chain
    const hash = sealContent(chain, slotsOf(cohort.slots_json), selectLabels.all({ cohortId }).map(({ name }) => name), cohort.task)
    readyCohort.run({ cohortId, chain, hash, now: now() })
    endDelivery.run({ deliveryId, hash, counts: JSON.stringify(counts), now: now() })
    audit('delivery.finished', {
      cohortId, deliveryId, contentHash: hash, rowsIn: counts.rowsIn, rejectedRows: counts.rowsRejected, added: counts.added.studies,
      unchanged: counts.unchanged.studies, kept: counts.kept.studies + counts.keptUsed.studies, replaced: counts.replaced.studies,
    })
    changed.cohort(cohortId)
    return hash
  })

  return {
    begin: (draft) => begin.immediate(draft),
    open: (cohortId) => {
      const row = selectOpen.get({ cohortId })
      return row === undefined ? null : {
        deliveryId: row.id, number: row.number, status: row.status as 'importing' | 'undoing',
        request: { source: { sourceDir: row.source_dir, tableFile: row.table_file, sheet: row.sheet }, mapping: JSON.parse(row.mapping_json) as Mapping, fromOrdinal: row.next_ordinal, tableSha256: row.table_sha256 },
        knownLabels: { names: selectLabels.all({ cohortId }).map(({ name }) => name), leaveOutNew: row.leave_out_new_labels === 1 },
      }
    },
    setStart: (deliveryId, start) => setStart.immediate(deliveryId, start),
    addBatch: (deliveryId, studies, nextOrdinal) => addBatch.immediate(deliveryId, studies, nextOrdinal),
    contentChain: (cohortId) => {
      const slots = slotsOf(cohortOf(cohortId).slots_json)
      let chain = ''
      for (const study of content.studies(cohortId)) chain = nextContentHash(chain, study, slots)
      return chain
    },
    needsChain: (deliveryId) => selectReplaced.get({ deliveryId }) === 1,
    finish: (deliveryId, chain) => finish.immediate(deliveryId, chain),
    list: records.list,
    changed: records.changed,
    rejections: records.rejections,
    forecast: records.forecast,
    hasGrownFrom: (cohortId, cohortHash, runId) => {
      const decided = runId === undefined ? effective.now(cohortId) : effective.ofRun(runId)
      return (selectBefore.all({ cohortId }) as string[]).some((hash) => decided.hashOver(hash) === cohortHash)
    },
    ...undo,
  }
}

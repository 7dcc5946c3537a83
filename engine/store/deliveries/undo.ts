import { AppError } from '../../domain/errors.ts'
import { found, type StoreContext } from '../context.ts'
import { inSlices } from '../slices.ts'
import { cutLogSoon } from '../write-ahead-log.ts'
import type { DeliveryRecords } from './records.ts'
import { createVersions } from './versions.ts'

interface State { id: number; cohort_id: number; number: number; status: string; cohort_before_json: string; hash_before: string }
interface CohortBefore { content_chain: string; content_hash: string; next_ordinal: number; study_total: number; finished_at: string }

const studiesInStep = 20

/**
 * Takes the last delivery of a cohort back: what it added goes, what it replaced is as before. It is marked first and goes in short
 * transactions; a kill in between is finished at the next opening of the store.
 */
export function createDeliveryUndo({ db, now, audit, changed }: StoreContext, records: DeliveryRecords) {
  const selectState = db.prepare<{ deliveryId: number }, State>('SELECT id, cohort_id, number, status, cohort_before_json, hash_before FROM deliveries WHERE id = :deliveryId')
  const selectUndoing = db.prepare<[], State>(`SELECT deliveries.id, cohort_id, number, deliveries.status, cohort_before_json, hash_before FROM deliveries
    JOIN cohorts ON cohorts.id = deliveries.cohort_id WHERE deliveries.status = 'undoing' AND cohorts.removal_began_at IS NULL`)
  const mark = db.prepare<{ deliveryId: number }>(`UPDATE deliveries SET status = 'undoing' WHERE id = :deliveryId`)
  const openCohort = db.prepare<{ cohortId: number }>(`UPDATE cohorts SET status = 'importing', content_hash = NULL, finished_at = NULL WHERE id = :cohortId`)
  const selectActive = db.prepare<{ cohortId: number }, { name: string }>(`SELECT name FROM runs WHERE cohort_id = :cohortId AND status IN ('queued', 'running') AND removal_began_at IS NULL`)
  const deleteStudies = db.prepare<{ deliveryId: number; limit: number }>('DELETE FROM studies WHERE id IN (SELECT id FROM studies WHERE delivery_id = :deliveryId LIMIT :limit)')
  const selectReplaced = db.prepare<{ deliveryId: number; limit: number }, { id: number; study_id: number; previous_json: string }>(
    `SELECT id, study_id, previous_json FROM delivery_studies WHERE delivery_id = :deliveryId AND outcome = 'replaced' LIMIT :limit`)
  const deleteOutcome = db.prepare<{ id: number }>('DELETE FROM delivery_studies WHERE id = :id')
  const deleteOutcomes = db.prepare<{ deliveryId: number }>('DELETE FROM delivery_studies WHERE delivery_id = :deliveryId')
  const deletePatients = db.prepare<{ cohortId: number }>('DELETE FROM patients WHERE cohort_id = :cohortId AND NOT EXISTS (SELECT 1 FROM studies WHERE patient_id = patients.id)')
  const restoreCohort = db.prepare(`UPDATE cohorts SET status = 'ready', content_chain = :chain, content_hash = :hash, next_ordinal = :nextOrdinal, study_total = :studyTotal, finished_at = :finishedAt WHERE id = :cohortId`)
  const end = db.prepare(`UPDATE deliveries SET status = 'undone', undone_at = :now WHERE id = :deliveryId`)
  const versions = createVersions(db)

  const beginUndo = db.transaction((deliveryId: number): number => {
    const { cohort_id: cohortId, number, status } = found(selectState.get({ deliveryId }), 'delivery', deliveryId)
    if (status === 'undoing') return cohortId
    if (status === 'undone' || !records.isLast(cohortId, deliveryId)) throw new AppError('IMPORT_UNDO_ORDER', `Delivery ${number} is not the last one of its cohort.`)
    const users = records.usersOf(deliveryId)
    if (users.length > 0) throw new AppError('IMPORT_UNDO_USED', `${users.length === 1 ? 'A run' : `${users.length} runs`} used studies of delivery ${number}: ${users.slice(0, 5).map((name) => `"${name}"`).join(', ')}.`)
    const active = selectActive.get({ cohortId })
    if (active) throw new AppError('IMPORT_DELIVERY_RUN_ACTIVE', `"${active.name}" is training on this cohort.`)
    mark.run({ deliveryId })
    openCohort.run({ cohortId })
    audit('delivery.undo', { cohortId, deliveryId, number })
    changed.cohort(cohortId)
    return cohortId
  })

  function* steps(): Generator<void> {
    for (const { id: deliveryId, cohort_id: cohortId, cohort_before_json: before, number } of selectUndoing.all()) {
      while (deleteStudies.run({ deliveryId, limit: studiesInStep }).changes > 0) yield
      for (let page = selectReplaced.all({ deliveryId, limit: studiesInStep }); page.length > 0; page = selectReplaced.all({ deliveryId, limit: studiesInStep })) {
        for (const { id, study_id: studyId, previous_json: previous } of page) {
          versions.restore(studyId, previous)
          // Gone with the step that restored it, so that a kill repeats nothing.
          deleteOutcome.run({ id })
        }
        yield
      }
      const was = JSON.parse(before) as CohortBefore
      deletePatients.run({ cohortId })
      deleteOutcomes.run({ deliveryId })
      restoreCohort.run({ cohortId, chain: was.content_chain, hash: was.content_hash, nextOrdinal: was.next_ordinal, studyTotal: was.study_total, finishedAt: was.finished_at })
      end.run({ deliveryId, now: now() })
      audit('delivery.undone', { cohortId, deliveryId, number, contentHash: was.content_hash })
      changed.cohort(cohortId)
      yield
    }
  }

  return {
    beginUndo: (deliveryId: number): number => beginUndo.immediate(deliveryId),
    undoSteps: function* (): Generator<void> {
      if (selectUndoing.get() === undefined) return
      yield* inSlices(db, steps())
      // The write-ahead log still holds what was deleted.
      if (!db.inTransaction) cutLogSoon(db)
    },
  }
}

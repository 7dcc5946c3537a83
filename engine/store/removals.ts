import type { StoreContext } from './context.ts'
import { inSlices } from './slices.ts'
import { cutLogSoon } from './write-ahead-log.ts'

export interface Removals {
  /** Runs whose rows are still to be erased, and whose checkpoints may still lie on disk. */
  runIds: () => number[]
  /** Erases what is marked as removed, in short transactions, one for each step; the last one leaves nothing marked. */
  erase: () => Generator<void>
}

/** Rows that go in about a millisecond: each takes its items, labels or predictions along. */
const rowsInStep = 50

/**
 * Erases the rows of removed cohorts and runs. Children go before parents: a parent that goes first would make SQLite look through
 * every other cohort's predictions. Two erasures at a time, and one after a kill, meet rows that are gone already, which does no harm.
 */
export function createRemovals({ db, audit, changed }: StoreContext): Removals {
  const selectRuns = db.prepare<[]>('SELECT id FROM runs WHERE removal_began_at IS NOT NULL ORDER BY id').pluck()
  const selectCohorts = db.prepare<[]>('SELECT id FROM cohorts WHERE removal_began_at IS NOT NULL ORDER BY id').pluck()
  const ofRun = [
    'DELETE FROM reviews WHERE id IN (SELECT id FROM reviews WHERE run_id = :id LIMIT :limit)',
    'DELETE FROM prediction_sets WHERE id IN (SELECT id FROM prediction_sets WHERE run_id = :id LIMIT :limit)',
    'DELETE FROM splits WHERE run_id = :id AND (fold, study_id) IN (SELECT fold, study_id FROM splits WHERE run_id = :id LIMIT :limit)',
    'DELETE FROM runs WHERE id = :id',
  ]
  const ofCohort = [
    'DELETE FROM studies WHERE id IN (SELECT id FROM studies WHERE cohort_id = :id LIMIT :limit)',
    'DELETE FROM patients WHERE id IN (SELECT id FROM patients WHERE cohort_id = :id LIMIT :limit)',
    'DELETE FROM rejected_rows WHERE id IN (SELECT id FROM rejected_rows WHERE cohort_id = :id LIMIT :limit)',
  ]
  const deleteCohort = db.prepare<{ id: number }>('DELETE FROM cohorts WHERE id = :id')
  // By content, whichever cohort holds it; a cursor, because most rows stay.
  const selectMeasures = db.prepare<{ after: string; limit: number }>('SELECT sha256 FROM image_measures WHERE sha256 > :after ORDER BY sha256 LIMIT :limit').pluck()
  const deleteUnused = db.prepare<{ after: string; until: string }>(`DELETE FROM image_measures WHERE sha256 > :after AND sha256 <= :until
    AND NOT EXISTS (SELECT 1 FROM items WHERE items.sha256 = image_measures.sha256 AND items.is_present = 1 AND items.source_path IS NOT NULL)`)
  const selectSigns = db.prepare<{ after: string; limit: number }>('SELECT sha256 FROM image_text_signs WHERE sha256 > :after ORDER BY sha256 LIMIT :limit').pluck()
  const deleteUnusedSigns = db.prepare<{ after: string; until: string }>(`DELETE FROM image_text_signs WHERE sha256 > :after AND sha256 <= :until
    AND NOT EXISTS (SELECT 1 FROM items WHERE items.sha256 = image_text_signs.sha256 AND items.is_present = 1)`)
  const [runDeletes, cohortDeletes] = [ofRun, ofCohort].map((list) => list.map((sql) => db.prepare<{ id: number; limit?: number }>(sql)))

  function* deleteAll(statements: typeof runDeletes, id: number): Generator<void> {
    let changes = 0
    for (const statement of statements!) {
      do {
        changes = statement.run({ id, limit: rowsInStep }).changes
        yield
      } while (changes >= rowsInStep)
    }
  }

  function* deleteUnusedContents(): Generator<void> {
    for (const [select, remove] of [[selectMeasures, deleteUnused], [selectSigns, deleteUnusedSigns]] as const) {
      const nextPage = (after: string) => select.all({ after, limit: rowsInStep }) as string[]
      for (let after = '', page = nextPage(after); page.length > 0; page = nextPage(after)) {
        remove.run({ after, until: page.at(-1)! })
        after = page.at(-1)!
        yield
      }
    }
  }

  function* steps(): Generator<void> {
    for (const runId of selectRuns.all() as number[]) {
      yield* deleteAll(runDeletes, runId)
      changed.run(runId)
    }
    for (const cohortId of selectCohorts.all() as number[]) {
      yield* deleteAll(cohortDeletes, cohortId)
      // Before the cohort itself, so that a kill in between leaves something marked and the next start goes on.
      yield* deleteUnusedContents()
      if (deleteCohort.run({ id: cohortId }).changes > 0) audit('cohort.erased', { cohortId })
      yield
      changed.cohort(cohortId)
    }
  }

  return {
    runIds: () => selectRuns.all() as number[],
    erase: function* () {
      if (selectRuns.get() === undefined && selectCohorts.get() === undefined) return
      yield* inSlices(db, steps())
      // The write-ahead log still holds the deleted notes.
      if (!db.inTransaction) cutLogSoon(db)
    },
  }
}

import type { Database } from 'better-sqlite3'
import type { ChangedStudy, Delivery, DeliveryCounts, DeliveryForecast, DeliveryOutcome, OnChanged, StudyChange } from '../../domain/deliveries.ts'
import { errorCodeSchema } from '../../domain/import.ts'
import { found } from '../context.ts'

interface DeliveryRow {
  id: number
  number: number
  status: Delivery['status']
  on_changed: OnChanged
  source_dir: string
  table_file: string
  sheet: string | null
  table_sha256: string | null
  rows_in: number
  hash_after: string | null
  counts_json: string | null
  created_at: string
  finished_at: string | null
  undone_at: string | null
}

interface FirstRow { source_dir: string; table_file: string; sheet: string | null; table_sha256: string | null; created_at: string; finished_at: string | null; status: 'importing' | 'ready'; content_hash: string | null; rows_in: number }

type Sum = DeliveryCounts['added']
const none: Sum = { studies: 0, rows: 0 }

/** Which runs used what a delivery brought, by their names; a replaced study was used by none when it was replaced. */
const runNamesOf = (studies: string) => `SELECT DISTINCT runs.name FROM (${studies}) AS brought JOIN (
    SELECT run_id, study_id FROM splits UNION SELECT run_id, study_id FROM prediction_sets UNION SELECT run_id, study_id FROM reviews) AS used ON used.study_id = brought.id
  JOIN runs ON runs.id = used.run_id WHERE runs.removal_began_at IS NULL ORDER BY runs.id`

/** What was recorded of the imports of a cohort, for the page and the report. */
export function createDeliveryRecords(db: Database) {
  const selectAll = db.prepare<{ cohortId: number }, DeliveryRow>('SELECT * FROM deliveries WHERE cohort_id = :cohortId ORDER BY number')
  const selectFirst = db.prepare<{ cohortId: number }, FirstRow>('SELECT source_dir, table_file, sheet, table_sha256, created_at, finished_at, status, content_hash, rows_in FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const selectFirstCounts = db.prepare<{ cohortId: number }, { studies: number; rows: number; patients: number; rejected: number }>(`
    SELECT count(*) AS studies, coalesce(sum(source_row_count), 0) AS rows, count(DISTINCT patient_id) AS patients,
      (SELECT count(*) FROM rejected_rows WHERE cohort_id = :cohortId) AS rejected FROM studies WHERE cohort_id = :cohortId AND delivery_id IS NULL`)
  const selectSums = db.prepare<{ deliveryId: number }, { outcome: DeliveryOutcome; studies: number; rows: number }>(
    'SELECT outcome, count(*) AS studies, sum(row_count) AS rows FROM delivery_studies WHERE delivery_id = :deliveryId GROUP BY outcome')
  const countRejections = db.prepare<{ deliveryId: number }>('SELECT count(*) FROM delivery_rejections WHERE delivery_id = :deliveryId').pluck()
  const countNewPatients = db.prepare<{ deliveryId: number }>(`SELECT count(*) FROM (SELECT patient_id FROM studies WHERE patient_id IN (SELECT patient_id FROM studies WHERE delivery_id = :deliveryId)
    GROUP BY patient_id HAVING min(coalesce(delivery_id, 0)) = :deliveryId)`).pluck()
  const selectChanged = db.prepare<{ deliveryId: number; limit: number }, { studyId: number; patientKey: string; studyKey: string; outcome: DeliveryOutcome; changes_json: string }>(`
    SELECT studies.id AS studyId, patient_key AS patientKey, study_key AS studyKey, outcome, changes_json FROM delivery_studies
    JOIN studies ON studies.id = delivery_studies.study_id JOIN patients ON patients.id = studies.patient_id
    WHERE delivery_studies.delivery_id = :deliveryId AND outcome IN ('kept', 'kept-used', 'replaced') ORDER BY delivery_studies.id LIMIT :limit`)
  const selectRejections = db.prepare<{ deliveryId: number }, { code: string; detail: string; count: number; rows: string }>(`
    SELECT code, detail, count(*) AS count, json_group_array(row ORDER BY row) AS rows, min(row) FROM delivery_rejections WHERE delivery_id = :deliveryId GROUP BY code ORDER BY count DESC, code`)
  const selectUsers = db.prepare<{ deliveryId: number }>(runNamesOf(`SELECT id FROM studies WHERE delivery_id = :deliveryId
    UNION SELECT study_id FROM delivery_studies WHERE delivery_id = :deliveryId AND outcome = 'replaced'`)).pluck()
  const selectFirstUsers = db.prepare<{ cohortId: number }>('SELECT name FROM runs WHERE cohort_id = :cohortId AND removal_began_at IS NULL ORDER BY id').pluck()
  const selectKnown = db.prepare<{ cohortId: number; keys: string }, { patients: number; studies: number }>(`
    WITH given AS (SELECT json_extract(value, '$[0]') AS patient_key, json_extract(value, '$[1]') AS study_key FROM json_each(:keys))
    SELECT (SELECT count(DISTINCT given.patient_key) FROM given WHERE NOT EXISTS (SELECT 1 FROM patients WHERE cohort_id = :cohortId AND patients.patient_key = given.patient_key)) AS patients,
      (SELECT count(*) FROM given WHERE NOT EXISTS (SELECT 1 FROM patients JOIN studies ON studies.patient_id = patients.id
        WHERE patients.cohort_id = :cohortId AND patients.patient_key = given.patient_key AND studies.study_key = given.study_key)) AS studies`)

  function countNow(deliveryId: number, rowsIn: number): DeliveryCounts {
    const sums = new Map(selectSums.all({ deliveryId }).map(({ outcome, studies, rows }) => [outcome, { studies, rows }]))
    const of = (outcome: DeliveryOutcome): Sum => sums.get(outcome) ?? none
    return {
      rowsIn, rowsRejected: countRejections.get({ deliveryId }) as number, newPatients: countNewPatients.get({ deliveryId }) as number,
      added: of('added'), unchanged: of('unchanged'), kept: of('kept'), keptUsed: of('kept-used'), replaced: of('replaced'),
    }
  }

  function rowToDelivery(row: DeliveryRow, isLast: boolean): Delivery {
    const runNames = row.status === 'undone' ? [] : selectUsers.all({ deliveryId: row.id }) as string[]
    return {
      deliveryId: row.id, number: row.number, status: row.status, onChanged: row.on_changed,
      source: { sourceDir: row.source_dir, tableFile: row.table_file, sheet: row.sheet },
      tableSha256: row.table_sha256, createdAt: row.created_at, finishedAt: row.finished_at, undoneAt: row.undone_at,
      counts: row.counts_json === null ? countNow(row.id, row.rows_in) : JSON.parse(row.counts_json) as DeliveryCounts,
      hashAfter: row.hash_after, runNames,
      undoBlocked: row.status === 'undone' ? 'undone' : !isLast ? 'not-last' : runNames.length > 0 ? 'used-by-runs' : null,
    }
  }

  function firstOf(cohortId: number, rows: readonly DeliveryRow[], before: string | null): Delivery {
    const row = found(selectFirst.get({ cohortId }), 'cohort', cohortId)
    const { studies, rows: accepted, patients, rejected } = selectFirstCounts.get({ cohortId })!
    return {
      deliveryId: null, number: 1, status: rows.length === 0 && row.status === 'importing' ? 'importing' : 'done', onChanged: 'keep',
      source: { sourceDir: row.source_dir, tableFile: row.table_file, sheet: row.sheet },
      tableSha256: row.table_sha256, createdAt: row.created_at, finishedAt: row.finished_at, undoneAt: null,
      counts: { rowsIn: accepted + rejected, rowsRejected: rejected, newPatients: patients, added: { studies, rows: accepted }, unchanged: none, kept: none, keptUsed: none, replaced: none },
      hashAfter: before ?? row.content_hash, undoBlocked: 'first', runNames: selectFirstUsers.all({ cohortId }) as string[],
    }
  }
  const selectHashBefore = db.prepare<{ cohortId: number }>('SELECT hash_before FROM deliveries WHERE cohort_id = :cohortId ORDER BY number LIMIT 1').pluck()
  const selectFinishedBefore = db.prepare<{ cohortId: number }>(`SELECT json_extract(cohort_before_json, '$.finished_at') FROM deliveries WHERE cohort_id = :cohortId ORDER BY number LIMIT 1`).pluck()

  return {
    countNow,
    list: (cohortId: number): Delivery[] => {
      const rows = selectAll.all({ cohortId })
      const last = rows.findLast((row) => row.status !== 'undone')
      const first = firstOf(cohortId, rows, (selectHashBefore.get({ cohortId }) as string | undefined) ?? null)
      const finishedAt = (selectFinishedBefore.get({ cohortId }) as string | undefined) ?? first.finishedAt
      return [{ ...first, finishedAt }, ...rows.map((row) => rowToDelivery(row, row === last))]
    },
    changed: (deliveryId: number, limit: number): ChangedStudy[] => selectChanged.all({ deliveryId, limit }).map(({ changes_json: changes, ...row }) => ({ ...row, changes: JSON.parse(changes) as StudyChange[] })),
    rejections: (deliveryId: number) => selectRejections.all({ deliveryId }).map(({ code, detail, count, rows }) => ({ code: errorCodeSchema.parse(code), reason: detail, count, rows: JSON.parse(rows) as number[] })),
    usersOf: (deliveryId: number) => selectUsers.all({ deliveryId }) as string[],
    isLast: (cohortId: number, deliveryId: number) => selectAll.all({ cohortId }).findLast((row) => row.status !== 'undone')?.id === deliveryId,
    /** `keys`: JSON pairs of patient and study key. */
    forecast: (cohortId: number, keys: readonly string[]): DeliveryForecast => {
      const { patients, studies } = selectKnown.get({ cohortId, keys: `[${keys.join(',')}]` })!
      return { newPatients: patients, newStudies: studies, studiesOfKnownPatients: keys.length - studies }
    },
  }
}
export type DeliveryRecords = ReturnType<typeof createDeliveryRecords>

import type { Database } from 'better-sqlite3'
import { errorCodeSchema, type ImportReport } from '../domain/import.ts'
import type { AbsenceReason } from '../domain/slots.ts'
import { found } from './context.ts'
import { createVisits } from './visits.ts'

interface RowCounts {
  rowsAccepted: number
  rowsRejected: number
  studyCount: number
}

interface CountRow extends RowCounts {
  name: string
  status: 'importing' | 'ready'
  patientCount: number
  itemCount: number
}

/** The report of the first import of a cohort, from what is stored: rows in = accepted + rejected also while it is paused. */
export function createImportReports(db: Database) {
  const selectCounts = db.prepare<{ cohortId: number }, CountRow>(`
    SELECT name, status,
      (SELECT coalesce(sum(source_row_count), 0) FROM studies WHERE cohort_id = cohorts.id AND delivery_id IS NULL) AS rowsAccepted,
      (SELECT count(*) FROM rejected_rows WHERE cohort_id = cohorts.id) AS rowsRejected,
      (SELECT count(DISTINCT patient_id) FROM studies WHERE cohort_id = cohorts.id AND delivery_id IS NULL) AS patientCount,
      (SELECT count(*) FROM studies WHERE cohort_id = cohorts.id AND delivery_id IS NULL) AS studyCount,
      (SELECT count(*) FROM studies JOIN items ON items.study_id = studies.id WHERE studies.cohort_id = cohorts.id AND studies.delivery_id IS NULL) AS itemCount
    FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL`)
  const selectRowCounts = db.prepare<{ cohortId: number }, RowCounts>(`
    SELECT (SELECT count(*) FROM rejected_rows WHERE cohort_id = :cohortId) AS rowsRejected,
      count(*) AS studyCount, coalesce(sum(source_row_count), 0) AS rowsAccepted FROM studies WHERE cohort_id = :cohortId AND delivery_id IS NULL`)
  const selectRejections = db.prepare<{ cohortId: number }, { code: string; detail: string; count: number; rows: string }>(`
    SELECT code, detail, count(*) AS count, json_group_array(row ORDER BY row) AS rows, min(row) FROM rejected_rows WHERE cohort_id = :cohortId GROUP BY code ORDER BY count DESC, code`)
  const selectAbsences = db.prepare<{ cohortId: number }, { slotId: string; reason: AbsenceReason; count: number }>(`
    SELECT items.slot_id AS slotId, items.reason AS reason, count(*) AS count FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND studies.delivery_id IS NULL AND items.is_present = 0 GROUP BY items.slot_id, items.reason ORDER BY count DESC, slotId, reason`)
  const selectFrames = db.prepare<{ cohortId: number }, { slotId: string; count: number; first: number; last: number }>(`
    SELECT items.slot_id AS slotId, count(*) AS count, min(items.frame) + 1 AS first, max(items.frame) + 1 AS last FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND studies.delivery_id IS NULL AND items.is_present = 1 AND items.frame_count > 1 GROUP BY items.slot_id ORDER BY slotId`)

  const visits = createVisits(db)

  const counts = (cohortId: number) => found(selectCounts.get({ cohortId }), 'cohort', cohortId)
  return {
    /** The sum that must come out, without the items: the writer asks while the window waits. */
    rowCounts: (cohortId: number): RowCounts => selectRowCounts.get({ cohortId })!,
    report: (cohortId: number): Omit<ImportReport, 'elapsedMs' | 'imagesPerSecond'> => {
      const { name, status, ...numbers } = counts(cohortId)
      const dates = visits.ofImport(cohortId, null)
      const frames = selectFrames.all({ cohortId })
      return {
        cohortId, cohortName: name, status: status === 'ready' ? 'complete' : 'paused', ...numbers,
        rowsIn: numbers.rowsAccepted + numbers.rowsRejected,
        rejections: selectRejections.all({ cohortId }).map((row) => ({
          code: errorCodeSchema.parse(row.code), reason: row.detail, count: row.count, rows: JSON.parse(row.rows) as number[],
        })),
        absences: selectAbsences.all({ cohortId }),
        ...(dates === null ? {} : { dates }),
        ...(frames.length > 0 ? { frames } : {}),
      }
    },
  }
}

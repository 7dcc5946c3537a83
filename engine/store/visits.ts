import type { Database } from 'better-sqlite3'
import { dayMs, daysSinceFirst, type DateProblem, type Visit } from '../domain/visit-dates.ts'
import type { EffectiveCohort } from './curation/effective-cohort.ts'

interface VisitRow { studyId: number; patientKey: string; studyKey: string; day: string | null; problems: string }

/** The studies of persons in the order of time, and the days of a whole import. */
export function createVisits(db: Database) {
  const selectVisits = db.prepare<{ cohortId: number; keys: string }, VisitRow>(`
    SELECT studies.id AS studyId, patient_key AS patientKey, study_key AS studyKey, study_date AS day, date_problems AS problems FROM json_each(:keys) AS chosen
    CROSS JOIN patients ON patients.patient_key = chosen.value AND patients.cohort_id = :cohortId JOIN studies ON studies.patient_id = patients.id ORDER BY chosen.key, ordinal`)
  const selectCounts = db.prepare<{ cohortId: number; deliveryId: number | null }, { dated: number; undated: number; readsDates: number }>(`
    SELECT count(study_date) AS dated, count(*) - count(study_date) AS undated,
      (SELECT json_type(mapping_json, '$.dates') IS NOT NULL FROM (SELECT coalesce((SELECT mapping_json FROM deliveries WHERE id = :deliveryId), (SELECT mapping_json FROM cohorts WHERE id = :cohortId)) AS mapping_json)) AS readsDates
    FROM studies WHERE cohort_id = :cohortId AND delivery_id IS :deliveryId`)
  const selectProblems = db.prepare<{ cohortId: number; deliveryId: number | null }, { problem: DateProblem; count: number; rows: string }>(`
    SELECT found.value AS problem, count(*) AS count, json_group_array(json_extract(source_rows, '$[0]') ORDER BY ordinal) AS rows FROM studies, json_each(date_problems) AS found
    WHERE cohort_id = :cohortId AND delivery_id IS :deliveryId GROUP BY found.value ORDER BY count DESC, problem`)

  return {
    /** All studies under these keys: with a day that counts first, in its order; the others behind them in the order of the import. */
    ofPerson: (cohortId: number, keys: readonly string[], decided: EffectiveCohort): Visit[] => {
      const rows = selectVisits.all({ cohortId, keys: JSON.stringify(keys) }).map((row) => ({ ...row, problems: JSON.parse(row.problems) as DateProblem[] }))
      const days = rows.map(({ studyId, day, problems }) => (day !== null && decided.isDateUsed(studyId, problems) ? Date.parse(day) / dayMs : Number.NaN))
      const since = daysSinceFirst(rows.map(({ patientKey }) => patientKey), days)
      const visits = rows.map(({ studyId, patientKey, studyKey, problems }, i): Visit => ({
        studyId, patientKey, studyKey, problems: decided.isDateJudged(studyId) ? [] : problems, dayNumber: Number.isNaN(since[i]!) ? null : since[i]!, isExcluded: decided.isStudyExcluded(studyId),
      }))
      // Keys in the order asked for: between two of them no day leads.
      return keys.flatMap((key) => visits.filter(({ patientKey }) => patientKey === key).sort(byDay))
    },
    /** What an import told of days; null where its mapping reads none. `deliveryId` null: the first import. */
    ofImport: (cohortId: number, deliveryId: number | null) => {
      const { dated, undated, readsDates } = selectCounts.get({ cohortId, deliveryId })!
      if (readsDates !== 1) return null
      return { dated, undated, problems: selectProblems.all({ cohortId, deliveryId }).map(({ rows, ...problem }) => ({ ...problem, rows: (JSON.parse(rows) as number[]).slice(0, shownRows) })) }
    },
  }
}

const shownRows = 50

function byDay(a: Visit, b: Visit): number {
  if (a.dayNumber === null || b.dayNumber === null) return Number(a.dayNumber === null) - Number(b.dayNumber === null)
  return a.dayNumber - b.dayNumber
}

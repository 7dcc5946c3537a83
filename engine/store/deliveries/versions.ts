import type { Database } from 'better-sqlite3'
import type { ImportedStudy } from '../../domain/import.ts'
import type { Sex } from '../../domain/records.ts'
import type { StudyDate } from '../../domain/visit-dates.ts'
import { createStudyWriter } from '../study-writer.ts'
import { isNotDelivered, type StoredVersion } from './match.ts'

type Row = Record<string, string | number | null>
/** `evidence` is absent in snapshots from before there were derived labels. */
interface Snapshot { study: Row; items: Row[]; labels: Row[]; evidence?: Row[] }

/**
 * Reads, replaces and restores versions of a study. A snapshot takes every column that the tables have, so that a column added by a
 * later version of the database is restored too.
 */
export function createVersions(db: Database) {
  const selectStudies = db.prepare<{ patientId: number }, { id: number; study_key: string; age_years: number | null; sex: Sex | null; site: string | null; study_date: string | null; date_problems: string }>(
    'SELECT id, study_key, age_years, sex, site, study_date, date_problems FROM studies WHERE patient_id = :patientId ORDER BY ordinal')
  const selectItems = db.prepare<{ studyId: number }, { slot_id: string; is_present: 0 | 1; sha256: string | null; source_path: string | null }>(
    'SELECT slot_id, is_present, sha256, source_path FROM items WHERE study_id = :studyId')
  const selectValues = db.prepare<{ studyId: number; cohortId: number }, { value: 0 | 1 | null }>(`
    SELECT study_labels.value AS value FROM labels LEFT JOIN study_labels ON study_labels.label_id = labels.id AND study_labels.study_id = :studyId
    WHERE labels.cohort_id = :cohortId ORDER BY labels.position`)
  const selectStudy = db.prepare<{ studyId: number }, Row>('SELECT * FROM studies WHERE id = :studyId')
  const selectItemRows = db.prepare<{ studyId: number }, Row>('SELECT * FROM items WHERE study_id = :studyId')
  const selectLabelRows = db.prepare<{ studyId: number }, Row>('SELECT * FROM study_labels WHERE study_id = :studyId')
  const selectEvidence = db.prepare<{ studyId: number }, Row>('SELECT * FROM label_evidence WHERE study_id = :studyId')
  const deleteEvidence = db.prepare<{ studyId: number }>('DELETE FROM label_evidence WHERE study_id = :studyId')
  const deleteItem = db.prepare<{ studyId: number; slotId: string }>('DELETE FROM items WHERE study_id = :studyId AND slot_id = :slotId')
  const deleteItems = db.prepare<{ studyId: number }>('DELETE FROM items WHERE study_id = :studyId')
  const deleteLabels = db.prepare<{ studyId: number }>('DELETE FROM study_labels WHERE study_id = :studyId')
  const updateStudy = db.prepare<{ studyId: number; rows: string; ageYears: number | null; sex: Sex | null; site: string | null }>(
    'UPDATE studies SET source_rows = :rows, age_years = :ageYears, sex = :sex, site = :site WHERE id = :studyId')
  const updateDate = db.prepare<{ studyId: number; day: string | null; problems: string }>('UPDATE studies SET study_date = :day, date_problems = :problems WHERE id = :studyId')
  const writer = createStudyWriter(db)

  /** Columns that are stored, not computed. */
  const columnsOf = (table: string): string[] => (db.prepare(`SELECT name FROM pragma_table_xinfo('${table}') WHERE hidden = 0`).pluck().all() as string[])
  const inserts = new Map(['items', 'study_labels', 'label_evidence'].map((table) => {
    const columns = columnsOf(table)
    return [table, db.prepare<Row>(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((name) => `:${name}`).join(', ')})`)] as const
  }))

  return {
    /** All studies of a patient, in cohort order. */
    ofPatient: (cohortId: number, patientId: number): StoredVersion[] => selectStudies.all({ patientId }).map((row) => ({
      studyId: row.id, studyKey: row.study_key, ageYears: row.age_years, sex: row.sex, site: row.site, date: { day: row.study_date, problems: JSON.parse(row.date_problems) as StudyDate['problems'] },
      items: new Map(selectItems.all({ studyId: row.id }).map((item) => [item.slot_id, { isPresent: item.is_present === 1, sha256: item.sha256, sourcePath: item.source_path }])),
      labels: selectValues.all({ studyId: row.id, cohortId }).map(({ value }) => value),
    })),
    snapshot: (studyId: number): string => JSON.stringify({ study: selectStudy.get({ studyId })!, items: selectItemRows.all({ studyId }), labels: selectLabelRows.all({ studyId }), evidence: selectEvidence.all({ studyId }) } satisfies Snapshot),
    /** Puts the delivered version in the place of the stored one, which keeps its number; a file that was not delivered again stays. */
    replace: (studyId: number, study: ImportedStudy, deliveryId: number, labelIds: readonly number[]): void => {
      updateStudy.run({ studyId, rows: JSON.stringify(study.rows), ageYears: study.ageYears, sex: study.sex, site: study.site ?? null })
      if (study.date !== undefined) updateDate.run({ studyId, day: study.date.day, problems: JSON.stringify(study.date.problems) })
      const stored = new Map(selectItems.all({ studyId }).map((item) => [item.slot_id, item.is_present === 1]))
      for (const item of study.items) {
        if (isNotDelivered(item) && stored.get(item.slotId) === true) continue
        deleteItem.run({ studyId, slotId: item.slotId })
        writer.writeItem(studyId, item, deliveryId)
      }
      deleteLabels.run({ studyId })
      writer.writeLabels(studyId, study.labels, labelIds)
      writer.writeEvidence(studyId, study.evidence)
    },
    restore: (studyId: number, snapshot: string): void => {
      const { study, items, labels, evidence = [] } = JSON.parse(snapshot) as Snapshot
      updateStudy.run({ studyId, rows: String(study.source_rows), ageYears: study.age_years as number | null, sex: study.sex as Sex | null, site: study.site as string | null })
      // Absent in snapshots from before days were kept.
      updateDate.run({ studyId, day: (study.study_date ?? null) as string | null, problems: String(study.date_problems ?? '[]') })
      deleteItems.run({ studyId })
      for (const item of items) inserts.get('items')!.run(item)
      deleteLabels.run({ studyId })
      for (const label of labels) inserts.get('study_labels')!.run(label)
      deleteEvidence.run({ studyId })
      for (const row of evidence) inserts.get('label_evidence')!.run(row)
    },
  }
}

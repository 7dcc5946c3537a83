import type { LabelWord } from '../../domain/import.ts'
import { patternKey, type AbsenceReason } from '../../domain/slots.ts'
import { found, type StoreContext } from '../context.ts'
import type { StudyIndex } from '../study-index.ts'

export interface StoredLabelCount {
  labelId: number
  name: string
  positives: number
  negatives: number
  unknown: number
}

export interface CohortCounts {
  labelCounts: (cohortId: number) => StoredLabelCount[]
  patternCounts: (cohortId: number) => { pattern: string; count: number }[]
  absences: (cohortId: number) => { slotId: string; reason: AbsenceReason; count: number }[]
  duplicateImages: (cohortId: number) => { sha256: string; count: number; acrossPatients: boolean; rows: number[] }[]
  labelWords: (cohortId: number) => LabelWord[]
}

/** What a cohort holds, counted. */
export function createCohortCounts({ db }: Pick<StoreContext, 'db'>, index: StudyIndex): CohortCounts {
  const selectCohort = db.prepare<{ cohortId: number }, { id: number }>('SELECT id FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const selectLabelCounts = db.prepare<{ cohortId: number }, StoredLabelCount>(`
    SELECT labelId, name, positives, negatives, studies - positives - negatives AS unknown FROM (
      SELECT labels.id AS labelId, labels.name AS name, labels.position AS position,
        (SELECT count(*) FROM study_labels WHERE label_id = labels.id AND value = 1) AS positives,
        (SELECT count(*) FROM study_labels WHERE label_id = labels.id AND value = 0) AS negatives,
        (SELECT count(*) FROM studies WHERE cohort_id = labels.cohort_id) AS studies
      FROM labels WHERE cohort_id = :cohortId) ORDER BY position`)
  const selectAbsences = db.prepare<{ cohortId: number }, { slotId: string; reason: AbsenceReason; count: number }>(`
    SELECT items.slot_id AS slotId, items.reason AS reason, count(*) AS count FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND items.is_present = 0 GROUP BY items.slot_id, items.reason ORDER BY count DESC, slotId, reason`)
  const selectDuplicates = db.prepare<{ cohortId: number }, { sha256: string; count: number; patients: number; source_rows: string }>(`
    SELECT items.sha256 AS sha256, count(*) AS count, count(DISTINCT studies.patient_id) AS patients, json_group_array(json(studies.source_rows)) AS source_rows
    FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND items.is_present = 1 AND items.source_path IS NOT NULL
    GROUP BY items.sha256 HAVING count(*) > 1 ORDER BY patients DESC, count DESC, sha256`)
  const selectWords = db.prepare<{ cohortId: number }, LabelWord>(`
    SELECT slot_id AS slotId, word, label_name AS labelName, studies_with_word AS studiesWithWord, studies_with_word_and_label AS studiesWithWordAndLabel, auroc
    FROM label_words WHERE cohort_id = :cohortId ORDER BY auroc DESC, word, labelName, slotId`)
  const check = (cohortId: number) => ({ cohortId: found(selectCohort.get({ cohortId }), 'cohort', cohortId).id })

  function patternCounts(cohortId: number): { pattern: string; count: number }[] {
    const { slots, presentBits } = index.cohort(cohortId)
    const counts = new Map<number, number>()
    for (const bits of presentBits) counts.set(bits, (counts.get(bits) ?? 0) + 1)
    const patterns = [...counts].map(([bits, count]) => ({ pattern: patternKey(slots, (slotId) => ((bits >> slots.findIndex((slot) => slot.slotId === slotId)) & 1) === 1), count }))
    return patterns.sort((a, b) => b.count - a.count || (a.pattern < b.pattern ? -1 : 1))
  }

  return {
    labelCounts: (cohortId) => selectLabelCounts.all(check(cohortId)),
    patternCounts: (cohortId) => patternCounts(check(cohortId).cohortId),
    absences: (cohortId) => selectAbsences.all(check(cohortId)),
    duplicateImages: (cohortId) => selectDuplicates.all(check(cohortId)).map((row) => ({
      sha256: row.sha256, count: row.count, acrossPatients: row.patients > 1,
      rows: [...new Set((JSON.parse(row.source_rows) as number[][]).flat())].sort((a, b) => a - b),
    })),
    labelWords: (cohortId) => selectWords.all(check(cohortId)),
  }
}

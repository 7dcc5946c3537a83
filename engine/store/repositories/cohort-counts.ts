import type { LabelWord } from '../../domain/import.ts'
import { patternKey, type AbsenceReason } from '../../domain/slots.ts'
import { found, type StoreContext } from '../context.ts'
import type { CohortColumns, StudyIndex } from '../study-index.ts'

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
  /** Under the decisions that count now, or, with `runId`, under those that the run was planned with. */
  labelWords: (cohortId: number, runId?: number) => LabelWord[]
  /** Texts of a slot as they were imported, by study. */
  texts: (cohortId: number, slotId: string) => Map<number, string>
  /** Images that could not be read, with the reason that the import gave; it names no file. */
  unreadable: (cohortId: number) => { studyId: number; slotId: string; detail: string }[]
  /** All studies column by column, for summaries; not to be changed. */
  columns: (cohortId: number) => Readonly<CohortColumns>
}

/** What a cohort holds under the decisions that count, counted: excluded studies are in none of these numbers. */
export function createCohortCounts({ db, effective }: Pick<StoreContext, 'db' | 'effective'>, index: StudyIndex): CohortCounts {
  const selectCohort = db.prepare<{ cohortId: number }, { id: number }>('SELECT id FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const selectDuplicates = db.prepare<{ cohortId: number }, { sha256: string; study_id: number; slot_id: string; patient_id: number; source_rows: string }>(`
    SELECT items.sha256, items.study_id, items.slot_id, studies.patient_id, studies.source_rows FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND items.is_present = 1 AND items.source_path IS NOT NULL AND items.sha256 IN (
      SELECT items.sha256 FROM studies JOIN items ON items.study_id = studies.id
      WHERE studies.cohort_id = :cohortId AND items.is_present = 1 AND items.source_path IS NOT NULL GROUP BY items.sha256 HAVING count(*) > 1)`)
  const selectWords = db.prepare<{ cohortId: number }, LabelWord>(`
    SELECT slot_id AS slotId, word, label_name AS labelName, studies_with_word AS studiesWithWord, studies_with_word_and_label AS studiesWithWordAndLabel, auroc
    FROM label_words WHERE cohort_id = :cohortId ORDER BY auroc DESC, word, labelName, slotId`)
  const selectUnreadable = db.prepare<{ cohortId: number }, { studyId: number; slotId: string; detail: string }>(`
    SELECT items.study_id AS studyId, items.slot_id AS slotId, coalesce(items.detail, '') AS detail FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND items.is_present = 0 AND items.reason = 'unreadable' ORDER BY studies.ordinal, items.id`)
  const selectTexts = db.prepare<{ cohortId: number; slotId: string }>(`SELECT items.study_id, items.text FROM studies JOIN items ON items.study_id = studies.id AND items.slot_id = :slotId
    WHERE studies.cohort_id = :cohortId AND items.is_present = 1 AND items.text IS NOT NULL`).raw()
  const check = (cohortId: number) => ({ cohortId: found(selectCohort.get({ cohortId }), 'cohort', cohortId).id })

  function labelCounts(cohortId: number): StoredLabelCount[] {
    const { labels, references, isExcluded } = index.cohort(cohortId)
    const counts = labels.map(({ labelId, name }) => ({ labelId, name, positives: 0, negatives: 0, unknown: 0 }))
    isExcluded.forEach((excluded, i) => {
      if (excluded) return
      counts.forEach((count, l) => {
        const value = references[i * labels.length + l]
        count[value === 1 ? 'positives' : value === 0 ? 'negatives' : 'unknown']++
      })
    })
    return counts
  }

  function patternCounts(cohortId: number): { pattern: string; count: number }[] {
    const { slots, presentBits, isExcluded } = index.cohort(cohortId)
    const counts = new Map<number, number>()
    presentBits.forEach((bits, i) => {
      if (!isExcluded[i]) counts.set(bits, (counts.get(bits) ?? 0) + 1)
    })
    const patterns = [...counts].map(([bits, count]) => ({ pattern: patternKey(slots, (slotId) => ((bits >> slots.findIndex((slot) => slot.slotId === slotId)) & 1) === 1), count }))
    return patterns.sort((a, b) => b.count - a.count || (a.pattern < b.pattern ? -1 : 1))
  }

  function absences(cohortId: number): { slotId: string; reason: AbsenceReason; count: number }[] {
    const { slots, reasons, isExcluded } = index.cohort(cohortId)
    const counts = new Map<string, { slotId: string; reason: AbsenceReason; count: number }>()
    for (const [at, reason] of reasons) {
      if (isExcluded[Math.floor(at / slots.length)]) continue
      const { slotId } = slots[at % slots.length]!
      const entry = counts.get(`${slotId} ${reason}`) ?? { slotId, reason, count: 0 }
      entry.count++
      counts.set(`${slotId} ${reason}`, entry)
    }
    return [...counts.values()].sort((a, b) => b.count - a.count || (a.slotId < b.slotId ? -1 : a.slotId > b.slotId ? 1 : a.reason < b.reason ? -1 : 1))
  }

  function duplicateImages(cohortId: number): ReturnType<CohortCounts['duplicateImages']> {
    const decided = effective.now(cohortId)
    const used = selectDuplicates.all({ cohortId }).filter((row) => !decided.isItemExcluded(row.study_id, row.slot_id))
    return [...Map.groupBy(used, (row) => row.sha256)].flatMap(([sha256, items]) => {
      if (items.length < 2) return []
      const persons = new Set(items.map((item) => decided.personOf(item.patient_id))).size
      const rows = [...new Set(items.flatMap((item) => JSON.parse(item.source_rows) as number[]))].sort((a, b) => a - b)
      return [{ sha256, count: items.length, persons, acrossPatients: persons > 1, rows }]
    }).sort((a, b) => b.persons - a.persons || b.count - a.count || (a.sha256 < b.sha256 ? -1 : 1)).map(({ persons: _persons, ...image }) => image)
  }

  /** A word that a decision masks, or whose modality is left out, tells nothing any more. */
  function labelWords(cohortId: number, runId?: number): LabelWord[] {
    const decided = runId === undefined ? effective.now(cohortId) : effective.ofRun(runId)
    return selectWords.all({ cohortId }).filter(({ slotId, word }) => !decided.droppedSlotIds.has(slotId) && (decided.maskOf(slotId)?.apply(word) ?? word) === word)
  }

  return {
    labelCounts: (cohortId) => labelCounts(check(cohortId).cohortId),
    patternCounts: (cohortId) => patternCounts(check(cohortId).cohortId),
    absences: (cohortId) => absences(check(cohortId).cohortId),
    duplicateImages: (cohortId) => duplicateImages(check(cohortId).cohortId),
    labelWords: (cohortId, runId) => labelWords(check(cohortId).cohortId, runId),
    texts: (cohortId, slotId) => new Map(selectTexts.all({ ...check(cohortId), slotId }) as [number, string][]),
    unreadable: (cohortId) => selectUnreadable.all(check(cohortId)),
    columns: (cohortId) => index.cohort(check(cohortId).cohortId),
  }
}

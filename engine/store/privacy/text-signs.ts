import { z } from 'zod'
import { textRegionSchema, textSignReasonSchema, type TextReviewItem, type TextSigns } from '../../domain/text-signs.ts'
import type { StoreContext } from '../context.ts'

interface SignRow { sha256: string; reasons_json: string; likelihood: number; regions_json: string }
type ReviewRow = SignRow & {
  item_id: number; study_id: number; slot_id: string; patient_key: string; study_key: string; width_px: number; height_px: number; decision: TextReviewItem['decision']; decided_at: string | null
}

const parse = <T>(schema: z.ZodType<T>, json: string): T => schema.parse(JSON.parse(json))

function rowToReview(row: ReviewRow): TextReviewItem {
  return {
    itemId: row.item_id, studyId: row.study_id, slotId: row.slot_id, patientKey: row.patient_key, studyKey: row.study_key, sha256: row.sha256, widthPx: row.width_px, heightPx: row.height_px,
    reasons: parse(z.array(textSignReasonSchema), row.reasons_json), likelihood: row.likelihood, regions: parse(z.array(textRegionSchema), row.regions_json),
    decision: row.decision, decidedAt: row.decided_at,
  }
}

export interface TextSignRepository {
  /** Images of a cohort that may show text, those without a decision first, the likeliest first. */
  list: (cohortId: number) => TextReviewItem[]
  count: (cohortId: number) => { total: number; open: number }
  /** Somebody looked: nothing in these images identifies. */
  keep: (cohortId: number, sha256s: readonly string[]) => void
  /** These images are left out by a decision over the cohort. */
  exclude: (cohortId: number, sha256s: readonly string[], curationDecisionId: number) => void
  /** The decision over the cohort that leaves an image out, if one still counts. */
  excludedBy: (cohortId: number, sha256: string) => number | null
  /** Takes a decision back. */
  reopen: (cohortId: number, sha256: string) => void
}

/** Writes what the import found in one image; inside the transaction of its study. A content that is known stays as it is. */
export function createTextSignWriter(db: StoreContext['db']): (sha256: string, signs: TextSigns) => void {
  const insert = db.prepare<SignRow>('INSERT INTO image_text_signs (sha256, reasons_json, likelihood, regions_json) VALUES (:sha256, :reasons_json, :likelihood, :regions_json) ON CONFLICT (sha256) DO NOTHING')
  return (sha256, { reasons, likelihood, regions }) => void insert.run({ sha256, reasons_json: JSON.stringify(reasons), likelihood, regions_json: JSON.stringify(regions) })
}

/** The review list of a cohort. Signs belong to contents; removals.ts erases those that no item names any more. */
export function createTextSignRepository({ db, now, audit }: Pick<StoreContext, 'db' | 'now' | 'audit'>): TextSignRepository {
  // An exclusion that was undone elsewhere no longer counts.
  const counts = `(text_decisions.curation_decision_id IS NULL OR NOT EXISTS (SELECT 1 FROM curation_undos WHERE decision_id = text_decisions.curation_decision_id))`
  const joined = `FROM studies JOIN items ON items.study_id = studies.id AND items.is_present = 1 JOIN image_text_signs AS signs ON signs.sha256 = items.sha256
    LEFT JOIN text_decisions ON text_decisions.cohort_id = studies.cohort_id AND text_decisions.sha256 = items.sha256 AND ${counts}`
  const selectAll = db.prepare<{ cohortId: number }, ReviewRow>(`
    SELECT items.id AS item_id, items.study_id, items.slot_id, patients.patient_key, studies.study_key, items.width_px, items.height_px, text_decisions.decision, text_decisions.decided_at, signs.*
    ${joined} JOIN patients ON patients.id = studies.patient_id WHERE studies.cohort_id = :cohortId
    ORDER BY text_decisions.decision IS NOT NULL, signs.likelihood DESC, studies.ordinal, items.id`)
  const selectCount = db.prepare<{ cohortId: number }, { total: number; open: number }>(`
    SELECT count(*) AS total, coalesce(sum(text_decisions.decision IS NULL), 0) AS open ${joined} WHERE studies.cohort_id = :cohortId`)
  const upsert = db.prepare<{ cohortId: number; sha256: string; decision: string; curationId: number | null; now: string }>(`
    INSERT INTO text_decisions (cohort_id, sha256, decision, curation_decision_id, decided_at) VALUES (:cohortId, :sha256, :decision, :curationId, :now)
    ON CONFLICT (cohort_id, sha256) DO UPDATE SET decision = excluded.decision, curation_decision_id = excluded.curation_decision_id, decided_at = excluded.decided_at`)
  const remove = db.prepare<{ cohortId: number; sha256: string }>('DELETE FROM text_decisions WHERE cohort_id = :cohortId AND sha256 = :sha256')
  const selectExclusion = db.prepare<{ cohortId: number; sha256: string }>(`SELECT curation_decision_id FROM text_decisions WHERE cohort_id = :cohortId AND sha256 = :sha256 AND decision = 'exclude' AND ${counts}`).pluck()

  const decide = db.transaction((cohortId: number, sha256s: readonly string[], decision: 'keep' | 'exclude', curationId: number | null): void => {
    for (const sha256 of sha256s) upsert.run({ cohortId, sha256, decision, curationId, now: now() })
    audit('privacy.image-reviewed', { cohortId, decision, images: sha256s.length, ...(curationId === null ? {} : { decisionId: curationId }) })
  })
  const reopen = db.transaction((cohortId: number, sha256: string): void => {
    if (remove.run({ cohortId, sha256 }).changes > 0) audit('privacy.image-reopened', { cohortId, images: 1 })
  })
  return {
    list: (cohortId) => selectAll.all({ cohortId }).map(rowToReview),
    count: (cohortId) => selectCount.get({ cohortId })!,
    keep: (cohortId, sha256s) => decide.immediate(cohortId, sha256s, 'keep', null),
    exclude: (cohortId, sha256s, curationId) => decide.immediate(cohortId, sha256s, 'exclude', curationId),
    excludedBy: (cohortId, sha256) => (selectExclusion.get({ cohortId, sha256 }) as number | undefined) ?? null,
    reopen: (cohortId, sha256) => reopen.immediate(cohortId, sha256),
  }
}

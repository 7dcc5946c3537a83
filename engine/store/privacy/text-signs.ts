import { z } from 'zod'
import { textRegionSchema, textSignReasonSchema, type TextReviewItem, type TextSigns } from '../../domain/text-signs.ts'
import type { StoreContext } from '../context.ts'
import { inSlices } from '../slices.ts'

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
  /** Of some contents: the items that hold them, and the decisions over the cohort that leave them out and still count. */
  chosen: (cohortId: number, sha256s: readonly string[]) => { items: { studyId: number; slotId: string }[]; decisionIds: number[] }
  /**
   * Somebody looked: keeps these images, notes the decision over the cohort that leaves them out, or (null) opens them again. In slices, since
   * a review may hold thousands; what a cut-off one leaves is a review of fewer images.
   */
  decide: (cohortId: number, sha256s: readonly string[], decision: 'keep' | 'exclude' | null, curationDecisionId: number | null) => Generator<void>
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
  // IN over a list is read once into a tree of its own; a join with it would go through all items for each of thousands of contents.
  const among = (column: string): string => `${column} IN (SELECT value FROM json_each(:sha256s))`
  const selectItems = db.prepare<{ cohortId: number; sha256s: string }, { studyId: number; slotId: string }>(`SELECT items.study_id AS studyId, items.slot_id AS slotId FROM studies
    JOIN items ON items.study_id = studies.id AND items.is_present = 1 WHERE studies.cohort_id = :cohortId AND ${among('items.sha256')}
    AND EXISTS (SELECT 1 FROM image_text_signs WHERE sha256 = items.sha256) ORDER BY studies.ordinal, items.id`)
  const selectExclusions = db.prepare<{ cohortId: number; sha256s: string }>(`SELECT DISTINCT curation_decision_id FROM text_decisions WHERE cohort_id = :cohortId AND decision = 'exclude'
    AND curation_decision_id IS NOT NULL AND ${among('text_decisions.sha256')} AND ${counts}`).pluck()

  function* steps(cohortId: number, sha256s: readonly string[], decision: 'keep' | 'exclude' | null, curationId: number | null): Generator<void> {
    let images = 0
    for (const sha256 of sha256s) {
      images += decision === null ? remove.run({ cohortId, sha256 }).changes : upsert.run({ cohortId, sha256, decision, curationId, now: now() }).changes
      yield
    }
    if (decision !== null) audit('privacy.image-reviewed', { cohortId, decision, images, ...(curationId === null ? {} : { decisionId: curationId }) })
    else if (images > 0) audit('privacy.image-reopened', { cohortId, images })
  }
  return {
    list: (cohortId) => selectAll.all({ cohortId }).map(rowToReview),
    count: (cohortId) => selectCount.get({ cohortId })!,
    chosen: (cohortId, sha256s) => {
      const asked = { cohortId, sha256s: JSON.stringify(sha256s) }
      return { items: selectItems.all(asked), decisionIds: selectExclusions.all(asked) as number[] }
    },
    decide: (cohortId, sha256s, decision, curationId) => inSlices(db, steps(cohortId, sha256s, decision, curationId)),
  }
}

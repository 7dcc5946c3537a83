import type { Review, ReviewVerdict } from '../../domain/records.ts'
import { AppError } from '../../domain/errors.ts'
import { found, type StoreContext } from '../context.ts'

export interface ReviewRow {
  id: number
  run_id: number
  study_id: number
  label_id: number | null
  verdict: ReviewVerdict
  comment: string
  created_at: string
}

export function rowToReview(row: ReviewRow): Review {
  return { reviewId: row.id, runId: row.run_id, studyId: row.study_id, labelId: row.label_id, verdict: row.verdict, comment: row.comment, createdAt: row.created_at }
}

export type ReviewDraft = Omit<Review, 'reviewId' | 'createdAt'>

export interface ReviewRepository {
  add: (draft: ReviewDraft) => Review
  latest: (runId: number, studyId: number) => Review[]
  /** Every review of a study, newest first. */
  ofStudy: (runId: number, studyId: number) => Review[]
  list: (runId: number) => Review[]
}

/** Readers' opinions. Every one is kept; the newest for a label (or for the study as a whole) counts. */
export function createReviewRepository({ db, now, audit, changed }: StoreContext): ReviewRepository {
  const insert = db.prepare<Omit<ReviewRow, 'id'>>(`INSERT INTO reviews (run_id, study_id, label_id, verdict, comment, created_at)
    VALUES (:run_id, :study_id, :label_id, :verdict, :comment, :created_at)`)
  const selectParents = db.prepare<{ runId: number; studyId: number }, { run_cohort: number; study_cohort: number | null }>(`
    SELECT runs.cohort_id AS run_cohort, (SELECT cohort_id FROM studies WHERE id = :studyId) AS study_cohort FROM runs WHERE runs.id = :runId AND removal_began_at IS NULL`)
  const selectLatest = db.prepare<{ runId: number; studyId: number }, ReviewRow>(`
    SELECT * FROM reviews WHERE id IN (SELECT max(id) FROM reviews WHERE run_id = :runId AND study_id = :studyId GROUP BY label_id) ORDER BY id DESC`)
  const selectOfStudy = db.prepare<{ runId: number; studyId: number }, ReviewRow>('SELECT * FROM reviews WHERE run_id = :runId AND study_id = :studyId ORDER BY id DESC')
  const selectAll = db.prepare<{ runId: number }, ReviewRow>('SELECT * FROM reviews WHERE run_id = :runId ORDER BY id DESC')
  const selectLabel = db.prepare<{ labelId: number; cohortId: number }, { id: number }>('SELECT id FROM labels WHERE id = :labelId AND cohort_id = :cohortId')

  const add = db.transaction((draft: ReviewDraft): Review => {
    const parents = found(selectParents.get(draft), 'run', draft.runId)
    if (parents.study_cohort !== parents.run_cohort) throw new AppError('STORE_NOT_FOUND', `Study ${draft.studyId} is not in the cohort of run ${draft.runId}.`)
    if (draft.labelId !== null) found(selectLabel.get({ labelId: draft.labelId, cohortId: parents.run_cohort }), 'label of this cohort', draft.labelId)
    const row = { run_id: draft.runId, study_id: draft.studyId, label_id: draft.labelId, verdict: draft.verdict, comment: draft.comment, created_at: now() }
    const id = Number(insert.run(row).lastInsertRowid)
    // The comment stays out of the log: a reader may have written a name into it.
    audit('review.added', { reviewId: id, runId: draft.runId, studyId: draft.studyId, labelId: draft.labelId, verdict: draft.verdict })
    changed.reviews(draft.runId)
    return rowToReview({ id, ...row })
  })

  return {
    add: (draft) => add.immediate(draft),
    latest: (runId, studyId) => selectLatest.all({ runId, studyId }).map(rowToReview),
    ofStudy: (runId, studyId) => selectOfStudy.all({ runId, studyId }).map(rowToReview),
    list: (runId) => selectAll.all({ runId }).map(rowToReview),
  }
}

import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'
import type { Review, ReviewVerdict } from '../../../engine/domain/records.ts'

/** The longest comment that the contract takes. */
export const longestComment = 4000

export interface ReviewTarget { studyId: number; runId: number; reviews: readonly Review[] }
export interface ReviewState {
  verdict: Ref<ReviewVerdict | null>
  comment: Ref<string>
  isSaving: Ref<boolean>
  error: Ref<unknown>
  /** Time of the last save in this visit; null before. */
  savedAt: Ref<string | null>
  isDirty: ComputedRef<boolean>
  save: (verdict?: ReviewVerdict) => Promise<boolean>
  /** Saves what is unsaved before the page is left. False when the user has to stay: the save failed, or a comment has no verdict yet. */
  settle: () => Promise<boolean>
}

/** The newest review of a run; the list is newest first. */
export function latestReviewOf(reviews: readonly Review[], runId: number): Review | null {
  return reviews.find((review) => review.runId === runId && review.labelId === null) ?? null
}

const keyOf = (target: ReviewTarget | null): string | null => (target === null ? null : `${target.studyId}/${target.runId}`)

/** The reader's opinion of one study under one run. Every save is a new entry; the history is kept. */
export function useReview(target: Ref<ReviewTarget | null>, send: (review: { studyId: number; runId: number; verdict: ReviewVerdict; comment: string }) => Promise<Review>, onSaved: (review: Review) => void): ReviewState {
  const verdict = ref<ReviewVerdict | null>(null)
  const comment = ref('')
  const isSaving = ref(false)
  const error = ref<unknown>(null)
  const savedAt = ref<string | null>(null)
  const stored = ref<{ verdict: ReviewVerdict | null; comment: string }>({ verdict: null, comment: '' })

  watch(() => keyOf(target.value), () => {
    const latest = target.value === null ? null : latestReviewOf(target.value.reviews, target.value.runId)
    stored.value = { verdict: latest?.verdict ?? null, comment: latest?.comment ?? '' }
    verdict.value = stored.value.verdict
    comment.value = stored.value.comment
    error.value = null
    savedAt.value = null
  }, { immediate: true })

  const isDirty = computed(() => verdict.value !== stored.value.verdict || comment.value !== stored.value.comment)

  // One after the other: a second key pressed while the first is being saved is a second review, not a lost one.
  let queue: Promise<boolean> = Promise.resolve(true)
  const save = (chosen?: ReviewVerdict): Promise<boolean> => {
    if (chosen !== undefined) verdict.value = chosen
    const key = keyOf(target.value)
    queue = queue.then(() => (keyOf(target.value) === key ? saveNow() : false))
    return queue
  }
  const saveNow = async (): Promise<boolean> => {
    const to = target.value
    if (to === null || verdict.value === null || comment.value.length > longestComment) return false
    const sent = { studyId: to.studyId, runId: to.runId, verdict: verdict.value, comment: comment.value }
    isSaving.value = true
    error.value = null
    try {
      const review = await send(sent)
      // The reader may be with another patient by now; then only the history is told.
      if (target.value?.studyId === sent.studyId && target.value.runId === sent.runId) {
        stored.value = { verdict: sent.verdict, comment: sent.comment }
        savedAt.value = review.createdAt
      }
      onSaved(review)
      return true
    } catch (thrown) {
      error.value = thrown
      return false
    } finally {
      isSaving.value = false
    }
  }
  const settle = async (): Promise<boolean> => {
    await queue
    return !isDirty.value || (await save())
  }

  return { verdict, comment, isSaving, error, savedAt, isDirty, save, settle }
}

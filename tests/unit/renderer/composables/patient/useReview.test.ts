import { effectScope, nextTick, shallowRef } from 'vue'
import { describe, expect, it } from 'vitest'
import type { Review } from '../../../../../engine/domain/records.ts'
import { latestReviewOf, useReview, type ReviewTarget } from '../../../../../renderer/composables/patient/useReview.ts'

const reviewOf = (overrides: Partial<Review>): Review => ({ reviewId: 1, runId: 7, studyId: 3, labelId: null, verdict: 'agree', comment: '', createdAt: '2026-01-01T00:00:00.000Z', ...overrides })

function open(reviews: Review[] = [], answer: () => Promise<void> = async () => {}) {
  const target = shallowRef<ReviewTarget | null>({ studyId: 3, runId: 7, reviews })
  const sent: { studyId: number; verdict: string; comment: string }[] = []
  const told: Review[] = []
  const state = effectScope().run(() => useReview(target, async (entry) => {
    sent.push(entry)
    await answer()
    return reviewOf({ ...entry, reviewId: sent.length })
  }, (review) => told.push(review)))!
  return { target, sent, told, state }
}

describe('useReview', () => {
  it('starts from the newest review of the run', () => {
    const { state } = open([reviewOf({ reviewId: 9, runId: 8, verdict: 'disagree' }), reviewOf({ reviewId: 5, verdict: 'unsure', comment: 'haze' }), reviewOf({})])
    expect([state.verdict.value, state.comment.value, state.isDirty.value]).toEqual(['unsure', 'haze', false])
    expect(latestReviewOf([], 7)).toBeNull()
  })

  it('saves a verdict at once, together with the comment', async () => {
    const { state, sent, told } = open()
    state.comment.value = 'cup looks large'
    expect(await state.save('disagree')).toBe(true)
    expect(sent).toEqual([{ studyId: 3, runId: 7, verdict: 'disagree', comment: 'cup looks large' }])
    expect([state.isDirty.value, state.savedAt.value !== null, told.length]).toEqual([false, true, 1])
  })

  it('keeps the reader on the page while a comment has no verdict or cannot be saved', async () => {
    const without = open()
    without.state.comment.value = 'hm'
    expect(await without.state.settle()).toBe(false)
    const failing = open([], () => Promise.reject(new Error('locked')))
    failing.state.comment.value = 'hm'
    failing.state.verdict.value = 'unsure'
    expect(await failing.state.settle()).toBe(false)
    expect([failing.state.error.value instanceof Error, failing.state.comment.value, failing.state.isDirty.value]).toEqual([true, 'hm', true])
  })

  it('lets go when nothing is unsaved, and saves what is', async () => {
    expect(await open().state.settle()).toBe(true)
    const { state, sent } = open([reviewOf({})])
    state.comment.value = 'more'
    expect(await state.settle()).toBe(true)
    expect(sent).toHaveLength(1)
  })

  it('refuses a comment that main would refuse', async () => {
    const { state, sent } = open()
    state.comment.value = 'x'.repeat(4001)
    expect(await state.save('agree')).toBe(false)
    expect(sent).toEqual([])
  })

  it('saves two quick verdicts one after the other', async () => {
    const { state, sent } = open()
    const [, second] = [state.save('agree'), state.save('unsure')]
    expect(await second).toBe(true)
    expect(sent.at(-1)?.verdict).toBe('unsure')
    expect([state.verdict.value, state.isDirty.value]).toEqual(['unsure', false])
  })

  it('does not mark the next patient as saved when the answer comes late', async () => {
    let release = (): void => {}
    const { state, target } = open([], () => new Promise((resolve) => { release = resolve }))
    const saving = state.save('agree')
    await nextTick()
    target.value = { studyId: 4, runId: 7, reviews: [] }
    await nextTick()
    release()
    await saving
    expect([state.savedAt.value, state.verdict.value]).toEqual([null, null])
  })
})

import { describe, expect, it } from 'vitest'
import type { CallReply } from '../../../../../electron/contract/contract.ts'
import { withDecisions } from '../../../../../renderer/composables/privacy/text-review.ts'

type Review = CallReply<'privacy:images'>
const item = (itemId: number, changes: object = {}) => ({ itemId, contentKey: `k${itemId}`, url: `app://image/${itemId}`, decision: null, regions: [], reasons: [], ...changes }) as unknown as Review['items'][number]
const review = (items: Review['items'], open: number): Review => ({ items, open, total: items.length, unsearched: 0 }) as unknown as Review

describe('withDecisions', () => {
  it('keeps every picture that nothing was decided about as the same object, and counts as main does', () => {
    const before = review([item(1), item(2), item(3)], 3)
    const after = withDecisions(before, review([item(1), item(2, { decision: 'keep' }), item(3)], 2))
    expect(after.items.map((entry, place) => entry === before.items[place])).toEqual([true, false, true])
    expect(after.items[1]!.decision).toBe('keep')
    expect(after.open).toBe(2)
  })

  it('takes what is new or of another content, and drops what is gone', () => {
    const before = review([item(1), item(2)], 2)
    const next = [item(2, { contentKey: 'other' }), item(4)]
    expect(withDecisions(before, review(next, 2)).items).toEqual(next)
    expect(withDecisions(null, review(next, 2)).items).toBe(next)
  })
})

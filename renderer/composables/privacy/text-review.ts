import type { CallReply } from '../../../electron/contract/contract.ts'

type Review = CallReply<'privacy:images'>

/**
 * The list after a decision, with the very objects of the list before wherever nothing was decided: a page of some hundred pictures then draws
 * only those anew that changed, instead of all of them in one task.
 */
export function withDecisions(before: Review | null, after: Review): Review {
  if (before === null) return after
  const held = new Map(before.items.map((item) => [item.itemId, item]))
  const same = (item: Review['items'][number]): Review['items'][number] => {
    const known = held.get(item.itemId)
    // What is found in a picture may only change with its content, and the address names that.
    return known !== undefined && known.decision === item.decision && known.contentKey === item.contentKey && known.url === item.url ? known : item
  }
  return { ...after, items: after.items.map(same) }
}

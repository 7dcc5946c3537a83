import type { AbsenceReason, Slot } from '../../../engine/domain/slots.ts'
import { describePattern, patternKey, slotIdsOfPattern } from '../../../engine/domain/slots.ts'
import type { PresenceState } from '../common/presence.ts'

/** The slots that a list or page shows: those given to the run, or all without one. In cohort order. */
export function slotsOfRun(slots: readonly Slot[], runSlotIds: readonly string[] | null): Slot[] {
  return runSlotIds === null ? [...slots] : slots.filter((slot) => runSlotIds.includes(slot.slotId))
}

/** Patterns of a cohort as seen by a run that has only some of its slots, with summed counts, commonest first. */
export function patternOptionsOf(counts: readonly { pattern: string; count: number }[], slots: readonly Slot[]): { pattern: string; title: string; count: number }[] {
  const sums = new Map<string, number>()
  for (const { pattern, count } of counts) {
    const present = new Set(slotIdsOfPattern(pattern))
    const key = patternKey(slots, (slotId) => present.has(slotId))
    sums.set(key, (sums.get(key) ?? 0) + count)
  }
  return [...sums].map(([pattern, count]) => ({ pattern, title: describePattern(slots, pattern), count })).sort((a, b) => b.count - a.count || a.pattern.localeCompare(b.pattern))
}

/** Tiles of a what-if: what it keeps, what it withholds although it is there, and what was missing anyway. */
export function whatIfTiles(slots: readonly Slot[], actual: string, whatIf: string): { slot: Slot; state: PresenceState; reason: AbsenceReason | null }[] {
  const there = new Set(slotIdsOfPattern(actual))
  const kept = new Set(slotIdsOfPattern(whatIf))
  return slots.map((slot) => ({ slot, state: kept.has(slot.slotId) ? 'present' : there.has(slot.slotId) ? 'withheld' : 'missing', reason: null }))
}

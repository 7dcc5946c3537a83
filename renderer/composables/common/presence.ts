import { slotIdsOfPattern, type AbsenceReason, type Slot, type SlotPresence } from '../../../engine/domain/slots.ts'

/** How a tile looks; `withheld` = there, but not shown to the model (what-ifs). */
export type PresenceState = 'present' | 'missing' | 'excluded' | 'withheld'
export interface PresenceTileModel { slot: Slot; state: PresenceState; reason: AbsenceReason | null }

/** Items that the studies which count could have and have, under the decisions in force: the cohort's own numbers are those of its imports. */
export function countItems(slotCount: number, studyCount: number, absences: readonly { count: number }[]): { all: number; present: number } {
  const all = slotCount * studyCount
  return { all, present: all - absences.reduce((sum, { count }) => sum + count, 0) }
}

/** The tiles of a pattern key, or of the presence list of one study, in slot order. A slot the list leaves out counts as missing. */
export function presenceTiles(slots: readonly Slot[], of: string | readonly SlotPresence[]): PresenceTileModel[] {
  if (typeof of === 'string') {
    const present = new Set(slotIdsOfPattern(of))
    return slots.map((slot) => ({ slot, state: present.has(slot.slotId) ? 'present' : 'missing', reason: null }))
  }
  return slots.map((slot) => {
    const known = of.find((entry) => entry.slotId === slot.slotId)
    if (known?.isPresent) return { slot, state: 'present', reason: null }
    return { slot, state: known?.reason === 'excluded' ? 'excluded' : 'missing', reason: known?.reason ?? null }
  })
}

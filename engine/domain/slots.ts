import { z } from 'zod'

/** One input channel of a model. The DICOM tag of the same name is `dicomModality` and unrelated. */
export const modalitySchema = z.enum(['image', 'text', 'tabular'])
export type Modality = z.infer<typeof modalitySchema>

/** Why an item of a study cannot be used. Never guessed from a blank note or a white picture. */
export const absenceReasonSchema = z.enum(['not-collected', 'file-missing', 'unreadable', 'excluded'])
export type AbsenceReason = z.infer<typeof absenceReasonSchema>

/**
 * A place in every study of a cohort that one modality item may fill: the right eye, the frontal view, the notes.
 * `slotId` is stable inside the cohort (`right-eye`); `letter` is what the presence tile shows (one or two characters).
 */
export const slotSchema = z.object({
  slotId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  modality: modalitySchema,
  title: z.string().min(1).max(60),
  letter: z.string().min(1).max(2),
})
export type Slot = z.infer<typeof slotSchema>

/** At most this many slots in a cohort, so that patterns can be named and counted. */
export const maxSlots = 8

/** Presence of one slot in one study. */
export const slotPresenceSchema = z.object({
  slotId: z.string(),
  isPresent: z.boolean(),
  reason: absenceReasonSchema.nullable(),
})
export type SlotPresence = z.infer<typeof slotPresenceSchema>

/**
 * Name of a presence pattern: the ids of the present slots in cohort order, joined by "+"; empty string when none is present.
 * The same string is the key in the database, in exports and in the results table.
 */
export function patternKey(slots: readonly Slot[], isPresent: (slotId: string) => boolean): string {
  return slots.filter((slot) => isPresent(slot.slotId)).map((slot) => slot.slotId).join('+')
}

/** The slot ids inside a pattern key. */
export function slotIdsOfPattern(pattern: string): string[] {
  return pattern === '' ? [] : pattern.split('+')
}

/** Above this many present slots the what-if patterns are singles and leave-one-outs instead of every subset. */
const maxEnumeratedSlots = 4

/**
 * All what-if patterns of a study: every non-empty subset of its present slots, largest first, its own pattern at the head.
 * With more than four present slots the subsets would explode, so: the whole, each without one, each alone.
 */
export function subPatterns(pattern: string): string[] {
  const present = slotIdsOfPattern(pattern)
  if (present.length === 0) return []
  if (present.length > maxEnumeratedSlots) {
    const withoutOne = present.map((left) => present.filter((slotId) => slotId !== left).join('+'))
    return [pattern, ...withoutOne, ...present]
  }
  const subsets: string[][] = []
  for (let bits = 1; bits < 1 << present.length; bits++) {
    subsets.push(present.filter((_, index) => (bits >> index) & 1))
  }
  subsets.sort((a, b) => b.length - a.length)
  return subsets.map((subset) => subset.join('+'))
}

/** A pattern in words: "Right eye + Notes (no Left eye)". */
export function describePattern(slots: readonly Slot[], pattern: string): string {
  const present = new Set(slotIdsOfPattern(pattern))
  const has = slots.filter((slot) => present.has(slot.slotId)).map((slot) => slot.title)
  const lacks = slots.filter((slot) => !present.has(slot.slotId)).map((slot) => slot.title)
  if (has.length === 0) return 'Nothing present'
  return lacks.length === 0 ? `Complete (${has.join(' + ')})` : `${has.join(' + ')} (no ${lacks.join(', no ')})`
}

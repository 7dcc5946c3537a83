import type { LabelWord } from '../domain/import.ts'
import type { Slot } from '../domain/slots.ts'

/** At most this many words are named in a warning; the cohort page lists all. */
const namedWords = 4

/**
 * Says for each text slot whose words give labels away, in plain words with the numbers.
 * A model that reads such a slot learns the label's name, not the disease (METHODS section 8).
 */
export function slotWarnings(slots: readonly Slot[], labelWords: readonly LabelWord[]): { slotId: string; text: string }[] {
  return slots.flatMap((slot) => {
    const words = labelWords.filter((item) => item.slotId === slot.slotId)
    if (words.length === 0) return []
    const named = words.slice(0, namedWords).map((item) => `"${item.word}" (${item.studiesWithWordAndLabel} of ${item.studiesWithWord} with ${item.labelName})`)
    const labels = new Set(words.map((item) => item.labelName)).size
    return [{
      slotId: slot.slotId,
      text: `${slot.title} names the answer: ${words.length} words give away ${labels} of the labels, such as ${named.join(', ')}. Results with this text say how well the words are read, not how well the disease is recognised. Leave it out, or report it as such.`,
    }]
  })
}

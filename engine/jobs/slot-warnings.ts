import type { LabelWord } from '../domain/import.ts'
import type { Label } from '../domain/records.ts'
import type { Slot } from '../domain/slots.ts'

/** At most this many words are named in a warning; the cohort page lists all. */
const namedWords = 4

/**
 * Says for each text slot whose words give labels away, in plain words with the numbers.
 * A model that reads such a slot learns the label's name, not the disease (METHODS section 8).
 */
export function slotWarnings(slots: readonly Slot[], labelWords: readonly LabelWord[], labels: readonly Label[]): { slotId: string; text: string }[] {
  return slots.flatMap((slot) => {
    const derived = labels.filter(({ derivedFrom }) => derivedFrom?.includes(slot.slotId))
    // No counting is needed where the label is a function of the text.
    if (derived.length > 0) return [{ slotId: slot.slotId, text: derivedWarning(slot, derived.length, labels.length) }]
    // Words of labels that are not asked for give nothing away.
    const words = labelWords.filter((item) => item.slotId === slot.slotId && labels.some(({ name }) => name === item.labelName))
    if (words.length === 0) return []
    const named = words.slice(0, namedWords).map((item) => `"${item.word}" (${item.studiesWithWordAndLabel} of ${item.studiesWithWord} with ${item.labelName})`)
    const labelCount = new Set(words.map((item) => item.labelName)).size
    return [{
      slotId: slot.slotId,
      text: `${slot.title} names the answer: ${words.length} words give away ${labelCount} of the labels, such as ${named.join(', ')}. Results with this text say how well the words are read, not how well the disease is recognised. Leave it out, or report it as such.`,
    }]
  })
}

/** Said without any counting: the label is a function of the text. */
function derivedWarning(slot: Slot, derived: number, labels: number): string {
  const which = derived === labels ? 'The labels were' : `${derived} of the ${labels} labels were`
  return `${slot.title} gives the answer away by construction: ${which} derived from this very text by rules. A model that reads it learns the rules, not the disease. Leave it out, or report it as such.`
}

import type { RandomSource } from '../../compute/random-source.ts'
import type { Missingness } from '../../domain/run.ts'
import { patternKey, slotIdsOfPattern, type Slot } from '../../domain/slots.ts'

/**
 * Removes whole modalities from presence patterns at random (MCAR), each sample losing at most one kind:
 * with probability `rates.image` its images, with `rates.text` its texts, else nothing.
 * MoRA's published "both, 0.7" setting is image 0.35 and text 0.35 (30 % stay complete); here the two rates are said apart.
 * A sample that would be left with nothing keeps what it has, so "all missing" never occurs.
 *
 * @param patterns natural pattern of each sample
 * @returns the pattern each sample is shown with, same order
 */
export function simulateMissingness(slots: readonly Slot[], patterns: readonly string[], rates: Missingness, random: RandomSource): string[] {
  return patterns.map((pattern) => {
    // One draw for each sample, used or not, keeps the table of one seed nested when only a rate changes.
    const draw = random.uniform()
    if (draw < rates.image) return withoutModality(slots, pattern, 'image') || pattern
    if (draw < rates.image + rates.text) return withoutModality(slots, pattern, 'text') || pattern
    return pattern
  })
}

/** The pattern less every slot of one modality; empty string when nothing remains. */
export function withoutModality(slots: readonly Slot[], pattern: string, modality: 'image' | 'text'): string {
  const present = new Set(slotIdsOfPattern(pattern))
  return patternKey(slots, (slotId) => present.has(slotId) && slots.find((slot) => slot.slotId === slotId)?.modality !== modality)
}

/** The pattern reduced to one modality; empty string when the sample has none of it. */
export function onlyModality(slots: readonly Slot[], pattern: string, modality: 'image' | 'text'): string {
  const present = new Set(slotIdsOfPattern(pattern))
  return patternKey(slots, (slotId) => present.has(slotId) && slots.find((slot) => slot.slotId === slotId)?.modality === modality)
}

import type { Slot } from '../../../engine/domain/slots.ts'

/** A column of the study: complete patients shown under these patterns; several (either eye) are averaged. */
export interface StudyPattern {
  name: string
  patterns: string[]
}

/** Complete, each modality missing, one image missing: what the cohort's slots allow. */
export function studyPatterns(slots: readonly Slot[]): StudyPattern[] {
  const keyOf = (keep: (slot: Slot) => boolean) => slots.filter(keep).map((slot) => slot.slotId).join('+')
  const images = slots.filter((slot) => slot.modality === 'image')
  const columns: StudyPattern[] = [
    { name: 'complete', patterns: [keyOf(() => true)] },
    { name: 'image missing', patterns: [keyOf((slot) => slot.modality !== 'image')] },
    { name: 'text missing', patterns: [keyOf((slot) => slot.modality !== 'text')] },
    { name: 'table missing', patterns: [keyOf((slot) => slot.modality !== 'tabular')] },
    { name: 'one image missing', patterns: images.length < 2 ? [] : images.map(({ slotId }) => keyOf((slot) => slot.slotId !== slotId)) },
  ]
  const complete = columns[0]!.patterns[0]
  return columns.map((column, index) => ({ ...column, patterns: column.patterns.filter((pattern) => pattern !== '' && (index === 0 || pattern !== complete)) }))
    .filter(({ patterns }) => patterns.length > 0)
}

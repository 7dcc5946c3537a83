import type { LabelWord } from '../domain/import.ts'
import type { Mapping } from '../domain/mapping.ts'
import { findLabelWords } from './label-words.ts'
import type { LoadedCohort } from './load-cohort.ts'

const maxWords = 60

/** Telling words of every text slot of a cohort, strongest first, at most 60 altogether. */
export function labelWordsOf(cohort: LoadedCohort, mapping: Mapping): LabelWord[] {
  const words = mapping.slots.flatMap(({ slot }, slotIndex) => {
    if (slot.modality !== 'text') return []
    const texts = cohort.studies.map(({ patientKey, values, labelValues }) => ({ patientKey, text: values[slotIndex] ?? null, labels: labelValues }))
    return findLabelWords(slot.slotId, texts, cohort.labelNames)
  })
  return words.sort((a, b) => b.auroc - a.auroc || b.studiesWithWord - a.studiesWithWord).slice(0, maxWords)
}

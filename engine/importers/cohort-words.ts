import type { LabelWord } from '../domain/import.ts'
import type { Mapping } from '../domain/mapping.ts'
import { findLabelWords } from './label-words.ts'
import type { LoadedCohort } from './load-cohort.ts'
import { derivedNamesOf } from './reports/derive-labels.ts'

const maxWords = 60

/** Telling words of every text slot of a cohort, strongest first, at most 60 altogether. */
export function labelWordsOf(cohort: LoadedCohort, mapping: Mapping): LabelWord[] {
  const words = mapping.slots.flatMap(({ slot }, slotIndex) => {
    if (slot.modality !== 'text') return []
    const texts = cohort.studies.map(({ patientKey, values, labelValues }) => ({ patientKey, text: values[slotIndex] ?? null, labels: labelValues }))
    // A label that was derived from this text is given away by it without any counting; derived labels stand after all others.
    const own = mapping.reportLabels?.slotIds.includes(slot.slotId) === true ? derivedNamesOf(mapping).size : 0
    return findLabelWords(slot.slotId, texts, cohort.labelNames.slice(0, cohort.labelNames.length - own))
  })
  return words.sort((a, b) => b.auroc - a.auroc || b.studiesWithWord - a.studiesWithWord).slice(0, maxWords)
}

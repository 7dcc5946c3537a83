import type { LabelWord } from '../domain/import.ts'
import type { Mapping } from '../domain/mapping.ts'
import type { Slot } from '../domain/slots.ts'
import { findLabelWords, type LabelledText } from './label-words.ts'
import type { LoadedCohort } from './load-cohort.ts'
import { derivedNamesOf } from './reports/derive-labels.ts'

const maxWords = 60

/** Texts of a cohort with their labels; derived labels stand after all others. */
export interface CohortTexts {
  slots: readonly Pick<Slot, 'slotId' | 'modality'>[]
  labelNames: readonly string[]
  /** How many of the last labels were derived from the text of this slot. */
  derivedFrom: (slotId: string) => number
  textsOf: (slotId: string) => readonly LabelledText[]
}

/** Telling words of every text slot, strongest first, at most 60 altogether. */
export function findCohortWords({ slots, labelNames, derivedFrom, textsOf }: CohortTexts): LabelWord[] {
  const words = slots.flatMap(({ slotId, modality }) => {
    if (modality !== 'text') return []
    // A label that was derived from this text is given away by it without any counting.
    return findLabelWords(slotId, textsOf(slotId), labelNames.slice(0, labelNames.length - derivedFrom(slotId)))
  })
  return words.sort((a, b) => b.auroc - a.auroc || b.studiesWithWord - a.studiesWithWord).slice(0, maxWords)
}

/** The words of a cohort that was just loaded. */
export function labelWordsOf(cohort: LoadedCohort, mapping: Mapping): LabelWord[] {
  const slots = mapping.slots.map(({ slot }) => slot)
  return findCohortWords({
    slots, labelNames: cohort.labelNames,
    derivedFrom: (slotId) => (mapping.reportLabels?.slotIds.includes(slotId) === true ? derivedNamesOf(mapping).size : 0),
    textsOf: (slotId) => {
      const slotIndex = slots.findIndex((slot) => slot.slotId === slotId)
      return cohort.studies.map(({ patientKey, values, labelValues }) => ({ patientKey, text: values[slotIndex] ?? null, labels: labelValues }))
    },
  })
}

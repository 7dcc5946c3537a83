import type { LabelWord } from '../domain/import.ts'
import { findCohortWords } from '../importers/cohort-words.ts'
import type { Store } from '../store/open.ts'

/**
 * The words that give labels away, over everything a cohort holds now: a further delivery brings texts of its own, and the words of the first import
 * would go on standing for all of it. Reads every text, so it runs in the reader process.
 */
export function readLabelWords(store: Store, { cohortId }: { cohortId: number }): LabelWord[] {
  const { labels: all } = store.cohorts.get(cohortId)
  const { slots, labels, patientKeys, references, studyIds } = store.cohorts.columns(cohortId)
  const L = labels.length
  return findCohortWords({
    slots, labelNames: labels.map(({ name }) => name),
    derivedFrom: (slotId) => all.filter(({ derivedFrom }) => derivedFrom?.includes(slotId) === true).length,
    textsOf: (slotId) => {
      const texts = store.cohorts.texts(cohortId, slotId)
      return Array.from(studyIds, (studyId, i) => ({
        patientKey: patientKeys[i]!, text: texts.get(studyId) ?? null,
        labels: Array.from({ length: L }, (_, l) => {
          const value = references[i * L + l]!
          return value === -1 ? null : value as 0 | 1
        }),
      }))
    },
  })
}

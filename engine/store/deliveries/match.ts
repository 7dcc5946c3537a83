import type { StudyChange } from '../../domain/deliveries.ts'
import type { ImportedItem, ImportedStudy } from '../../domain/import.ts'
import type { Sex } from '../../domain/records.ts'
import type { Slot } from '../../domain/slots.ts'
import type { StudyDate } from '../../domain/visit-dates.ts'

/** A study of the cohort as far as a delivered one is compared with it. */
export interface StoredVersion {
  studyId: number
  studyKey: string
  ageYears: number | null
  sex: Sex | null
  site: string | null
  date: StudyDate
  items: ReadonlyMap<string, { isPresent: boolean; sha256: string | null; sourcePath: string | null }>
  /** In cohort label order. */
  labels: readonly (0 | 1 | null)[]
}

type Delivered = Pick<ImportedStudy, 'studyKey' | 'ageYears' | 'sex' | 'site' | 'date' | 'items' | 'labels'>

/**
 * An absence that says nothing of the patient: the next delivery often has the whole table and only the new files. What the cohort has
 * is then neither changed nor given up.
 */
export function isNotDelivered(item: Pick<ImportedItem, 'isPresent' | 'reason'>): boolean {
  return !item.isPresent && (item.reason === 'file-missing' || item.reason === 'unreadable')
}

/** In what a delivered study differs from the stored one; empty when the cohort has it already. */
export function changesBetween(stored: StoredVersion, delivered: Delivered, slots: readonly Slot[]): StudyChange[] {
  const changes: StudyChange[] = []
  for (const { slotId, modality } of slots) {
    const before = stored.items.get(slotId)
    const after = delivered.items.find((item) => item.slotId === slotId)
    if (before === undefined || after === undefined || isNotDelivered(after)) continue
    if (!after.isPresent) {
      if (before.isPresent) changes.push({ kind: 'gone', slotId })
    } else if (!before.isPresent) changes.push({ kind: 'arrived', slotId })
    else if (before.sha256 !== after.sha256) changes.push({ kind: modality === 'tabular' ? 'values' : modality, slotId })
  }
  const note = (kind: StudyChange['kind'], isSame: boolean): void => {
    if (!isSame) changes.push({ kind, slotId: null })
  }
  note('labels', stored.labels.length === delivered.labels.length && stored.labels.every((value, position) => value === delivered.labels[position]))
  note('age', stored.ageYears === delivered.ageYears)
  note('sex', stored.sex === delivered.sex)
  note('site', stored.site === (delivered.site ?? null))
  // A delivery whose mapping reads no dates says nothing of them.
  if (delivered.date !== undefined) note('date', stored.date.day === delivered.date.day && stored.date.problems.join() === delivered.date.problems.join())
  return changes
}

/**
 * The study of the same patient that a delivered one is a further version of; null for a new one. With keys from the table (a patient, or
 * a study column) the key decides. Where every row is a study of its own its number in the table means nothing in the next one: then the
 * same content is the same study, else one that shares an image by content or by path and was not met in this delivery yet.
 */
export function findStored(candidates: readonly StoredVersion[], delivered: Delivered, isNumbered: boolean, slots: readonly Slot[], isMet: (studyId: number) => boolean): StoredVersion | null {
  if (!isNumbered) return candidates.find((stored) => stored.studyKey === delivered.studyKey) ?? null
  const same = candidates.filter((stored) => changesBetween(stored, delivered, slots).length === 0)
  if (same.length > 0) return same.find(({ studyId }) => !isMet(studyId)) ?? same[0]!
  return candidates.find((stored) => !isMet(stored.studyId) && sharesImage(stored, delivered)) ?? null
}

function sharesImage(stored: StoredVersion, delivered: Delivered): boolean {
  return delivered.items.some((item) => {
    const before = stored.items.get(item.slotId)
    if (item.sourcePath === null || before === undefined) return false
    return (item.sha256 !== null && before.sha256 === item.sha256) || before.sourcePath === item.sourcePath
  })
}

/** A key for a new study of a patient whose studies are only numbered: the first number that is free. */
export function freeStudyKey(patientKey: string, taken: ReadonlySet<string>): string {
  let number = taken.size + 1
  while (taken.has(`${patientKey}-${number}`)) number++
  return `${patientKey}-${number}`
}

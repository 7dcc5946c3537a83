import { createHash } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import type { Slot } from '../domain/slots.ts'
import type { StudyDate } from '../domain/visit-dates.ts'

/** The part of a study that a cohort's content hash covers: data, not where it lay. */
export interface StudyContent {
  ordinal: number
  patientKey: string
  studyKey: string
  ageYears: number | null
  sex: string | null
  site?: string | null
  date?: StudyDate | undefined
  items: readonly { slotId: string; isPresent: boolean; reason: string | null; sha256: string | null }[]
  labels: readonly (0 | 1 | null)[]
}

/**
 * One link of the content hash: SHA-256 over the hash so far and the study's patient, items (by content hash) and labels.
 * A chain rather than one hash at the end, so that finishing a large import takes no time.
 */
export function nextContentHash(previous: string, study: StudyContent, slots: readonly Slot[]): string {
  const items = slots.map((slot) => {
    const item = study.items.find((candidate) => candidate.slotId === slot.slotId)
    return item === undefined ? null : [item.slotId, item.isPresent ? 1 : 0, item.reason, item.sha256]
  })
  // Only where there is one: cohorts of before keep the hash that their runs name.
  const site = study.site == null ? [] : [study.site]
  const date = study.date === undefined || (study.date.day === null && study.date.problems.length === 0) ? [] : [[study.date.day, study.date.problems]]
  const content = JSON.stringify([previous, study.ordinal, study.patientKey, study.studyKey, study.ageYears, study.sex, items, study.labels, ...site, ...date])
  return createHash('sha256').update(content).digest('hex')
}

interface ContentRow {
  id: number
  ordinal: number
  patientKey: string
  studyKey: string
  ageYears: number | null
  sex: string | null
  site: string | null
  day: string | null
  problems: string
}

/** Reads a cohort back in the form its content hash was made from. */
export function createContentReader(db: Database) {
  const selectStudies = db.prepare<{ cohortId: number }, ContentRow>(`
    SELECT studies.id AS id, ordinal, patient_key AS patientKey, study_key AS studyKey, age_years AS ageYears, sex, site, study_date AS day, date_problems AS problems
    FROM studies JOIN patients ON patients.id = studies.patient_id WHERE studies.cohort_id = :cohortId ORDER BY ordinal`)
  const selectItems = db.prepare<{ studyId: number }, { slotId: string; isPresent: number; reason: string | null; sha256: string | null; text: string | null }>(
    'SELECT slot_id AS slotId, is_present AS isPresent, reason, sha256, text FROM items WHERE study_id = :studyId')
  const selectLabels = db.prepare<{ studyId: number; cohortId: number }, { value: 0 | 1 | null }>(`
    SELECT study_labels.value AS value FROM labels LEFT JOIN study_labels ON study_labels.label_id = labels.id AND study_labels.study_id = :studyId
    WHERE labels.cohort_id = :cohortId ORDER BY labels.position`)
  const selectHashes = db.prepare<{ cohortId: number }, { content_chain: string; content_hash: string | null }>('SELECT content_chain, content_hash FROM cohorts WHERE id = :cohortId')

  return {
    hashes: (cohortId: number) => selectHashes.get({ cohortId })!,
    studies: function* (cohortId: number): Generator<StudyContent> {
      for (const { day, problems, ...study } of selectStudies.all({ cohortId })) {
        const items = selectItems.all({ studyId: study.id }).map((item) => ({
          ...item, isPresent: item.isPresent === 1,
          // A note is hashed again from its words, so that an edited note shows although its stored hash was left alone.
          sha256: item.text === null || item.sha256 === null ? item.sha256 : createHash('sha256').update(item.text).digest('hex'),
        }))
        const labels = selectLabels.all({ studyId: study.id, cohortId }).map((label) => label.value)
        yield { ...study, date: { day, problems: JSON.parse(problems) as StudyDate['problems'] }, items, labels }
      }
    },
  }
}

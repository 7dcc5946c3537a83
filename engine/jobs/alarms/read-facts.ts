import type { CohortFacts, ImageFact } from '../../alarms/facts/cohort-facts.ts'
import { AppError } from '../../domain/errors.ts'
import type { Store } from '../../store/open.ts'

/**
 * The effective cohort as columns for the search for alarms: what a training would read, and what lies around it. Runs in the reader process.
 * @throws AppError RUN_COHORT_NOT_READY before the import is complete
 */
export function readFacts(store: Store, cohortId: number): CohortFacts {
  const cohort = store.cohorts.get(cohortId)
  if (cohort.status !== 'ready') throw new AppError('RUN_COHORT_NOT_READY', `The import of "${cohort.name}" is not complete (${cohort.studyCount} of ${cohort.studyTotal} studies).`)
  const slots = cohort.slots.filter(({ slotId }) => !cohort.curation.droppedSlotIds.includes(slotId))
  const studies = store.patients.trainingStudies(cohortId, slots.map(({ slotId }) => slotId), cohort.labels.map(({ labelId }) => labelId))
  const rowOf = new Map(studies.map(({ studyId }, row) => [studyId, row]))
  const sites = store.curation.sites(cohortId)
  const columns = store.cohorts.columns(cohortId)
  const L = cohort.labels.length
  const labels = new Int8Array(studies.length * L)
  studies.forEach((study, i) => study.labels.forEach((value, l) => (labels[i * L + l] = Number.isNaN(value) ? -1 : value)))
  const empty = () => new Array<null>(studies.length).fill(null)
  const texts = new Map<string, (string | null)[]>(slots.filter(({ modality }) => modality === 'text').map(({ slotId }) => [slotId, empty()]))
  const images = new Map<string, (ImageFact | null)[]>(slots.filter(({ modality }) => modality === 'image').map(({ slotId }) => [slotId, empty()]))
  studies.forEach(({ items }, row) => {
    for (const { slotId, text, sha256 } of items) {
      const column = texts.get(slotId)
      if (column !== undefined) column[row] = text
      const files = images.get(slotId)
      if (files !== undefined) files[row] = { sha256, byteSize: null, widthPx: null, heightPx: null, measures: null }
    }
  })
  for (const { studyId, slotId, ...size } of store.curation.imageFiles(cohortId)) {
    const image = images.get(slotId)?.[rowOf.get(studyId) ?? -1]
    if (image) Object.assign(image, size)
  }
  for (const { studyId, slotId, measures } of store.imageMeasures.ofCohort(cohortId)) {
    const image = images.get(slotId)?.[rowOf.get(studyId) ?? -1]
    if (image) image.measures = measures
  }
  return {
    slots, labelNames: cohort.labels.map(({ name }) => name), labels, texts, images,
    studyIds: Int32Array.from(studies, ({ studyId }) => studyId),
    patientKeys: studies.map(({ patientKey }) => patientKey),
    studyKeys: studies.map(({ studyKey }) => studyKey),
    persons: Int32Array.from(studies, ({ patientId }) => patientId),
    ageYears: Float64Array.from(studies, ({ ageYears }) => ageYears ?? Number.NaN),
    sexes: studies.map(({ sex }) => sex),
    sites: studies.map(({ studyId }) => sites.get(studyId) ?? null),
    dateProblems: new Map(studies.flatMap(({ studyId }, row) => {
      const problems = columns.dateProblems.get(columns.rowOf.get(studyId)!)
      return problems === undefined ? [] : [[row, problems] as const]
    })),
    hasDates: columns.days.some((day) => !Number.isNaN(day)),
    presentBits: Uint8Array.from(studies, ({ items }) => items.reduce((bits, { slotId }) => bits | (1 << slots.findIndex((slot) => slot.slotId === slotId)), 0)),
  }
}

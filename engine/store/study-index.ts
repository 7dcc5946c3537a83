import type { Database } from 'better-sqlite3'
import type { Review, Sex, Task } from '../domain/records.ts'
import type { AbsenceReason, Slot } from '../domain/slots.ts'
import { confidenceOfAll, decide, indexOfLargest } from '../domain/decisions.ts'
import { dayMs, type DateProblem } from '../domain/visit-dates.ts'
import { runConfigSchema, type Split } from '../domain/run.ts'
import { found, slotsOf } from './context.ts'
import type { EffectiveCohort, EffectiveCohorts } from './curation/effective-cohort.ts'
import { rowToReview, type ReviewRow } from './repositories/reviews.ts'

/**
 * Column-wise copies of what the patient list filters and sorts by, kept in memory for the cohorts and runs last looked at.
 * A list of 20,000 studies is answered from here in milliseconds; SQL would join 160,000 predictions for each keystroke.
 */

const keptCohorts = 3
const keptRuns = 4

/** Row `i` is the study with the i-th ordinal. S slots, L labels of the cohort. */
export interface CohortColumns {
  slots: Slot[]
  labels: { labelId: number; name: string }[]
  studyIds: Int32Array
  patientKeys: string[]
  studyKeys: string[]
  /** NaN when unknown. */
  ageYears: Float64Array
  sexes: (Sex | null)[]
  /** Pseudonyms of the places of examination. */
  sites: (string | null)[]
  /** Days of the studies, moved, counted from 1970; NaN where none is known or it does not count. */
  days: Float64Array
  /** What speaks against the day of a study and was not judged, by row. */
  dateProblems: ReadonlyMap<number, readonly DateProblem[]>
  /** Bit s is set when slot s is present and no decision takes it away. */
  presentBits: Uint8Array
  /** Bit s is set when slot s was imported as present. */
  importedBits: Uint8Array
  /** 1 where a decision takes the whole study out of training and evaluation. */
  isExcluded: Uint8Array
  /** Key that stands for the person of row i, where it is another one. */
  personKeys: (string | null)[]
  /** Reasons of absent items at `i * S + s`. */
  reasons: Map<number, AbsenceReason>
  /** 1, 0 or -1 (unknown) at `i * L + l`. */
  references: Int8Array
  rowOf: Map<number, number>
}

/** Row `i` as in the cohort. C labels of the run. */
export interface RunColumns {
  cohortId: number
  task: Task
  /** Bits of the slots that the run uses. */
  slotBits: number
  /** As `presentBits` of the cohort, under the decisions that the run was planned with. */
  presentBits: Uint8Array
  /** Position in the cohort's labels of each of the run's. */
  labelPositions: number[]
  /** Fold of the prediction that is shown, -1 without one. */
  folds: Int16Array
  splits: (Split | null)[]
  /** At `i * C + c`. */
  probabilities: Float32Array
  thresholds: Float32Array
  decisions: Uint8Array
  /** Least certain label, or the lead of the first class. */
  confidences: Float32Array
  /** Label with the highest probability of each row. */
  tops: Uint16Array
}

export interface StudyIndex {
  cohort: (cohortId: number) => CohortColumns
  run: (runId: number) => RunColumns
  /** Newest review of each study, of any label; kept apart, as a review must not cost reading all predictions again. */
  reviews: (runId: number) => Map<number, Review>
  forgetReviews: (runId: number) => void
  forgetCohort: (cohortId: number) => void
  forgetRun: (runId: number) => void
}

/** A cache of a few entries; the one used longest ago goes first. */
function createCache<T>(capacity: number, load: (id: number) => T, canKeep: () => boolean) {
  const entries = new Map<number, T>()
  return {
    get: (id: number): T => {
      const kept = entries.get(id)
      const value = kept ?? load(id)
      entries.delete(id)
      // What is read inside a transaction may be rolled back.
      if (kept !== undefined || canKeep()) entries.set(id, value)
      if (entries.size > capacity) entries.delete(entries.keys().next().value!)
      return value
    },
    forget: (id: number) => void entries.delete(id),
    clear: () => entries.clear(),
  }
}

export function createStudyIndex(db: Database, effective: EffectiveCohorts): StudyIndex {
  const selectCohort = db.prepare<{ cohortId: number }, { slots_json: string }>('SELECT slots_json FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const selectLabels = db.prepare<{ cohortId: number }, { labelId: number; name: string; isComplete: 0 | 1 }>(`
    SELECT id AS labelId, name, (SELECT count(*) FROM study_labels WHERE label_id = labels.id) = (SELECT count(*) FROM studies WHERE cohort_id = :cohortId) AS isComplete
    FROM labels WHERE cohort_id = :cohortId ORDER BY position`)
  const selectStudies = db.prepare<{ cohortId: number }>(`
    SELECT studies.id, patient_key, study_key, age_years, sex, site, study_date, date_problems FROM studies JOIN patients ON patients.id = studies.patient_id
    WHERE studies.cohort_id = :cohortId ORDER BY ordinal`).raw()
  const selectAbsent = db.prepare<{ cohortId: number }>(`
    SELECT items.study_id, items.slot_id, items.reason FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND items.is_present = 0`).raw()
  const selectValues = db.prepare<{ labelId: number; value: 0 | 1 }>('SELECT study_id FROM study_labels WHERE label_id = :labelId AND value = :value').raw().pluck()
  const selectRun = db.prepare<{ runId: number }, { cohort_id: number; config_json: string }>('SELECT cohort_id, config_json FROM runs WHERE id = :runId AND removal_began_at IS NULL')
  const selectSets = db.prepare<{ runId: number }>('SELECT id, study_id, fold, split FROM prediction_sets WHERE run_id = :runId AND is_actual = 1').raw()
  const selectPredictions = db.prepare<{ runId: number }>(`
    SELECT predictions.set_id, predictions.label_id, predictions.probability, predictions.threshold
    FROM prediction_sets JOIN predictions ON predictions.set_id = prediction_sets.id WHERE prediction_sets.run_id = :runId AND prediction_sets.is_actual = 1`).raw()
  const selectReviews = db.prepare<{ runId: number }, ReviewRow>('SELECT * FROM reviews WHERE id IN (SELECT max(id) FROM reviews WHERE run_id = :runId GROUP BY study_id)')

  function loadCohort(cohortId: number): CohortColumns {
    const slots = slotsOf(found(selectCohort.get({ cohortId }), 'cohort', cohortId).slots_json)
    const labels = selectLabels.all({ cohortId })
    const studies = selectStudies.all({ cohortId }) as [number, string, string, number | null, Sex | null, string | null, string | null, string][]
    const rowOf = new Map(studies.map((study, i) => [study[0], i]))
    const references = new Int8Array(studies.length * labels.length)
    labels.forEach(({ labelId, isComplete }, l) => {
      // Most labels are known everywhere: then only the ones need to be read.
      if (isComplete === 0) for (let i = 0; i < studies.length; i++) references[i * labels.length + l] = -1
      for (const value of isComplete === 1 ? ([1] as const) : ([0, 1] as const)) {
        for (const studyId of selectValues.all({ labelId, value }) as number[]) references[rowOf.get(studyId)! * labels.length + l] = value
      }
    })
    const importedBits = new Uint8Array(studies.length).fill((1 << slots.length) - 1)
    const reasons = new Map<number, AbsenceReason>()
    const slotAt = new Map(slots.map((slot, s) => [slot.slotId, s]))
    for (const [studyId, slotId, reason] of selectAbsent.all({ cohortId }) as [number, string, AbsenceReason][]) {
      const i = rowOf.get(studyId)!
      const s = slotAt.get(slotId)!
      importedBits[i]! &= ~(1 << s)
      reasons.set(i * slots.length + s, reason)
    }
    const studyIds = Int32Array.from(studies, (study) => study[0])
    const decided = effective.now(cohortId)
    const presentBits = bitsUnder(decided, slots, studyIds, importedBits)
    presentBits.forEach((bits, i) => slots.forEach((_, s) => {
      if (((importedBits[i]! & ~bits) >> s) & 1) reasons.set(i * slots.length + s, 'excluded')
    }))
    return {
      slots, labels: labels.map(({ labelId, name }) => ({ labelId, name })), rowOf, references, presentBits, importedBits, reasons, studyIds,
      isExcluded: Uint8Array.from(studyIds, (studyId) => (decided.isStudyExcluded(studyId) ? 1 : 0)),
      personKeys: studies.map((study) => (decided.personKeyOf(study[1]) === study[1] ? null : decided.personKeyOf(study[1]))),
      patientKeys: studies.map((study) => study[1]),
      studyKeys: studies.map((study) => study[2]),
      ageYears: Float64Array.from(studies, (study) => study[3] ?? Number.NaN),
      sexes: studies.map((study) => study[4]),
      sites: studies.map((study) => study[5]),
      days: Float64Array.from(studies, ([studyId, , , , , , day, problems]) => (day !== null && decided.isDateUsed(studyId, parseProblems(problems)) ? Date.parse(day) / dayMs : Number.NaN)),
      dateProblems: new Map(studies.flatMap((study, i) => (study[7] === '[]' || decided.isDateJudged(study[0]) ? [] : [[i, parseProblems(study[7])] as const]))),
    }
  }

  function loadRun(runId: number): RunColumns {
    const row = found(selectRun.get({ runId }), 'run', runId)
    const config = runConfigSchema.parse(JSON.parse(row.config_json))
    const columns = cohorts.get(row.cohort_id)
    const N = columns.studyIds.length
    const C = config.labelIds.length
    const folds = new Int16Array(N).fill(-1)
    const splits = new Array<Split | null>(N).fill(null)
    const shown = new Map<number, number>()
    const setOf = new Array<number>(N)
    for (const [setId, studyId, fold, split] of selectSets.all({ runId }) as [number, number, number, Split][]) {
      const i = columns.rowOf.get(studyId)!
      if (!isShownBefore(split, fold, splits[i]!, folds[i]!)) continue
      if (splits[i] !== null) shown.delete(setOf[i]!)
      folds[i] = fold
      splits[i] = split
      setOf[i] = setId
      shown.set(setId, i)
    }
    const labelAt = new Map(config.labelIds.map((labelId, c) => [labelId, c]))
    const probabilities = new Float32Array(N * C)
    const thresholds = new Float32Array(N * C)
    for (const [setId, labelId, probability, threshold] of selectPredictions.iterate({ runId }) as Iterable<[number, number, number, number]>) {
      const i = shown.get(setId)
      const c = labelAt.get(labelId)
      if (i === undefined || c === undefined) continue
      probabilities[i * C + c] = probability
      thresholds[i * C + c] = threshold
    }
    return {
      cohortId: row.cohort_id, task: config.task,
      ...judge(config.task, N, C, folds, probabilities, thresholds), folds, splits, probabilities, thresholds,
      presentBits: bitsUnder(effective.ofRun(runId), columns.slots, columns.studyIds, columns.importedBits),
      slotBits: columns.slots.reduce((bits, slot, s) => (config.slotIds.includes(slot.slotId) ? bits | (1 << s) : bits), 0),
      labelPositions: config.labelIds.map((labelId) => columns.labels.findIndex((label) => label.labelId === labelId)),
    }
  }

  const cohorts = createCache(keptCohorts, loadCohort, () => !db.inTransaction)
  const runs = createCache(keptRuns, loadRun, () => !db.inTransaction)
  const loadReviews = (runId: number) => new Map(selectReviews.all({ runId }).map((review) => [review.study_id, rowToReview(review)]))
  const reviews = createCache(keptRuns, loadReviews, () => !db.inTransaction)
  let dataVersion = db.pragma('data_version', { simple: true })

  /** A reader beside a writer must see what the writer has changed since. */
  function dropIfChangedElsewhere(): void {
    const version = db.pragma('data_version', { simple: true })
    if (version === dataVersion) return
    dataVersion = version
    cohorts.clear()
    runs.clear()
    reviews.clear()
  }

  return {
    cohort: (cohortId) => {
      dropIfChangedElsewhere()
      return cohorts.get(cohortId)
    },
    run: (runId) => {
      dropIfChangedElsewhere()
      return runs.get(runId)
    },
    reviews: (runId) => {
      dropIfChangedElsewhere()
      return reviews.get(runId)
    },
    forgetReviews: reviews.forget,
    forgetCohort: (cohortId) => {
      cohorts.forget(cohortId)
      // Which runs hang on the cohort is not known here, and they are quickly read again.
      runs.clear()
      reviews.clear()
    },
    forgetRun: (runId) => {
      runs.forget(runId)
      reviews.forget(runId)
    },
  }
}

const parseProblems = (json: string): DateProblem[] => (json === '[]' ? [] : JSON.parse(json) as DateProblem[])

/** Present slots of each study that the decisions leave; a copy. */
function bitsUnder(decided: EffectiveCohort, slots: readonly Slot[], studyIds: Int32Array, importedBits: Uint8Array): Uint8Array {
  return importedBits.map((bits, i) => slots.reduce((left, { slotId }, s) => (decided.isItemExcluded(studyIds[i]!, slotId) ? left & ~(1 << s) : left), bits))
}

const splitRank = { test: 0, val: 1, train: 2 } as const

/** Test before validation before training, then the lower fold: what the model had not seen speaks first. */
function isShownBefore(split: Split, fold: number, shownSplit: Split | null, shownFold: number): boolean {
  if (shownSplit === null) return true
  return splitRank[split] < splitRank[shownSplit] || (split === shownSplit && fold < shownFold)
}

function judge(task: Task, N: number, C: number, folds: Int16Array, probabilities: Float32Array, thresholds: Float32Array): Pick<RunColumns, 'decisions' | 'confidences' | 'tops'> {
  const decisions = new Uint8Array(N * C)
  const confidences = new Float32Array(N)
  const tops = new Uint16Array(N)
  for (let i = 0; i < N; i++) {
    if (folds[i] === -1) continue
    const own = probabilities.subarray(i * C, (i + 1) * C)
    const limits = thresholds.subarray(i * C, (i + 1) * C)
    decide(task, own, limits).forEach((isPredicted, c) => {
      decisions[i * C + c] = isPredicted ? 1 : 0
    })
    confidences[i] = confidenceOfAll(task, own, limits)
    tops[i] = indexOfLargest(own)
  }
  return { decisions, confidences, tops }
}

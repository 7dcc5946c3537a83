import { confidenceOf } from '../domain/decisions.ts'
import type { Review, StudyFilter, StudyListRow, StudyPrediction } from '../domain/records.ts'
import { patternKey } from '../domain/slots.ts'
import type { CohortColumns, RunColumns } from './study-index.ts'

/** Filter, order and lines of the patient list, over the columns of the study index. Pure functions; `i` is a row of the index. */

/** What a list is made from; `reviews` by study, empty without a run. */
export interface ListColumns {
  cohort: CohortColumns
  run: RunColumns | null
  reviews: ReadonlyMap<number, Review>
}

/** Key of the bits of present slots, the run's only when a run is given. */
function patternOf(cohort: CohortColumns, bits: number): string {
  const { slots } = cohort
  return patternKey(slots, (slotId) => ((bits >> slots.findIndex((slot) => slot.slotId === slotId)) & 1) === 1)
}

function bitsOf(cohort: CohortColumns, run: RunColumns | null, i: number): number {
  return run === null ? cohort.presentBits[i]! : run.presentBits[i]! & run.slotBits
}

/** Wrong calls of row `i` among the run's labels `from`..`to`; labels without a reference are neither right nor wrong. */
function countErrors(cohort: CohortColumns, run: RunColumns, i: number, from: number, to: number, kind: NonNullable<StudyFilter['error']>): number {
  if (run.folds[i] === -1) return 0
  const C = run.labelPositions.length
  const L = cohort.labels.length
  let errors = 0
  for (let c = from; c < to; c++) {
    const reference = cohort.references[i * L + run.labelPositions[c]!]
    const isPredicted = run.decisions[i * C + c] === 1
    if (reference === 0 && isPredicted && kind !== 'false-negative') errors++
    if (reference === 1 && !isPredicted && kind !== 'false-positive') errors++
  }
  return errors
}

/** Position of the chosen label among the run's, -1 when none was chosen. */
function chosenLabel(cohort: CohortColumns, run: RunColumns | null, filter: StudyFilter): number {
  if (run === null || filter.labelId === null) return -1
  return run.labelPositions.findIndex((position) => cohort.labels[position]!.labelId === filter.labelId)
}

const referenceValue = { positive: 1, negative: 0, unknown: -1 } as const

function selectRows({ cohort, run, reviews }: ListColumns, filter: StudyFilter, label: number, within: ReadonlySet<number> | undefined): number[] {
  const search = filter.search.trim().toLowerCase()
  const isMatch = cohort.slots.length === 0 ? [true] : Array.from({ length: 1 << cohort.slots.length }, (_, bits) => filter.pattern === null || patternOf(cohort, bits) === filter.pattern)
  const C = run?.labelPositions.length ?? 0
  const L = cohort.labels.length
  const reference = filter.reference === null ? null : referenceValue[filter.reference]
  const position = cohort.labels.findIndex((item) => item.labelId === filter.labelId)
  const rows: number[] = []
  for (let i = 0; i < cohort.studyIds.length; i++) {
    if (within !== undefined && !within.has(cohort.studyIds[i]!)) continue
    if (!isMatch[bitsOf(cohort, run, i)]) continue
    if (filter.isExcluded !== null && (cohort.isExcluded[i] === 1) !== filter.isExcluded) continue
    if (search !== '' && !cohort.patientKeys[i]!.toLowerCase().includes(search) && !cohort.studyKeys[i]!.toLowerCase().includes(search)) continue
    if (reference !== null && cohort.references[i * L + position] !== reference) continue
    if (run !== null) {
      if (filter.split !== null && run.splits[i] !== filter.split) continue
      if (filter.review !== null && (reviews.get(cohort.studyIds[i]!)?.verdict ?? 'none') !== filter.review) continue
      if (filter.error !== null && countErrors(cohort, run, i, label === -1 ? 0 : label, label === -1 ? C : label + 1, filter.error) === 0) continue
    }
    rows.push(i)
  }
  return rows
}

/** Confidence about the chosen label, or about the whole study without one and where one class alone is called: no threshold decides there. */
function shownConfidence(run: RunColumns, label: number, i: number): number {
  const at = i * run.labelPositions.length + label
  return label === -1 || run.task === 'multi-class' ? run.confidences[i]! : confidenceOf(run.probabilities[at]!, run.thresholds[at]!)
}

/** The value that orders row `i`; NaN = unknown, which stands last in either direction. */
function sortKey(cohort: CohortColumns, run: RunColumns | null, filter: StudyFilter, label: number, i: number): number {
  if (filter.sortBy === 'ageYears') return cohort.ageYears[i]!
  if (filter.sortBy === 'pattern') return bitsOf(cohort, run, i)
  if (run === null || run.folds[i] === -1) return Number.NaN
  const C = run.labelPositions.length
  if (filter.sortBy === 'confidence') return shownConfidence(run, label, i)
  return run.probabilities[i * C + (label === -1 ? run.tops[i]! : label)]!
}

/** How many persons have these rows; merged patients are one. */
export function countPersons({ patientKeys, personKeys }: CohortColumns, rows: readonly number[]): number {
  return new Set(rows.map((i) => personKeys[i] ?? patientKeys[i]!)).size
}

/** Rows of the index that pass the filter and are of the studies in `within`, in the order asked for; equal ones in import order. */
export function orderedRows(columns: ListColumns, filter: StudyFilter, within?: ReadonlySet<number>): number[] {
  const { cohort, run } = columns
  const label = chosenLabel(cohort, run, filter)
  const rows = selectRows(columns, filter, label, within)
  const direction = filter.descending ? -1 : 1
  if (filter.sortBy === 'patientKey') {
    const keys = cohort.patientKeys
    return rows.sort((a, b) => (keys[a]! < keys[b]! ? -direction : keys[a]! > keys[b]! ? direction : a - b))
  }
  const keys = new Float64Array(cohort.studyIds.length)
  for (const i of rows) keys[i] = sortKey(cohort, run, filter, label, i)
  return rows.sort((a, b) => {
    const x = keys[a]!
    const y = keys[b]!
    if (x === y) return a - b
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b
    return (x - y) * direction
  })
}

function predictionOf(cohort: CohortColumns, run: RunColumns, label: number, i: number): StudyPrediction | null {
  if (run.folds[i] === -1) return null
  const C = run.labelPositions.length
  const L = cohort.labels.length
  const own = run.probabilities.subarray(i * C, (i + 1) * C)
  const shown = label === -1 ? run.tops[i]! : label
  const threshold = run.thresholds[i * C + shown]!
  const names: Pick<StudyPrediction, 'predictedLabels' | 'falsePositives' | 'falseNegatives'> = { predictedLabels: [], falsePositives: [], falseNegatives: [] }
  for (let c = 0; c < C; c++) {
    const position = run.labelPositions[c]!
    const { name } = cohort.labels[position]!
    const isPredicted = run.decisions[i * C + c] === 1
    const reference = cohort.references[i * L + position]
    if (isPredicted) names.predictedLabels.push(name)
    if (isPredicted && reference === 0) names.falsePositives.push(name)
    if (!isPredicted && reference === 1) names.falseNegatives.push(name)
  }
  const { labelId, name: labelName } = cohort.labels[run.labelPositions[shown]!]!
  return {
    fold: run.folds[i]!, split: run.splits[i]!, labelId, labelName, probability: own[shown]!, threshold, ...names,
    confidence: shownConfidence(run, label, i),
    wrongLabelCount: names.falsePositives.length + names.falseNegatives.length,
  }
}

/** The lines of the list for some rows of the index. */
export function toListRows({ cohort, run, reviews }: ListColumns, filter: StudyFilter, rows: readonly number[]): StudyListRow[] {
  const label = chosenLabel(cohort, run, filter)
  const S = cohort.slots.length
  const L = cohort.labels.length
  return rows.map((i) => {
    const references = cohort.references.subarray(i * L, (i + 1) * L)
    return {
      studyId: cohort.studyIds[i]!,
      patientKey: cohort.patientKeys[i]!,
      studyKey: cohort.studyKeys[i]!,
      ageYears: Number.isNaN(cohort.ageYears[i]) ? null : cohort.ageYears[i]!,
      sex: cohort.sexes[i]!,
      pattern: patternOf(cohort, bitsOf(cohort, run, i)),
      presence: cohort.slots.map((slot, s) => ({ slotId: slot.slotId, isPresent: ((cohort.presentBits[i]! >> s) & 1) === 1, reason: cohort.reasons.get(i * S + s) ?? null })),
      referenceLabels: cohort.labels.filter((_, l) => references[l] === 1).map(({ name }) => name),
      unknownLabelCount: references.reduce((count, value) => count + (value === -1 ? 1 : 0), 0),
      isExcluded: cohort.isExcluded[i] === 1,
      personKey: cohort.personKeys[i]!,
      prediction: run === null ? null : predictionOf(cohort, run, label, i),
      review: reviews.get(cohort.studyIds[i]!) ?? null,
    }
  })
}

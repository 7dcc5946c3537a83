import type { Factor } from '../../domain/fingerprint.ts'
import type { PatientFact, SlotAbsence } from '../../fingerprint/missingness-tests.ts'
import type { CohortColumns } from '../../store/study-index.ts'

/** The patients of a cohort and the studies of each, excluded studies left out; patients that were merged are one. */
export interface People {
  /** Rows of `columns` that count. */
  rows: number[]
  /** Pseudonym of each patient [P]. */
  keys: string[]
  /** Rows of each patient [P]. */
  rowsOf: number[][]
  /** Pseudonym by row; excluded rows too. */
  keyOfRow: (row: number) => string
}

export function groupPeople(columns: CohortColumns): People {
  const keyOfRow = (row: number): string => columns.personKeys[row] ?? columns.patientKeys[row]!
  const rows = Array.from(columns.studyIds.keys()).filter((row) => columns.isExcluded[row] === 0)
  const byKey = Map.groupBy(rows, keyOfRow)
  return { rows, keys: [...byKey.keys()], rowsOf: [...byKey.values()], keyOfRow }
}

const severalPlaces = 'Several places'
const notStated = 'not stated'

/** Of each patient the first sex and age that any study states; the age is null where none does. */
export function statedOf(columns: CohortColumns, { rowsOf }: People): { sex: string; age: number | null }[] {
  return rowsOf.map((own) => ({
    sex: own.map((row) => columns.sexes[row]!).find((sex) => sex !== null) ?? notStated,
    age: own.map((row) => columns.ageYears[row]!).find((age) => !Number.isNaN(age)) ?? null,
  }))
}

/** What is known of each patient: its labels (positive when any study is), sex, age and place. Facts that nobody has are left out. */
export function factsOf(columns: CohortColumns, { rowsOf }: People): PatientFact[] {
  const L = columns.labels.length
  const firstOf = <T>(values: (row: number) => T | null): (T | null)[] => rowsOf.map((rows) => rows.map(values).find((value) => value !== null) ?? null)
  const labels = columns.labels.map(({ labelId, name }, l): PatientFact => ({
    factor: { kind: 'label', name, labelId },
    values: rowsOf.map((rows) => {
      const values = rows.map((row) => columns.references[row * L + l]!)
      return values.includes(1) ? 'yes' : values.includes(0) ? 'no' : null
    }),
  }))
  const factor = (kind: Factor['kind'], name: string): Factor => ({ kind, name, labelId: null })
  const sites = rowsOf.map((rows) => {
    const names = new Set(rows.flatMap((row) => columns.sites[row] ?? []))
    return names.size === 0 ? null : names.size === 1 ? [...names][0]! : severalPlaces
  })
  const facts: PatientFact[] = [
    ...labels,
    { factor: factor('sex', 'Sex'), values: firstOf((row) => columns.sexes[row]!) },
    { factor: factor('age', 'Age'), values: firstOf((row) => (Number.isNaN(columns.ageYears[row]!) ? null : columns.ageYears[row]!)) },
    { factor: factor('site', 'Place'), values: sites },
  ]
  return facts.filter(({ values }) => values.some((value) => value !== null))
}

/** For each slot the share of every patient's studies that lack it. */
export function absencesOf(columns: CohortColumns, { rowsOf }: People): SlotAbsence[] {
  return columns.slots.map(({ slotId, title }, s) => ({
    slotId, title,
    shares: Float64Array.from(rowsOf, (rows) => rows.filter((row) => ((columns.presentBits[row]! >> s) & 1) === 0).length / rows.length),
  }))
}

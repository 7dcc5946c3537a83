import type { Database } from 'better-sqlite3'
import { AppError } from '../../domain/errors.ts'
import type { StoredPrediction } from '../../domain/records.ts'
import type { ServedBy } from '../../domain/exchange.ts'
import type { Split } from '../../domain/run.ts'
import type { EffectiveCohorts } from '../curation/effective-cohort.ts'

/** Predictions of a run as columns for metrics: row r is one study under one pattern, C labels at `r * C + c`. */
export interface RunPredictions {
  count: number
  labelIds: number[]
  labelNames: string[]
  studyIds: Int32Array
  /** One number for each person, merged as when the run was planned. */
  patientIds: Int32Array
  folds: Uint16Array
  splits: Split[]
  patterns: string[]
  isActual: Uint8Array
  servedBy: (ServedBy | null)[]
  logits: Float32Array
  probabilities: Float32Array
  thresholds: Float32Array
  /** 1, 0 or NaN (unknown). */
  references: Float32Array
}

type StoredSet = StoredPrediction & { studyId: number; patientKey: string; studyKey: string }

interface SetRow {
  id: number
  studyId: number
  patientKey: string
  studyKey: string
  fold: number
  split: Split
  pattern: string
  is_actual: 0 | 1
  served_by: ServedBy | null
}

const splitRank = { test: 0, val: 1, train: 2 } as const

/** Reads predictions back: of one study, of a run as columns, or set by set for an export. */
export function createPredictionReader(db: Database, effective: EffectiveCohorts) {
  const setColumns = `prediction_sets.id AS id, studies.id AS studyId, patients.patient_key AS patientKey, studies.study_key AS studyKey,
    prediction_sets.fold AS fold, prediction_sets.split AS split, patterns.key AS pattern, prediction_sets.is_actual AS is_actual, prediction_sets.served_by AS served_by
    FROM prediction_sets JOIN patterns ON patterns.id = prediction_sets.pattern_id JOIN studies ON studies.id = prediction_sets.study_id
    JOIN patients ON patients.id = studies.patient_id`
  const selectOfStudy = db.prepare<{ runId: number; studyId: number }, SetRow>(`SELECT ${setColumns} WHERE prediction_sets.run_id = :runId AND prediction_sets.study_id = :studyId`)
  const selectSetIds = db.prepare<{ runId: number; onlyActual: 0 | 1 }>(`
    SELECT prediction_sets.id FROM prediction_sets JOIN studies ON studies.id = prediction_sets.study_id
    WHERE prediction_sets.run_id = :runId AND (:onlyActual = 0 OR prediction_sets.is_actual = 1)
    ORDER BY prediction_sets.fold, studies.ordinal, prediction_sets.is_actual DESC, prediction_sets.id`).pluck()
  const selectSet = db.prepare<{ setId: number }, SetRow>(`SELECT ${setColumns} WHERE prediction_sets.id = :setId`)
  const selectLabels = db.prepare<{ setId: number; studyId: number }, StoredPrediction['labels'][number]>(`
    SELECT predictions.label_id AS labelId, labels.name AS labelName, predictions.logit AS logit, predictions.probability AS probability,
      predictions.threshold AS threshold, study_labels.value AS reference
    FROM predictions JOIN labels ON labels.id = predictions.label_id
    LEFT JOIN study_labels ON study_labels.study_id = :studyId AND study_labels.label_id = predictions.label_id WHERE predictions.set_id = :setId`)
  const selectName = db.prepare<{ labelId: number }>('SELECT name FROM labels WHERE id = :labelId').pluck()
  const selectRunSets = db.prepare<{ runId: number; split: Split | null; onlyActual: 0 | 1 }>(`
    SELECT prediction_sets.id, studies.id, studies.patient_id, prediction_sets.fold, prediction_sets.split, patterns.key, prediction_sets.is_actual, prediction_sets.served_by
    FROM prediction_sets JOIN patterns ON patterns.id = prediction_sets.pattern_id JOIN studies ON studies.id = prediction_sets.study_id
    WHERE prediction_sets.run_id = :runId AND (:split IS NULL OR prediction_sets.split = :split) AND (:onlyActual = 0 OR prediction_sets.is_actual = 1)
    ORDER BY prediction_sets.fold, studies.ordinal, prediction_sets.is_actual DESC, prediction_sets.id`).raw()
  const selectRunPredictions = db.prepare<{ runId: number; split: Split | null; onlyActual: 0 | 1 }>(`
    SELECT predictions.set_id, predictions.label_id, predictions.logit, predictions.probability, predictions.threshold
    FROM prediction_sets JOIN predictions ON predictions.set_id = prediction_sets.id
    WHERE prediction_sets.run_id = :runId AND (:split IS NULL OR prediction_sets.split = :split) AND (:onlyActual = 0 OR prediction_sets.is_actual = 1)`).raw()
  const selectReferences = db.prepare<{ labelId: number }>('SELECT study_id, value FROM study_labels WHERE label_id = :labelId').raw()

  function toSet(row: SetRow, labelIds: readonly number[]): StoredSet {
    const labels = selectLabels.all({ setId: row.id, studyId: row.studyId })
    labels.sort((a, b) => labelIds.indexOf(a.labelId) - labelIds.indexOf(b.labelId))
    return { studyId: row.studyId, patientKey: row.patientKey, studyKey: row.studyKey, fold: row.fold, split: row.split, pattern: row.pattern, isActual: row.is_actual === 1, servedBy: row.served_by, labels }
  }

  function forStudy(runId: number, studyId: number, labelIds: readonly number[]): StoredPrediction[] {
    const rows = selectOfStudy.all({ runId, studyId })
    rows.sort((a, b) => b.is_actual - a.is_actual || splitRank[a.split] - splitRank[b.split] || a.fold - b.fold || a.id - b.id)
    return rows.map((row) => {
      const { studyId: _studyId, patientKey: _patientKey, studyKey: _studyKey, ...prediction } = toSet(row, labelIds)
      return prediction
    })
  }

  /** One set at a time: an open cursor would block every write until the export ends. */
  function* sets(runId: number, labelIds: readonly number[], onlyActual: boolean): IterableIterator<StoredSet> {
    const decided = effective.ofRun(runId)
    for (const setId of selectSetIds.all({ runId, onlyActual: onlyActual ? 1 : 0 }) as number[]) {
      const row = selectSet.get({ setId })
      // Half an export that looks whole would be worse than none.
      if (row === undefined) throw new AppError('RUN_WRONG_STATE', `Predictions of run ${runId} were removed during the export.`)
      yield { ...toSet(row, labelIds), patientKey: decided.personKeyOf(row.patientKey) }
    }
  }

  function forRun(runId: number, labelIds: readonly number[], split: Split | null, onlyActual: boolean): RunPredictions {
    const filter = { runId, split, onlyActual: onlyActual ? 1 : 0 } as const
    const rows = selectRunSets.all(filter) as [number, number, number, number, Split, string, 0 | 1, ServedBy | null][]
    const decided = effective.ofRun(runId)
    const N = rows.length
    const C = labelIds.length
    const rowOf = new Map(rows.map((row, r) => [row[0], r]))
    const labelAt = new Map(labelIds.map((labelId, c) => [labelId, c]))
    const columns = { logits: new Float32Array(N * C), probabilities: new Float32Array(N * C), thresholds: new Float32Array(N * C), references: new Float32Array(N * C).fill(Number.NaN) }
    for (const [setId, labelId, logit, probability, threshold] of selectRunPredictions.iterate(filter) as Iterable<[number, number, number, number, number]>) {
      const at = rowOf.get(setId)! * C + labelAt.get(labelId)!
      columns.logits[at] = logit
      columns.probabilities[at] = probability
      columns.thresholds[at] = threshold
    }
    labelIds.forEach((labelId, c) => {
      const values = new Map(selectReferences.all({ labelId }) as [number, 0 | 1][])
      rows.forEach((row, r) => {
        columns.references[r * C + c] = values.get(row[1]) ?? Number.NaN
      })
    })
    return {
      count: N, labelIds: [...labelIds], labelNames: labelIds.map((labelId) => selectName.get({ labelId }) as string), ...columns,
      studyIds: Int32Array.from(rows, (row) => row[1]),
      patientIds: Int32Array.from(rows, (row) => decided.personOf(row[2])),
      folds: Uint16Array.from(rows, (row) => row[3]),
      splits: rows.map((row) => row[4]),
      patterns: rows.map((row) => row[5]),
      isActual: Uint8Array.from(rows, (row) => row[6]),
      servedBy: rows.map((row) => row[7]),
    }
  }

  return { forStudy, sets, forRun }
}

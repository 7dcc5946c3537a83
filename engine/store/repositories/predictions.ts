import { decide } from '../../domain/decisions.ts'
import { AppError } from '../../domain/errors.ts'
import type { StoredPrediction } from '../../domain/records.ts'
import { runConfigSchema, type RunConfig, type Split } from '../../domain/run.ts'
import type { PredictionBlock, ServedBy } from '../../domain/exchange.ts'
import { found, type StoreContext } from '../context.ts'
import { createPredictionReader, type RunPredictions } from './prediction-reader.ts'

interface SetRow {
  run_id: number
  fold: number
  study_id: number
  pattern_id: number
  split: Split
  is_actual: 0 | 1
  served_by: ServedBy | null
}

interface PredictionRow {
  set_id: number
  label_id: number
  logit: number
  probability: number
  threshold: number
}

/**
 * Repeating a forward pass on another device or thread count moves a logit by about 1e-5; other weights move it far more.
 * In between lies the line at which a repeated block counts as the same.
 */
const sameLogitTolerance = 1e-3

/** One label of one prediction as it leaves in an export; the pseudonym is the only name, of merged patients the one that stands for the person. */
export interface PredictionExportRow {
  runId: number
  studyId: number
  patientKey: string
  studyKey: string
  fold: number
  split: Split
  pattern: string
  isActual: boolean
  servedBy: ServedBy | null
  labelName: string
  reference: 0 | 1 | null
  logit: number
  probability: number
  threshold: number
  isPredicted: boolean
}

export interface PredictionRepository {
  addBlock: (runId: number, block: PredictionBlock, labelIds: readonly number[]) => { added: number }
  clearFold: (runId: number, fold: number) => void
  count: (runId: number) => number
  forStudy: (runId: number, studyId: number) => StoredPrediction[]
  forRun: (runId: number, options?: { split?: Split; onlyActual?: boolean }) => RunPredictions
  exportRows: (runId: number, options?: { onlyActual?: boolean }) => IterableIterator<PredictionExportRow>
}

function assertShape(block: PredictionBlock, labelCount: number): void {
  const rows = block.studyIds.length
  const fits = block.patterns.length === rows && block.isActual.length === rows && (block.servedBy === undefined || block.servedBy.length === rows) && block.logits.length === rows * labelCount
    && block.probabilities.length === rows * labelCount && block.thresholds.length === labelCount
  if (!fits) throw new Error(`a block of ${rows} predictions does not fit ${labelCount} labels`)
  if (!block.logits.every(Number.isFinite) || !block.probabilities.every((value) => value >= 0 && value <= 1)) throw new Error('a block holds a prediction that is not a number')
}

/** What a run says of each study under each presence pattern; written once and never changed. */
export function createPredictionRepository({ db, audit, changed, effective }: StoreContext): PredictionRepository {
  const selectRun = db.prepare<{ runId: number }, { cohort_id: number; status: string; config_json: string }>('SELECT cohort_id, status, config_json FROM runs WHERE id = :runId AND removal_began_at IS NULL')
  const selectStudy = db.prepare<{ studyId: number; cohortId: number }, { id: number }>('SELECT id FROM studies WHERE id = :studyId AND cohort_id = :cohortId')
  const selectPattern = db.prepare<{ key: string }, { id: number }>('SELECT id FROM patterns WHERE key = :key')
  const insertPattern = db.prepare<{ key: string }>('INSERT INTO patterns (key) VALUES (:key)')
  const selectSet = db.prepare<Pick<SetRow, 'run_id' | 'fold' | 'study_id' | 'pattern_id'>, SetRow & { id: number }>(`
    SELECT * FROM prediction_sets WHERE run_id = :run_id AND fold = :fold AND study_id = :study_id AND pattern_id = :pattern_id`)
  const insertSet = db.prepare<SetRow>(`INSERT INTO prediction_sets (run_id, fold, study_id, pattern_id, split, is_actual, served_by)
    VALUES (:run_id, :fold, :study_id, :pattern_id, :split, :is_actual, :served_by)`)
  const insertPrediction = db.prepare<PredictionRow>('INSERT INTO predictions (set_id, label_id, logit, probability, threshold) VALUES (:set_id, :label_id, :logit, :probability, :threshold)')
  const selectPredictions = db.prepare<{ setId: number }, PredictionRow>('SELECT * FROM predictions WHERE set_id = :setId')
  const deleteFold = db.prepare<{ runId: number; fold: number }>('DELETE FROM prediction_sets WHERE run_id = :runId AND fold = :fold')
  const countAll = db.prepare<{ runId: number }>('SELECT count(*) FROM prediction_sets JOIN predictions ON predictions.set_id = prediction_sets.id WHERE prediction_sets.run_id = :runId').pluck()
  const reader = createPredictionReader(db, effective)
  const runOf = (runId: number) => found(selectRun.get({ runId }), 'run', runId)
  const configOf = (runId: number): RunConfig => runConfigSchema.parse(JSON.parse(runOf(runId).config_json))

  function patternIdOf(key: string): number {
    return selectPattern.get({ key })?.id ?? Number(insertPattern.run({ key }).lastInsertRowid)
  }

  function assertSame(stored: SetRow & { id: number }, set: SetRow, rows: readonly Omit<PredictionRow, 'set_id'>[]): void {
    const before = new Map(selectPredictions.all({ setId: stored.id }).map((row) => [row.label_id, row]))
    const isSame = stored.split === set.split && stored.is_actual === set.is_actual && before.size === rows.length && rows.every((row) => {
      const old = before.get(row.label_id)
      return old !== undefined && Math.abs(old.logit - row.logit) <= sameLogitTolerance && Math.abs(old.threshold - row.threshold) <= sameLogitTolerance
    })
    if (!isSame) throw new AppError('STORE_PREDICTIONS_DIFFER', `Run ${set.run_id} already has other predictions in fold ${set.fold}.`)
  }

  const addBlock = db.transaction((runId: number, block: PredictionBlock, labelIds: readonly number[]): { added: number } => {
    const run = runOf(runId)
    const config = runConfigSchema.parse(JSON.parse(run.config_json))
    if (labelIds.length !== config.labelIds.length || !labelIds.every((labelId) => config.labelIds.includes(labelId))) throw new Error(`a block of run ${runId} is for other labels than the run's`)
    const C = labelIds.length
    assertShape(block, C)
    const patternIds = new Map(block.patterns.map((key) => [key, 0]))
    for (const key of patternIds.keys()) patternIds.set(key, patternIdOf(key))
    let added = 0
    block.studyIds.forEach((studyId, r) => {
      found(selectStudy.get({ studyId, cohortId: run.cohort_id }), 'study of this cohort', studyId)
      const set: SetRow = { run_id: runId, fold: block.fold, study_id: studyId, pattern_id: patternIds.get(block.patterns[r]!)!, split: block.split, is_actual: block.isActual[r]! ? 1 : 0, served_by: block.servedBy?.[r] ?? null }
      const rows = labelIds.map((labelId, c) => ({ label_id: labelId, logit: block.logits[r * C + c]!, probability: block.probabilities[r * C + c]!, threshold: block.thresholds[c]! }))
      const stored = selectSet.get(set)
      if (stored !== undefined) {
        assertSame(stored, set, rows)
        return
      }
      const setId = Number(insertSet.run(set).lastInsertRowid)
      for (const row of rows) insertPrediction.run({ set_id: setId, ...row })
      added += rows.length
    })
    changed.run(runId)
    return { added }
  })

  const clearFold = db.transaction((runId: number, fold: number): void => {
    if (runOf(runId).status === 'finished') throw new AppError('RUN_WRONG_STATE', `Run ${runId} is finished; its predictions are kept.`)
    const { changes } = deleteFold.run({ runId, fold })
    if (changes > 0) audit('predictions.cleared', { runId, fold, sets: changes })
    changed.run(runId)
  })

  function* exportRows(runId: number, onlyActual: boolean): IterableIterator<PredictionExportRow> {
    const config = configOf(runId)
    for (const set of reader.sets(runId, config.labelIds, onlyActual)) {
      const decisions = decide(config.task, set.labels.map((label) => label.probability), set.labels.map((label) => label.threshold))
      for (const [c, label] of set.labels.entries()) {
        yield {
          runId, studyId: set.studyId, patientKey: set.patientKey, studyKey: set.studyKey, fold: set.fold, split: set.split, pattern: set.pattern, isActual: set.isActual, servedBy: set.servedBy ?? null,
          labelName: label.labelName, reference: label.reference, logit: label.logit, probability: label.probability, threshold: label.threshold, isPredicted: decisions[c]!,
        }
      }
    }
  }

  return {
    addBlock: (runId, block, labelIds) => addBlock.immediate(runId, block, labelIds),
    clearFold: (runId, fold) => clearFold.immediate(runId, fold),
    count: (runId) => {
      runOf(runId)
      return countAll.get({ runId }) as number
    },
    forStudy: (runId, studyId) => reader.forStudy(runId, studyId, configOf(runId).labelIds),
    forRun: (runId, options = {}) => reader.forRun(runId, configOf(runId).labelIds, options.split ?? null, options.onlyActual ?? false),
    exportRows: (runId, options = {}) => exportRows(runId, options.onlyActual ?? false),
  }
}

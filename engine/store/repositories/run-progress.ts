import type { Epoch } from '../../domain/run.ts'
import type { CheckpointInfo } from '../../domain/exchange.ts'
import { found, type StoreContext } from '../context.ts'

interface EpochRow {
  run_id: number
  fold: number
  epoch: number
  train_loss: number
  val_loss: number | null
  val_macro_auroc: number | null
  learning_rate: number
  elapsed_ms: number
  is_best: 0 | 1
  recorded_at: string
}

function rowToEpoch(row: EpochRow): Epoch {
  return {
    fold: row.fold, epoch: row.epoch, trainLoss: row.train_loss, valLoss: row.val_loss, valMacroAuroc: row.val_macro_auroc,
    learningRate: row.learning_rate, elapsedMs: row.elapsed_ms, isBest: row.is_best === 1,
  }
}

function epochToRow(runId: number, epoch: Epoch, recordedAt: string): EpochRow {
  return {
    run_id: runId, fold: epoch.fold, epoch: epoch.epoch, train_loss: epoch.trainLoss, val_loss: epoch.valLoss, val_macro_auroc: epoch.valMacroAuroc,
    learning_rate: epoch.learningRate, elapsed_ms: epoch.elapsedMs, is_best: epoch.isBest ? 1 : 0, recorded_at: recordedAt,
  }
}

export interface RunProgressRepository {
  addEpoch: (runId: number, epoch: Epoch) => void
  epochs: (runId: number) => Epoch[]
  addCheckpoint: (runId: number, checkpoint: CheckpointInfo) => void
  checkpoints: (runId: number) => CheckpointInfo[]
}

/** Epochs and checkpoints of a run. */
export function createRunProgress({ db, now }: Pick<StoreContext, 'db' | 'now'>): RunProgressRepository {
  const selectRun = db.prepare<{ runId: number }, { id: number }>('SELECT id FROM runs WHERE id = :runId AND removal_began_at IS NULL')
  // The only upsert of measured numbers: an epoch cut off by a stop is trained again after the resume.
  const upsertEpoch = db.prepare<EpochRow>(`
    INSERT INTO epochs (run_id, fold, epoch, train_loss, val_loss, val_macro_auroc, learning_rate, elapsed_ms, is_best, recorded_at)
    VALUES (:run_id, :fold, :epoch, :train_loss, :val_loss, :val_macro_auroc, :learning_rate, :elapsed_ms, :is_best, :recorded_at)
    ON CONFLICT (run_id, fold, epoch) DO UPDATE SET train_loss = excluded.train_loss, val_loss = excluded.val_loss, val_macro_auroc = excluded.val_macro_auroc,
      learning_rate = excluded.learning_rate, elapsed_ms = excluded.elapsed_ms, is_best = excluded.is_best, recorded_at = excluded.recorded_at`)
  const selectEpochs = db.prepare<{ runId: number }, EpochRow>('SELECT * FROM epochs WHERE run_id = :runId ORDER BY fold, epoch')
  const insertCheckpoint = db.prepare<CheckpointInfo & { runId: number; createdAt: string }>(`
    INSERT INTO checkpoints (run_id, fold, kind, epoch, path, sha256, created_at) VALUES (:runId, :fold, :kind, :epoch, :path, :sha256, :createdAt)`)
  const selectCheckpoints = db.prepare<{ runId: number }, CheckpointInfo>(`
    SELECT fold, kind, epoch, path, sha256 FROM checkpoints
    WHERE id IN (SELECT max(id) FROM checkpoints WHERE run_id = :runId GROUP BY fold, kind) ORDER BY fold, kind`)
  const check = (runId: number) => found(selectRun.get({ runId }), 'run', runId).id
  return {
    addEpoch: (runId, epoch) => void upsertEpoch.run(epochToRow(check(runId), epoch, now())),
    epochs: (runId) => selectEpochs.all({ runId: check(runId) }).map(rowToEpoch),
    addCheckpoint: (runId, checkpoint) => void insertCheckpoint.run({ ...checkpoint, runId: check(runId), createdAt: now() }),
    checkpoints: (runId) => selectCheckpoints.all({ runId: check(runId) }),
  }
}

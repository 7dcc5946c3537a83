import { createMemoryGuard, isOutOfMemory, piecesOf } from '../compute/out-of-memory.ts'
import type { Tf } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import type { TrainingBatch, TrainingModel } from './training-model.ts'

export interface MemoryRecoveryOptions {
  tf: Tf
  /** Samples computed at once from the start, where it is known beforehand that a whole batch does not fit. */
  initialLimit?: number
  /** Told how many samples are computed at once from now on. */
  onReduced: (limit: number) => void
}

/**
 * The same training model, which answers an out-of-memory error by computing a batch in smaller pieces instead of failing. A step then
 * accumulates the gradients of its pieces and updates once: the same update, up to rounding, as from the whole batch.
 */
export function withMemoryRecovery(model: TrainingModel, options: MemoryRecoveryOptions): TrainingModel {
  const guard = createMemoryGuard(options.tf, options.initialLimit ?? Infinity, options.onReduced)
  const predict: TrainingModel['predict'] = (entries, batchSize = 16) =>
    entries.length === 0 ? model.predict(entries, batchSize) : guard.attempt(Math.min(batchSize, entries.length), (size) => model.predict(entries, size))
  return {
    ...model,
    step: (batch, rate) => guard.attempt(batch.entries.length, (size) => (size >= batch.entries.length
      ? model.step(batch, rate)
      : model.stepAccumulated(piecesOf(batch.entries.length, size).map(({ from, to }) => cut(batch, from, to)), rate))),
    evaluateLoss: (batch) => model.lossOf(predict(batch.entries, batch.entries.length), batch.labels, batch.known),
    predict,
  }
}

/** What the run says of it; epochs and folds count from 1 for the reader. */
export function memoryNote(limit: number, fold: number, folds: number, epochsDone: number): string {
  const where = folds > 1 ? `epoch ${epochsDone + 1} of fold ${fold + 1}` : `epoch ${epochsDone + 1}`
  return `Micro-batches of ${limit} after out-of-memory in ${where}; gradients are accumulated, so the batch size of the run still holds.`
}

/** Samples `from` to `to` of a batch. */
function cut(batch: TrainingBatch, from: number, to: number): TrainingBatch {
  const width = batch.labels.length / batch.entries.length
  return {
    entries: batch.entries.slice(from, to),
    labels: batch.labels.subarray(from * width, to * width),
    known: batch.known?.subarray(from * width, to * width) ?? null,
  }
}

/**
 * Runs the update itself, which a smaller batch cannot help: its tensors are as large as the trained ones, whatever the batch. A failure
 * half-way would leave some tensors updated, so the step must not be tried again; the run goes on from its last saved epoch instead.
 */
export function updateOrGiveUp(update: () => void): void {
  try {
    update()
  } catch (error) {
    if (!isOutOfMemory(error)) throw error
    throw new AppError('COMPUTE_OUT_OF_MEMORY', 'The device has too little memory to update the trained tensors.', { cause: error })
  }
}

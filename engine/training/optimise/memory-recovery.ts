import type { NetworkLoad } from '../../adapters/network.ts'
import type { Compute } from '../../compute/backend.ts'
import { freeDeviceBytes } from '../../compute/device/facts.ts'
import { bytesPerSample } from '../../compute/memory.ts'
import type { Keeping } from '../../compute/kernels.ts'
import { createMemoryGuard, isOutOfMemory, piecesOf } from '../../compute/out-of-memory.ts'
import type { Tf } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'
import type { TrainingBatch, TrainingModel } from './training-model.ts'

export interface MemoryRecoveryOptions {
  tf: Tf
  /** What a step may take, where that is known; the system may end a process that takes too much instead of refusing it memory. */
  budget?: MemoryBudget | null
  /** Told how many samples are computed at once from now on, and whether that was foreseen or follows a failure. */
  onReduced: (limit: number, cause: Reduction) => void
}

export interface MemoryBudget {
  bytes: number
  /** Bytes that a sample of this many tokens takes in a training step, frozen blocks keeping this much. */
  perSample: (tokens: number, keeping?: Keeping) => number
}

/** 'keeps-less': the batch stays whole, but frozen blocks keep their input alone and compute the rest again. */
type Reduction = 'foreseen' | 'out-of-memory' | 'keeps-less'

/** Share of the free memory that a step may take; the rest is for what else grows meanwhile, and for the error of the estimate. */
const budgetShare = 0.6

/** What a training step may take of a backend's free memory now; null where the device does not tell. `load` is the network's. */
export function memoryBudget(backend: Compute['kind'], backbone: { width: number; heads: number; blocks: { length: number } }, load?: NetworkLoad): MemoryBudget | null {
  const free = freeDeviceBytes(backend)
  if (free === null) return null
  const size = { width: backbone.width, heads: backbone.heads, blocks: backbone.blocks.length }
  const inside = load === undefined ? {} : { trainsInside: load.trainsInside, wholeBlocks: load.wholeBlocks, keptFactor: load.keptFactor }
  // Blocks with trained parts keep full precision whatever a run sets, so nothing can be saved there; what stands between them keeps no more.
  const least: Keeping | undefined = load !== undefined && load.wholeBlocks > 0 ? 'full' : undefined
  return { bytes: budgetShare * free, perSample: (tokens, keeping = least) => bytesPerSample({ ...size, ...inside }, tokens, keeping) }
}

/**
 * The same training model, which answers an out-of-memory error by computing a batch in smaller pieces instead of failing. A step then
 * accumulates the gradients of its pieces and updates once: the same update, up to rounding, as from the whole batch.
 */
export function withMemoryRecovery(model: TrainingModel, options: MemoryRecoveryOptions): TrainingModel {
  const guard = createMemoryGuard(options.tf, (limit) => options.onReduced(limit, 'out-of-memory'))
  let leastForeseen = Infinity
  /** How many samples of a batch fit by estimate; the longest decides, because all are padded to it. */
  const fitting = (batch: TrainingBatch): number => {
    if (!options.budget) return Infinity
    const longest = batch.entries.reduce((most, { tokens }) => Math.max(most, tokens), 1)
    const { bytes, perSample } = options.budget
    const fit = (keeping: Keeping | undefined): number => Math.max(1, Math.floor(bytes / perSample(longest, keeping)))
    const set = model.keeping()
    const keeping = set === 'automatic' ? 'half' : set
    let chosen = keeping
    // Computing values again costs up to a third of the time (BENCHMARKS.md); more and smaller pieces would read all weights again.
    for (const less of keeping === undefined ? [] : ['mixed', 'input'] as const) {
      if (fit(chosen) < batch.entries.length && fit(less) > fit(chosen)) chosen = less
    }
    const most = fit(chosen)
    if (chosen !== undefined && chosen !== keeping) {
      model.setKeeping(chosen)
      options.onReduced(Math.min(most, batch.entries.length), 'keeps-less')
    }
    if (most < batch.entries.length && most < leastForeseen) {
      leastForeseen = most
      options.onReduced(most, 'foreseen')
    }
    return most
  }
  const predict: TrainingModel['predict'] = (entries, batchSize = 16) =>
    entries.length === 0 ? model.predict(entries, batchSize) : guard.attempt(Math.min(batchSize, entries.length), (size) => model.predict(entries, size))
  return {
    ...model,
    step: (batch, rate) => guard.attempt(batch.entries.length, (size) => (size >= batch.entries.length
      ? model.step(batch, rate)
      : model.stepAccumulated(piecesOf(batch.entries.length, size).map(({ from, to }) => cut(batch, from, to)), rate)), fitting(batch)),
    evaluateLoss: (batch) => model.lossOf(predict(batch.entries, batch.entries.length), batch.labels, batch.known),
    predict,
  }
}

/** What the run says of it; epochs and folds count from 1 for the reader. */
export function memoryNote(limit: number, cause: Reduction, fold: number, folds: number, epochsDone: number): string {
  const where = folds > 1 ? `epoch ${epochsDone + 1} of fold ${fold + 1}` : `epoch ${epochsDone + 1}`
  if (cause === 'keeps-less') return `Frozen blocks, or most of them, keep only their input from ${where} on and compute the rest again, because more would not fit into the free memory.`
  const why = cause === 'foreseen' ? `from ${where} on, because more would not fit into the free memory` : `after out-of-memory in ${where}`
  return `Micro-batches of ${limit} ${why}; gradients are accumulated, so the batch size of the run still holds.`
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

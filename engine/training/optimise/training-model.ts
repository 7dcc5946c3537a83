/**
 * The training step as one object over any network: batches of prefix entries in, loss out, trained tensors updated.
 * It knows nothing of epochs, files or patients; train-run.ts builds those on top.
 */
import type { Phase } from '../../adapters/method.ts'
import type { Network, PrefixEntry } from '../../adapters/network.ts'
import type { Compute } from '../../compute/backend.ts'
import type { Keeping } from '../../compute/kernels.ts'
import type { Gradients, HostValues } from '../../compute/parameters.ts'
import { type Tensor2D, disposeAll, takeFloats } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'
import { binaryCrossEntropy, crossEntropy } from './losses.ts'
import { splitByLength } from './batches.ts'
import { updateOrGiveUp } from './memory-recovery.ts'
import { type AdamWConfig, type OptimizerState, createAdamW } from './optimizer.ts'

export type Task = 'multi-label' | 'multi-class'

export interface TrainingBatch {
  entries: readonly PrefixEntry[]
  /** [B, C] row-major, 0 or 1 (one-hot for multi-class). */
  labels: Float32Array
  /** [B, C] row-major, 1 where the label is known; null when all are. */
  known: Uint8Array | null
}

export interface TrainingModelOptions {
  compute: Compute
  network: Network
  labelsCount: number
  task: Task
  optimizer: AdamWConfig
  /** [C]: positive weights (multi-label) or class weights (multi-class); null for none. */
  labelWeights: Float32Array | null
}

export interface TrainingModel {
  /** Forward, backward and one AdamW update at this learning rate, samples of like length together (batches.ts); returns the loss. Throws TRAINING_DIVERGED when it is not finite. */
  step(batch: TrainingBatch, rate: number): number
  /** The same update from several micro-batches: equal, up to rounding, to one step over all of them together. */
  stepAccumulated(batches: readonly TrainingBatch[], rate: number): number
  /** What frozen blocks keep between the passes of a step ('automatic': by the size of each batch); undefined where the fused kernels do not compute them. */
  keeping(): Keeping | 'automatic' | undefined
  /** Trades time for memory until the model is disposed; no effect where `keeping` is undefined. */
  setKeeping(keeping: Keeping): void
  /** Loss without an update, for validation. */
  evaluateLoss(batch: TrainingBatch): number
  /** Loss of logits that are on the host already; logits, labels, known as in a batch. */
  lossOf(logits: Float32Array, labels: Float32Array, known: Uint8Array | null): number
  /** Goes on to a phase of training: its tensors alone are trained from now on, with a fresh optimiser. Null: all tensors. */
  beginPhase(phase: Phase | null): void
  /** Loss and gradients without an update; the caller frees the gradients. */
  gradients(batch: TrainingBatch): { loss: number; gradients: Gradients; logits: Float32Array }
  /** Logits [n, C] row-major, computed `batchSize` samples at a time; samples of like length are batched together. */
  predict(entries: readonly PrefixEntry[], batchSize?: number): Float32Array<ArrayBuffer>
  /** Counts what the method takes from the training samples of the fold (means, say); nothing for most methods. */
  fitStatistics(entries: readonly PrefixEntry[]): void
  /** Trained tensors and statistics. */
  exportTrained(): Record<string, HostValues>
  importTrained(values: Record<string, HostValues>): void
  exportOptimizer(): OptimizerState
  importOptimizer(state: OptimizerState): void
  readonly trainedParameterCount: number
  /** Frozen and trained together. */
  readonly totalParameterCount: number
  /** Frees trained tensors and optimiser state; the backbone stays open. */
  dispose(): void
}

const RELEASE_FROM_PARAMETERS = 5e6

export function createTrainingModel(options: TrainingModelOptions): TrainingModel {
  const { compute, network, labelsCount: C } = options
  const { tf } = compute
  let optimizer = createAdamW(compute, network.parameters, options.optimizer)
  const lossOf = options.task === 'multi-label' ? binaryCrossEntropy : crossEntropy
  const trainedParameterCount = network.parameters.count()

  const gradients: TrainingModel['gradients'] = (batch) => {
    const pass = network.forward(batch.entries, true)
    const logits = takeFloats(pass.logits)
    const { loss, gradient } = lossOf(logits, batch.labels, batch.known, options.labelWeights, C)
    if (!Number.isFinite(loss)) throw new AppError('TRAINING_DIVERGED', 'The training loss is no longer a finite number.')
    const dLogits: Tensor2D = tf.tensor2d(gradient, [batch.entries.length, C])
    const result = pass.backward!(dLogits)
    dLogits.dispose()
    return { loss, gradients: result, logits }
  }

  const update = (of: Gradients, rate: number): void => {
    // What a graphics device reports late must be known before any trained tensor is replaced.
    compute.settle()
    updateOrGiveUp(() => optimizer.apply(of, rate))
  }

  /** How many known entries (or weighted samples) a batch's mean runs over. */
  const countOf = (batch: TrainingBatch): number =>
    lossOf(new Float32Array(batch.labels.length), batch.labels, batch.known, options.labelWeights, C).count

  const keepingAtStart = compute.keeping
  const isFused = compute.kernels.blocks !== undefined && network.load?.trainsInside !== true
  let isFirstStep = true
  /**
   * What loading weights and inputs left behind is given back before the long part; small networks leave nothing that matters. One sample
   * goes both ways before that, for nothing: the libraries' code that only a first pass reads is then given back too.
   */
  const releaseOnce = ({ entries }: TrainingBatch): void => {
    const { releaseMemory } = compute.kernels
    if (isFirstStep && releaseMemory !== undefined && network.frozenParameterCount > RELEASE_FROM_PARAMETERS) {
      releaseMemory()
      const pass = network.forward(entries.slice(0, 1), true)
      const nothing: Tensor2D = tf.zeros([1, C])
      for (const gradient of pass.backward!(nothing).values()) gradient.dispose()
      disposeAll(nothing, pass.logits)
      releaseMemory()
    }
    isFirstStep = false
  }

  const stepAccumulated: TrainingModel['stepAccumulated'] = (batches, rate) => {
    const counts = batches.map(countOf)
    const total = counts.reduce((a, b) => a + b, 0)
    const sum: Gradients = new Map()
    let loss = 0
    batches.forEach((batch, i) => {
      const share = total === 0 ? 0 : counts[i]! / total
      const part = gradients(batch)
      loss += part.loss * share
      for (const [name, gradient] of part.gradients) {
        const previous = sum.get(name)
        sum.set(name, tf.tidy(() => previous === undefined ? gradient.mul(share) : previous.add(gradient.mul(share))))
        previous?.dispose()
        gradient.dispose()
      }
    })
    update(sum, rate)
    return loss
  }

  return {
    trainedParameterCount,
    totalParameterCount: network.frozenParameterCount + trainedParameterCount,
    gradients,
    keeping: () => (isFused ? compute.keeping ?? 'automatic' : undefined),
    setKeeping: (keeping) => {
      if (isFused) compute.keeping = keeping
    },
    step: (batch, rate) => {
      releaseOnce(batch)
      const pieces = splitByLength(batch)
      if (pieces.length > 1) return stepAccumulated(pieces, rate)
      const result = gradients(batch)
      update(result.gradients, rate)
      return result.loss
    },
    stepAccumulated,
    evaluateLoss: (batch) => {
      const logits = takeFloats(network.forward(batch.entries, false).logits)
      return lossOf(logits, batch.labels, batch.known, options.labelWeights, C).loss
    },
    lossOf: (logits, labels, known) => lossOf(logits, labels, known, options.labelWeights, C).loss,
    beginPhase: (phase) => {
      if (network.beginPhase === undefined && phase !== null) throw new Error(`the method has one phase, not "${phase.name}"`)
      network.beginPhase?.(phase)
      optimizer.dispose()
      optimizer = createAdamW(compute, network.parameters, options.optimizer)
    },
    predict: (entries, batchSize = 16) => {
      const result = new Float32Array(entries.length * C)
      // One pattern together, so that trained parts can be folded into weights, then like lengths: padding costs as much as tokens do. The order of results is the caller's.
      const order = entries.map((_, i) => i).sort((a, b) => entries[a]!.presence - entries[b]!.presence || entries[a]!.tokens - entries[b]!.tokens || a - b)
      for (let start = 0; start < order.length; start += batchSize) {
        const indices = order.slice(start, start + batchSize)
        const logits = takeFloats(network.forward(indices.map((i) => entries[i]!), false).logits)
        indices.forEach((i, row) => result.set(logits.subarray(row * C, (row + 1) * C), i * C))
      }
      return result
    },
    fitStatistics: (entries) => network.statistics?.fit(entries),
    exportTrained: () => ({ ...network.parameters.exportValues(), ...network.statistics?.exportValues() }),
    importTrained: (values) => {
      const isStatistic = ([name]: [string, HostValues]): boolean => name.startsWith('statistics.')
      network.parameters.importValues(Object.fromEntries(Object.entries(values).filter((entry) => !isStatistic(entry))))
      network.statistics?.importValues(Object.fromEntries(Object.entries(values).filter(isStatistic)))
    },
    exportOptimizer: () => optimizer.exportState(),
    importOptimizer: (state) => optimizer.importState(state),
    dispose: () => {
      optimizer.dispose()
      network.dispose()
      if (keepingAtStart === undefined) delete compute.keeping
      else compute.keeping = keepingAtStart
    },
  }
}

import type { PrefixEntry } from '../../adapters/network.ts'
import type { Epoch, RunConfig, Split } from '../../domain/run.ts'
import { summarisePredictions } from '../../evaluation/summarise.ts'
import type { TrainingStudy } from '../../domain/exchange.ts'
import type { JobContext } from '../../protocol.ts'
import { classWeights, positiveWeights } from '../optimise/losses.ts'
import { probabilitiesOf } from '../predict/probabilities.ts'
import type { FoldProgress } from './resume-state.ts'
import { createRng } from '../rng.ts'
import { learningRateAt } from '../optimise/schedule.ts'
import type { TrainingBatch, TrainingModel } from '../optimise/training-model.ts'

/** What one phase of a fold trains on: studies by index into the run's list, and their frozen prefixes. */
export interface PhaseMaterial {
  fold: number
  /** Which phase this is, how many epochs it has at most, and how many epochs of the fold came before it. */
  phase: { index: number; epochs: number; epochsBefore: number; hasDropout: boolean }
  config: RunConfig
  studies: readonly TrainingStudy[]
  train: readonly number[]
  val: readonly number[]
  /** The pattern a study is shown under in this phase, on the side it stands on. */
  patternOf: (studyIndex: number) => string
  /** What modality dropout may show instead; empty where nothing can go. */
  reductionsOf: (studyIndex: number) => readonly string[]
  prefixOf: (studyIndex: number, pattern: string) => PrefixEntry
  /** Whether anybody answers for a pattern as the model stands; a validation study that nobody answers for does not count. */
  isServed: (pattern: string) => boolean
}

/** One study as an epoch shows it. */
interface ShownStudy {
  index: number
  pattern: string
}

/** A phase with fewer training studies than this would only learn them by heart: it is skipped and named in the notes. */
export const minimumPhaseStudies = 3

/** Batches whose samples are sorted by length together: less padding, still random company. */
const batchesPerBucket = 4

/** The epochs that are over, as the loop continues them. */
export type EpochProgress = Pick<FoldProgress, 'epochsDone' | 'bestMetric' | 'bestLoss' | 'bestEpoch' | 'epochsWithoutBetter'>

export interface FoldHooks {
  context: JobContext
  /** Called after every epoch, before the next one starts; saves the state. */
  onEpoch: (epoch: Epoch, progress: EpochProgress, validation: Validation) => Promise<void>
  /** Steps done and expected over the whole run, for the time left. */
  onStep: (loss: number, epoch: number, step: number) => void
}

/** The class weights of a fold, from its training studies only; null when the run asks for none. */
export function labelWeightsOf(config: RunConfig, studies: readonly TrainingStudy[], train: readonly number[]): Float32Array | null {
  if (config.classWeighting === 'none') return null
  const batch = labelsOf(studies, train, config.labelIds.length)
  const weigh = config.task === 'multi-label' ? positiveWeights : classWeights
  return weigh(batch.labels, batch.known, config.labelIds.length)
}

/**
 * Trains one phase of a fold from where `start` says until its last epoch, early stopping or a stop request.
 * What an epoch shows, and in which order, depends on seed, fold, phase and epoch alone, so a resumed run draws what an unbroken one would.
 *
 * @returns whether the training of the phase is over (false: stopped by the user)
 */
export async function trainPhase(model: TrainingModel, material: PhaseMaterial, start: EpochProgress, hooks: FoldHooks): Promise<boolean> {
  const { config, train, fold, phase } = material
  const stepsPerEpoch = Math.ceil(train.length / config.batchSize)
  const totalSteps = stepsPerEpoch * phase.epochs
  const warmUpSteps = Math.round(config.warmUpShare * totalSteps)
  let progress = start
  for (let epoch = start.epochsDone; epoch < phase.epochs; epoch++) {
    if (hasStoppedEarly(config, progress)) return true
    if (hooks.context.shouldStop() && phase.epochsBefore + epoch > 0) return false
    const startedMs = performance.now()
    const batches = batchesOfEpoch(material, epoch)
    let lossSum = 0
    let learningRate = 0
    for (const [step, shown] of batches.entries()) {
      learningRate = learningRateAt(epoch * stepsPerEpoch + step, totalSteps, config.learningRate, warmUpSteps)
      const loss = model.step(batchOf(material, shown), learningRate)
      lossSum += loss * shown.length
      hooks.onStep(loss, phase.epochsBefore + epoch, epoch * stepsPerEpoch + step)
      // Lets cancel, stop and the sign of life through between steps.
      await new Promise<void>((resolve) => setImmediate(resolve))
      hooks.context.signal.throwIfAborted()
    }
    const validation = validate(model, material)
    const isBest = isBetter(validation, progress)
    progress = {
      epochsDone: epoch + 1,
      bestMetric: isBest ? validation.macroAuroc : progress.bestMetric,
      bestLoss: isBest ? validation.loss : progress.bestLoss,
      bestEpoch: isBest ? phase.epochsBefore + epoch : progress.bestEpoch,
      epochsWithoutBetter: isBest ? 0 : progress.epochsWithoutBetter + 1,
    }
    await hooks.onEpoch({
      fold, epoch: phase.epochsBefore + epoch, isBest, learningRate,
      trainLoss: lossSum / train.length, valLoss: validation.loss, valMacroAuroc: validation.macroAuroc,
      elapsedMs: performance.now() - startedMs,
    }, progress, validation)
  }
  return true
}

function hasStoppedEarly(config: RunConfig, progress: EpochProgress): boolean {
  return config.patience > 0 && progress.epochsWithoutBetter >= config.patience
}

export interface Validation {
  /** The validation studies that were predicted. */
  studies: readonly number[]
  /** Null when no study of the phase validates: then the last epoch counts as the best. */
  loss: number | null
  macroAuroc: number | null
  /** [studies, C] row-major. */
  probabilities: Float32Array
}

/** A better epoch has a higher validation macro-AUROC; equal ones, or where it is not estimable, a lower validation loss. */
function isBetter(validation: Validation, progress: EpochProgress): boolean {
  if (progress.bestLoss === null || validation.loss === null) return true
  if (validation.macroAuroc !== null && progress.bestMetric !== null && validation.macroAuroc !== progress.bestMetric) return validation.macroAuroc > progress.bestMetric
  return validation.loss < progress.bestLoss
}

function validate(model: TrainingModel, material: PhaseMaterial): Validation {
  const { config, studies } = material
  const val = material.val.filter((index) => material.isServed(material.patternOf(index)))
  const width = config.labelIds.length
  if (val.length === 0) return { studies: val, loss: null, macroAuroc: null, probabilities: new Float32Array() }
  const logits = model.predict(val.map((index) => material.prefixOf(index, material.patternOf(index))), config.batchSize)
  const { labels, known } = labelsOf(studies, val, width)
  const probabilities = probabilitiesOf(config.task, logits, width)
  const summary = summarisePredictions(val.map((studyIndex, row) => ({
    patientId: studies[studyIndex]!.patientId,
    probabilities: probabilities.subarray(row * width, (row + 1) * width),
    thresholds: new Float32Array(width).fill(0.5),
    reference: studies[studyIndex]!.labels,
  })), config.labelIds.map((labelId) => ({ labelId, labelName: '' })), config.task)
  return { studies: val, loss: model.lossOf(logits, labels, known), macroAuroc: summary.macroAuroc.value, probabilities }
}

function batchOf(material: PhaseMaterial, shown: readonly ShownStudy[]): TrainingBatch {
  return {
    entries: shown.map((study) => material.prefixOf(study.index, study.pattern)),
    ...labelsOf(material.studies, shown.map((study) => study.index), material.config.labelIds.length),
  }
}

/** The batches of one epoch: seeded order, seeded modality dropout, samples of like length together, batches in random order. */
function batchesOfEpoch(material: PhaseMaterial, epoch: number): ShownStudy[][] {
  const { config, train, fold, phase } = material
  const rng = createRng(config.seed).fork(phase.index === 0 ? `order-${fold}-${epoch}` : `order-${fold}-${phase.index}-${epoch}`)
  const shown = rng.shuffle(train).map((index): ShownStudy => {
    const reductions = material.reductionsOf(index)
    // Drawn for every study, droppable or not, so that one study's gaps do not change what its neighbours lose.
    const [isDropped, which] = [rng.uniform() < config.modalityDropout, rng.uniform()]
    const isReduced = phase.hasDropout && isDropped && reductions.length > 0
    return { index, pattern: isReduced ? reductions[Math.floor(which * reductions.length)]! : material.patternOf(index) }
  })
  const bucketSize = config.batchSize * batchesPerBucket
  const batches: ShownStudy[][] = []
  for (let start = 0; start < shown.length; start += bucketSize) {
    const bucket = shown.slice(start, start + bucketSize)
    const tokensOf = new Map(bucket.map((study) => [study, material.prefixOf(study.index, study.pattern).tokens]))
    bucket.sort((a, b) => tokensOf.get(a)! - tokensOf.get(b)!)
    for (let from = 0; from < bucket.length; from += config.batchSize) batches.push(bucket.slice(from, from + config.batchSize))
  }
  return rng.shuffle(batches)
}

/** Labels [B, C] with unknown ones (NaN) as 0 and marked in `known`. */
function labelsOf(studies: readonly TrainingStudy[], indices: readonly number[], width: number): Pick<TrainingBatch, 'labels' | 'known'> & { labels: Float32Array } {
  const labels = new Float32Array(indices.length * width)
  const known = new Uint8Array(indices.length * width)
  indices.forEach((studyIndex, row) => {
    studies[studyIndex]!.labels.forEach((value, column) => {
      if (Number.isNaN(value)) return
      labels[row * width + column] = value
      known[row * width + column] = 1
    })
  })
  return { labels, known: known.includes(0) ? known : null }
}

/** Indices of the studies on one side of a fold. */
export function indicesOn(assignment: readonly Split[], side: Split): number[] {
  return assignment.flatMap((value, index) => (value === side ? [index] : []))
}

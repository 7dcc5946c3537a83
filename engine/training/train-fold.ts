import type { PrefixEntry } from '../adapters/network.ts'
import type { Epoch, RunConfig, Split } from '../domain/run.ts'
import { summarisePredictions } from '../evaluation/summarise.ts'
import type { TrainingStudy } from '../domain/exchange.ts'
import type { JobContext } from '../protocol.ts'
import { classWeights, positiveWeights } from './losses.ts'
import { probabilitiesOf } from './probabilities.ts'
import type { FoldProgress } from './resume-state.ts'
import { createRng } from './rng.ts'
import { learningRateAt } from './schedule.ts'
import type { TrainingBatch, TrainingModel } from './training-model.ts'

/** What a fold trains on: studies by index into the run's list, and their frozen prefixes. */
export interface FoldMaterial {
  fold: number
  config: RunConfig
  studies: readonly TrainingStudy[]
  train: readonly number[]
  val: readonly number[]
  /** The frozen prefix of a study under its training pattern, or with one kind of modality dropped. */
  prefixOf: (studyIndex: number, dropped?: DroppedKind) => PrefixEntry
  /** What may be dropped from a study without leaving it empty. */
  droppable: (studyIndex: number) => readonly DroppedKind[]
}

export type DroppedKind = 'image' | 'text'

/** One study as an epoch shows it. */
interface ShownStudy {
  index: number
  dropped: DroppedKind | undefined
}

/** Batches whose samples are sorted by length together: less padding, still random company. */
const batchesPerBucket = 4

/** The epochs that are over, as the loop continues them. */
export type EpochProgress = Pick<FoldProgress, 'epochsDone' | 'bestMetric' | 'bestLoss' | 'bestEpoch' | 'epochsWithoutBetter'>

export interface FoldHooks {
  context: JobContext
  /** Called after every epoch, before the next one starts; saves the state. */
  onEpoch: (epoch: Epoch, progress: EpochProgress) => Promise<void>
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
 * Trains one fold from where `progress` says until the last epoch, early stopping or a stop request.
 * What an epoch shows, and in which order, depends on seed, fold and epoch alone, so a resumed run draws what an unbroken one would.
 *
 * @returns whether the training of the fold is over (false: stopped by the user)
 */
export async function trainFold(model: TrainingModel, material: FoldMaterial, start: EpochProgress, hooks: FoldHooks): Promise<boolean> {
  const { config, train, fold } = material
  const stepsPerEpoch = Math.ceil(train.length / config.batchSize)
  const totalSteps = stepsPerEpoch * config.epochs
  const warmUpSteps = Math.round(config.warmUpShare * totalSteps)
  let progress = start
  for (let epoch = start.epochsDone; epoch < config.epochs; epoch++) {
    if (hasStoppedEarly(config, progress)) return true
    if (hooks.context.shouldStop() && epoch > 0) return false
    const startedMs = performance.now()
    const batches = batchesOfEpoch(material, epoch)
    let lossSum = 0
    let learningRate = 0
    for (const [step, shown] of batches.entries()) {
      learningRate = learningRateAt(epoch * stepsPerEpoch + step, totalSteps, config.learningRate, warmUpSteps)
      const loss = model.step(batchOf(material, shown), learningRate)
      lossSum += loss * shown.length
      hooks.onStep(loss, epoch, epoch * stepsPerEpoch + step)
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
      bestEpoch: isBest ? epoch : progress.bestEpoch,
      epochsWithoutBetter: isBest ? 0 : progress.epochsWithoutBetter + 1,
    }
    await hooks.onEpoch({
      fold, epoch, isBest, learningRate,
      trainLoss: lossSum / train.length, valLoss: validation.loss, valMacroAuroc: validation.macroAuroc,
      elapsedMs: performance.now() - startedMs,
    }, progress)
  }
  return true
}

function hasStoppedEarly(config: RunConfig, progress: EpochProgress): boolean {
  return config.patience > 0 && progress.epochsWithoutBetter >= config.patience
}

/** A better epoch has a higher validation macro-AUROC; equal ones, or where it is not estimable, a lower validation loss. */
function isBetter(validation: { loss: number; macroAuroc: number | null }, progress: EpochProgress): boolean {
  if (progress.bestLoss === null) return true
  if (validation.macroAuroc !== null && progress.bestMetric !== null && validation.macroAuroc !== progress.bestMetric) return validation.macroAuroc > progress.bestMetric
  return validation.loss < progress.bestLoss
}

function validate(model: TrainingModel, material: FoldMaterial): { loss: number; macroAuroc: number | null } {
  const { config, studies, val } = material
  const width = config.labelIds.length
  let lossSum = 0
  for (let start = 0; start < val.length; start += config.batchSize) {
    const indices = val.slice(start, start + config.batchSize)
    lossSum += model.evaluateLoss(batchOf(material, indices.map((index) => ({ index, dropped: undefined })))) * indices.length
  }
  const logits = model.predict(val.map((index) => material.prefixOf(index)), config.batchSize)
  const probabilities = probabilitiesOf(config.task, logits, width)
  const summary = summarisePredictions(val.map((studyIndex, row) => ({
    patientId: studies[studyIndex]!.patientId,
    probabilities: probabilities.subarray(row * width, (row + 1) * width),
    thresholds: new Float32Array(width).fill(0.5),
    reference: studies[studyIndex]!.labels,
  })), config.labelIds.map((labelId) => ({ labelId, labelName: '' })), config.task)
  return { loss: lossSum / val.length, macroAuroc: summary.macroAuroc.value }
}

function batchOf(material: FoldMaterial, shown: readonly ShownStudy[]): TrainingBatch {
  return {
    entries: shown.map((study) => material.prefixOf(study.index, study.dropped)),
    ...labelsOf(material.studies, shown.map((study) => study.index), material.config.labelIds.length),
  }
}

/** The batches of one epoch: seeded order, seeded modality dropout, samples of like length together, batches in random order. */
function batchesOfEpoch(material: FoldMaterial, epoch: number): ShownStudy[][] {
  const { config, train, fold } = material
  const rng = createRng(config.seed).fork(`order-${fold}-${epoch}`)
  const shown = rng.shuffle(train).map((index): ShownStudy => {
    const kinds = material.droppable(index)
    // Drawn for every study, droppable or not, so that one study's gaps do not change what its neighbours lose.
    const [isDropped, which] = [rng.uniform() < config.modalityDropout, rng.uniform()]
    return { index, dropped: isDropped && kinds.length > 0 ? kinds[Math.floor(which * kinds.length)] : undefined }
  })
  const bucketSize = config.batchSize * batchesPerBucket
  const batches: ShownStudy[][] = []
  for (let start = 0; start < shown.length; start += bucketSize) {
    const bucket = shown.slice(start, start + bucketSize)
    const tokensOf = new Map(bucket.map((study) => [study, material.prefixOf(study.index, study.dropped).tokens]))
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

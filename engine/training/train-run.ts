import { createHash } from 'node:crypto'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../domain/errors.ts'
import { describePattern, slotIdsOfPattern, subPatterns } from '../domain/slots.ts'
import type { TrainingStudy, TrainingSummary } from '../domain/exchange.ts'
import type { JobContext, TrainingSpec } from '../protocol.ts'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import { fillGridCache } from './grid-cache.ts'
import { actualPattern, countTruncatedTexts, createSampleBuilder, planModalities } from './inputs.ts'
import { simulateMissingness, withoutModality } from './missingness.ts'
import { createPrefixStore } from './prefix-store.ts'
import { createPace } from './pace.ts'
import { predictStudies } from './predict-studies.ts'
import { probabilitiesOf } from './probabilities.ts'
import { loadFoldState, saveFoldState, type FoldProgress } from './resume-state.ts'
import { createRng } from './rng.ts'
import { cachesBlockOutput, createModel, createNetwork, openSession, type Session } from './session.ts'
import { chooseThreshold } from './thresholds.ts'
import { indicesOn, labelWeightsOf, trainFold, type DroppedKind, type EpochProgress } from './train-fold.ts'
import type { TrainingModel } from './training-model.ts'

/** Share of the free memory that cached prefixes may take; the rest go to a file. */
const prefixMemoryShare = 0.3
const samplesPerPrefixBatch = 16

/** Fewer complete studies than this cannot be trained or validated on. */
const minimumCompleteStudies = 3

const freshProgress: EpochProgress = { epochsDone: 0, bestMetric: null, bestLoss: null, bestEpoch: -1, epochsWithoutBetter: 0 }

/**
 * Trains all folds of a run: prepares the frozen inputs once, trains, keeps the best checkpoint, predicts every patient.
 * A run that was stopped in the middle goes on with the first unfinished epoch; a finished fold is not trained again.
 */
export async function trainRun(spec: TrainingSpec, context: JobContext): Promise<TrainingSummary> {
  const startedMs = performance.now()
  context.progress({ stage: 'Loading the backbone', done: 0, total: null, secondsLeft: null })
  const session = await openSession(spec.weightsDir)
  const run = await prepareRun(session, spec, context)
  let hasStopped = false
  let model: TrainingModel | null = null
  try {
    for (let fold = 0; fold < spec.assignments.length && !hasStopped; fold++) {
      // The frozen prefix is the same in every fold; only the trained tensors start anew.
      const network = createNetwork(session, spec.config, run.plan, fold)
      model = createModel(session, network, spec.config, labelWeightsOf(spec.config, spec.studies, indicesOfSide(run, fold, 'train')))
      await run.fillPrefixes(network)
      const isOver = await runFold(run, model, network, fold)
      hasStopped = !isOver || context.shouldStop()
      if (hasStopped && fold + 1 < spec.assignments.length) run.notes.push(`Stopped by the user after ${fold + 1} of ${spec.assignments.length} folds: patients of the other folds have no prediction.`)
      else if (fold + 1 < spec.assignments.length) model.dispose()
    }
    return {
      outcome: hasStopped ? 'stopped-by-user' : 'finished',
      verdict: session.compute.verdict,
      weightsHash: session.backbone.weightsHash,
      trainedParameters: model!.trainedParameterCount,
      totalParameters: model!.totalParameterCount,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      elapsedMs: performance.now() - startedMs,
      notes: run.notes,
    }
  } finally {
    model?.dispose()
    run.prefixes.dispose()
  }
}

type PreparedRun = Awaited<ReturnType<typeof prepareRun>>

async function prepareRun(session: Session, spec: TrainingSpec, context: JobContext) {
  const { config, slots, studies } = spec
  const plan = planModalities(slots, config.mora.modalitiesBy)
  const titleOf = new Map(slots.map((slot) => [slot.slotId, slot.title]))
  const images = studies.flatMap((study) => study.items.filter((item) => item.path !== null).map((item) => ({
    path: item.path!, sha256: item.sha256, where: `The ${titleOf.get(item.slotId) ?? 'image'} of study ${study.studyId}`,
  })))
  const grids = await fillGridCache(images, { resnet: session.backbone.resnet, cacheDir: spec.cacheDir, context })
  const buildSample = createSampleBuilder(slots, plan, session.tokenizer, grids, config.maxTextTokens)

  const natural = studies.map((study) => actualPattern(slots, study))
  const patterns = simulateMissingness(slots, natural, config.trainMissingness, createRng(config.seed).fork('train-missingness'))
  const prefixes = createPrefixStore(freemem() * prefixMemoryShare, join(spec.cacheDir, `prefixes-run-${spec.runId}.bin`))
  const variants = trainingVariants(spec, patterns)
  const fillPrefixes = async (network: ReturnType<typeof createNetwork>) => {
    const missing = variants.filter((variant) => !prefixes.has(variant.key))
    const pace = createPace(missing.length)
    for (let start = 0; start < missing.length; start += samplesPerPrefixBatch) {
      context.signal.throwIfAborted()
      const batch = missing.slice(start, start + samplesPerPrefixBatch)
      const samples = await Promise.all(batch.map((variant) => buildSample(studies[variant.index]!, variant.pattern)))
      network.computePrefix(samples, cachesBlockOutput(config)).forEach((entry, position) => prefixes.put(batch[position]!.key, entry))
      context.progress({ stage: 'Preparing inputs', ...pace.at(start + batch.length) })
    }
  }
  const droppable = (index: number): DroppedKind[] => (config.modalityDropout === 0 ? [] : kinds.filter((kind) => withoutModality(slots, patterns[index]!, kind) !== '' && withoutModality(slots, patterns[index]!, kind) !== patterns[index]))
  const isComplete = (index: number) => slotIdsOfPattern(patterns[index]!).length === slots.length
  const prefixOf = (index: number, dropped?: DroppedKind) => prefixes.get(variantKey(index, dropped))
  return { session, spec, context, plan, prefixes, prefixOf, droppable, isComplete, buildSample, fillPrefixes, notes: notesOf(session, spec, patterns, natural), fingerprint: fingerprintOf(session, spec), startedMs: performance.now() }
}

const kinds = ['image', 'text'] as const

/** Key of a study's prefix under its training pattern or with one kind dropped. */
function variantKey(index: number, dropped: DroppedKind | undefined): number {
  return index * 3 + (dropped === undefined ? 0 : 1 + kinds.indexOf(dropped))
}

/** Which prefixes training and validation need; test patients are predicted later under many patterns and never cached. */
function trainingVariants(spec: TrainingSpec, patterns: readonly string[]): { key: number; index: number; pattern: string }[] {
  return patterns.flatMap((pattern, index) => {
    const isOn = (side: 'train' | 'val') => spec.assignments.some((sides) => sides[index] === side)
    if (!isOn('train') && !isOn('val')) return []
    const dropped = isOn('train') && spec.config.modalityDropout > 0 ? kinds : []
    const reduced = dropped.map((kind) => ({ key: variantKey(index, kind), index, pattern: withoutModality(spec.slots, pattern, kind) }))
    return [{ key: variantKey(index, undefined), index, pattern }, ...reduced.filter((variant) => variant.pattern !== '' && variant.pattern !== pattern)]
  })
}

/** Studies on one side of a fold: all, or with `trainOn: complete` those that lack nothing. Throws RUN_TOO_FEW_PATIENTS when hardly any is left. */
function indicesOfSide(run: PreparedRun, fold: number, side: 'train' | 'val'): number[] {
  const all = indicesOn(run.spec.assignments[fold]!, side)
  if (run.spec.config.trainOn === 'all') return all
  const complete = all.filter(run.isComplete)
  if (complete.length < minimumCompleteStudies) throw new AppError('RUN_TOO_FEW_PATIENTS', `Only ${complete.length} of ${all.length} ${side === 'train' ? 'training' : 'validation'} studies have every chosen item.`)
  return complete
}

/** Trains and predicts one fold; false when the user asked to stop before its last epoch. */
async function runFold(run: PreparedRun, model: TrainingModel, network: ReturnType<typeof createNetwork>, fold: number): Promise<boolean> {
  const { spec, context } = run
  const { config } = spec
  const saved = loadFoldState(spec.runDir, fold, run.fingerprint)
  if (saved?.progress.isDelivered) return true
  if (saved) {
    model.importTrained(saved.trained)
    model.importOptimizer(saved.optimizer)
  }
  const val = indicesOfSide(run, fold, 'val')
  const save = (progress: EpochProgress, flags: Pick<FoldProgress, 'isTrained' | 'isDelivered'>) => {
    const optimizer = model.exportOptimizer()
    saveFoldState(spec.runDir, fold, { progress: { ...progress, ...flags, optimizerStep: optimizer.step, fingerprint: run.fingerprint }, trained: model.exportTrained(), optimizer })
  }
  const checkpointOf = (epoch: number) => ({
    format: 'lacuna-adapter-1' as const, peft_type: config.adapter.toUpperCase(), base_model_name_or_path: config.backbone, backboneHash: run.session.backbone.weightsHash,
    config, slots: spec.slots, labelNames: spec.labelNames, fold, epoch, researchUseOnly: true as const,
    thresholds: [...thresholdsOf(model, run, val)],
  })

  let progress: EpochProgress = saved?.progress ?? freshProgress
  let isOver = saved?.progress.isTrained ?? false
  if (!isOver) {
    const reportStep = stepReporter(run, fold, progress.epochsDone)
    isOver = await trainFold(model, { fold, config, studies: spec.studies, train: indicesOfSide(run, fold, 'train'), val, prefixOf: run.prefixOf, droppable: run.droppable }, progress, {
      context,
      onStep: reportStep,
      onEpoch: async (epoch, next) => {
        if (epoch.isBest) await context.send({ kind: 'checkpoint', checkpoint: saveCheckpoint(spec.runDir, 'best', checkpointOf(epoch.epoch), model.exportTrained()) })
        progress = next
        save(progress, { isTrained: false, isDelivered: false })
        await context.send({ kind: 'epoch', epoch })
      },
    })
    await context.send({ kind: 'checkpoint', checkpoint: saveCheckpoint(spec.runDir, 'final', checkpointOf(progress.epochsDone - 1), model.exportTrained()) })
    save(progress, { isTrained: true, isDelivered: false })
  }
  const best = loadCheckpoint(spec.runDir, fold, 'best', run.session.backbone.weightsHash)
  model.importTrained(best.trained)
  await predictStudies(studiesToPredict(spec, fold), {
    config, slots: spec.slots, network, model, buildSample: run.buildSample, context, fold,
    withBlockOutput: cachesBlockOutput(config), thresholds: Float32Array.from(best.config.thresholds),
    stage: spec.assignments.length > 1 ? `Predicting, fold ${fold + 1}` : 'Predicting',
  })
  save(progress, { isTrained: true, isDelivered: true })
  return isOver
}

/** With one split every patient gets a prediction, marked with its side; with folds each patient counts once, where it was not trained on. */
function studiesToPredict(spec: TrainingSpec, fold: number) {
  const assignment = spec.assignments[fold]!
  const all = spec.studies.map((study, index) => ({ study, split: assignment[index]! }))
  return spec.assignments.length === 1 ? all : all.filter((item) => item.split === 'test')
}

function thresholdsOf(model: TrainingModel, run: PreparedRun, val: readonly number[]): Float32Array {
  const { config, studies } = run.spec
  const width = config.labelIds.length
  const thresholds = new Float32Array(width).fill(0.5)
  if (config.threshold === 'fixed-0.5' || config.task === 'multi-class') return thresholds
  const probabilities = probabilitiesOf(config.task, model.predict(val.map((index) => run.prefixOf(index)), config.batchSize), width)
  for (let label = 0; label < width; label++) {
    thresholds[label] = chooseThreshold(val.map((_, row) => probabilities[row * width + label]!), val.map((index) => studies[index]!.labels[label]!))
  }
  return thresholds
}

/** Reports each step: the loss, and the time left over all folds at the pace so far. */
function stepReporter(run: PreparedRun, fold: number, epochsBefore: number) {
  const { spec, context } = run
  const epochsTotal = spec.assignments.length * spec.config.epochs
  const stepsPerEpoch = Math.ceil(indicesOfSide(run, fold, 'train').length / spec.config.batchSize)
  const pace = createPace((epochsTotal - fold * spec.config.epochs - epochsBefore) * stepsPerEpoch)
  let stepsHere = 0
  return (loss: number, epoch: number, step: number) => {
    stepsHere++
    const { secondsLeft } = pace.at(stepsHere)
    const stage = spec.assignments.length > 1 ? `Training, fold ${fold + 1} of ${spec.assignments.length}, epoch` : 'Training, epoch'
    context.progress({ stage, done: epoch + 1, total: spec.config.epochs, secondsLeft })
    void context.send({ kind: 'batch-loss', fold, epoch, step, loss }).catch(() => {})
  }
}

/** What a reader of the results must know and would not see. */
function notesOf(session: Session, spec: TrainingSpec, patterns: readonly string[], natural: readonly string[]): string[] {
  const { slots, studies, assignments, config } = spec
  const notes: string[] = []
  const isTrainedOn = (index: number) => assignments.some((sides) => sides[index] === 'train') && (config.trainOn === 'all' || slotIdsOfPattern(patterns[index]!).length === slots.length)
  const dropped = config.modalityDropout > 0 ? kinds : []
  const trainedOn = new Set(patterns.flatMap((pattern, index) => (isTrainedOn(index) ? [pattern, ...dropped.map((kind) => withoutModality(slots, pattern, kind))] : [])))
  if (config.trainOn === 'complete') notes.push('Trained on complete patients only.')
  const whatIf = new Set(natural.flatMap(subPatterns))
  const unseen = [...whatIf].filter((pattern) => !trainedOn.has(pattern))
  if (unseen.length > 0) {
    notes.push(`No training patient showed ${unseen.map((pattern) => `"${describePattern(slots, pattern)}"`).join(', ')}: predictions under ${unseen.length === 1 ? 'this pattern' : 'these patterns'} are extrapolation.`)
  }
  const truncated = countTruncatedTexts(studies, session.tokenizer, config.maxTextTokens)
  if (truncated > 0) notes.push(`The text of ${truncated} of ${studies.length} studies is longer than ${config.maxTextTokens} tokens and was cut.`)
  const simulated = patterns.filter((pattern, index) => pattern !== natural[index]).length
  if (simulated > 0) notes.push(`Simulated missingness hid a modality in ${simulated} of ${studies.length} studies while training and validating (seed ${config.seed}).`)
  return notes
}

/** Ties a resume state to exactly this configuration, split, data and backbone. */
function fingerprintOf(session: Session, spec: TrainingSpec): string {
  const hash = createHash('sha256').update(JSON.stringify(spec.config)).update(session.backbone.weightsHash)
  spec.studies.forEach((study: TrainingStudy, index) => {
    hash.update(`\n${study.studyId}`).update(Buffer.from(study.labels.buffer, study.labels.byteOffset, study.labels.byteLength))
    for (const item of study.items) hash.update(`\t${item.slotId}:${item.sha256}`)
    for (const sides of spec.assignments) hash.update(`\t${sides[index]}`)
  })
  return hash.digest('hex')
}

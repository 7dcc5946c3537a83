import type { Phase } from '../../adapters/method.ts'
import type { Network } from '../../adapters/network.ts'
import { loadCheckpoint, saveCheckpoint, type AdapterConfig } from '../checkpoint/checkpoint.ts'
import { createPace } from '../pace.ts'
import { memoryBudget, memoryNote, withMemoryRecovery } from '../optimise/memory-recovery.ts'
import { predictStudies } from '../predict/predict-studies.ts'
import type { Meter } from './meter.ts'
import { epochsOf, wholePhase, type PreparedRun } from './prepare-run.ts'
import { probabilitiesOf } from '../predict/probabilities.ts'
import { loadFoldState, saveFoldState, type FoldProgress } from './resume-state.ts'
import { chooseThreshold } from './thresholds.ts'
import { minimumPhaseStudies, trainPhase, type EpochProgress, type PhaseMaterial } from './train-fold.ts'
import type { TrainingModel } from '../optimise/training-model.ts'

const freshProgress: EpochProgress = { epochsDone: 0, bestMetric: null, bestLoss: null, bestEpoch: -1, epochsWithoutBetter: 0 }

/**
 * Trains the phases of one fold in order, keeps the best epoch of each, predicts the fold's patients.
 * State is saved after every epoch, so a killed run repeats at most one epoch and ends with the same numbers.
 *
 * @returns false when the user asked to stop before the last epoch
 */
export async function runFold(run: PreparedRun, bareModel: TrainingModel, network: Network, fold: number, meter: Meter): Promise<boolean> {
  const { spec, context } = run
  const { config } = spec
  const saved = loadFoldState(spec.runDir, fold, run.fingerprint, () => {
    run.notes.push(`The saved state of ${spec.assignments.length > 1 ? `fold ${fold + 1}` : 'the training'} could not be read; it was trained again from its start.`)
  })
  if (saved?.progress.isDelivered) return true
  const position: Position = { progress: saved?.progress ?? freshProgress, phase: saved?.progress.phase ?? 0, epochsBefore: saved?.progress.epochsBefore ?? 0 }
  const model = withMemoryRecovery(bareModel, {
    tf: run.session.compute.tf, budget: memoryBudget(run.session.compute.kind, run.session.backbone, network.load),
    onReduced: (limit, cause) => run.notes.push(memoryNote(limit, cause, fold, spec.assignments.length, position.epochsBefore + position.progress.epochsDone)),
  })
  const save = (flags: Pick<FoldProgress, 'isTrained' | 'isDelivered'>): void => {
    const optimizer = model.exportOptimizer()
    const progress = { ...position.progress, ...flags, phase: position.phase, epochsBefore: position.epochsBefore, optimizerStep: optimizer.step, fingerprint: run.fingerprint, spent: meter.spent(run.notes) }
    saveFoldState(spec.runDir, fold, { progress, trained: model.exportTrained(), optimizer })
  }
  if (saved === null && network.statistics !== undefined) model.fitStatistics(run.membersOf(fold, 'train', wholePhase).map(([index, pattern]) => run.prefixesOf(fold).get(index, pattern)))
  let isOver = true
  if (saved?.progress.isTrained !== true) {
    isOver = await trainPhases(run, model, network, fold, saved, position, save)
    save({ isTrained: true, isDelivered: false })
  }
  if (run.hasPhases) model.beginPhase(null)
  const best = loadBest(run, fold)
  model.importTrained(best.trained)
  const assignment = spec.assignments[fold]!
  // With one split every patient gets a prediction, marked with its side; with folds each patient counts once, where it was not trained on.
  const wanted = spec.studies.map((_, index) => ({ index, split: assignment[index]! })).filter(({ split }) => spec.assignments.length === 1 || split === 'test')
  await predictStudies(wanted, {
    config, studies: spec.studies, network, model, context, fold,
    prefixes: run.prefixesOf(fold), showing: run.showing, trainedPatterns: best.config.trainedPatterns === undefined ? null : new Set(best.config.trainedPatterns),
    thresholds: Float32Array.from(best.config.thresholds), stage: spec.assignments.length > 1 ? `Predicting, fold ${fold + 1}` : 'Predicting',
  })
  save({ isTrained: true, isDelivered: true })
  return isOver
}

/** Where the training of a fold stands. */
interface Position {
  progress: EpochProgress
  phase: number
  epochsBefore: number
}

async function trainPhases(
  run: PreparedRun, model: TrainingModel, network: Network, fold: number, saved: ReturnType<typeof loadFoldState>, position: Position,
  save: (flags: Pick<FoldProgress, 'isTrained' | 'isDelivered'>) => void,
): Promise<boolean> {
  const { spec, context, phases } = run
  const width = spec.config.labelIds.length
  const first = position.phase
  /** Phases up to the last one that had an epoch. */
  let reached = first
  const keep = async (kind: 'best' | 'final', epoch: number, thresholds: Float32Array, validation: AdapterConfig['validation']): Promise<void> => {
    const config = { ...checkpointOf(run, fold, epoch, thresholds, reached), validation, trainedParameters: model.trainedParameterCount, totalParameters: model.totalParameterCount }
    await context.send({ kind: 'checkpoint', checkpoint: saveCheckpoint(spec.runDir, kind, config, model.exportTrained()) })
  }
  let isOver = true
  for (let index = first; index < phases.length && isOver; index++) {
    const phase = phases[index]!
    position.phase = index
    const material = materialOf(run, network, fold, phase, position)
    // A phase without enough studies is named in the run's notes, see notesOf.
    if (material.train.length < minimumPhaseStudies) continue
    if (run.hasPhases) model.beginPhase(phase)
    if (index === first && saved !== null) {
      model.importTrained(saved.trained)
      model.importOptimizer(saved.optimizer)
    } else {
      position.progress = freshProgress
      // The next best checkpoint replaces that of the phase before: after a kill in between, this phase must begin from here.
      if (index > first) save({ isTrained: false, isDelivered: false })
    }
    const isLast = index === phases.length - 1
    isOver = await trainPhase(model, material, position.progress, {
      context,
      onStep: stepReporter(run, fold, position),
      onEpoch: async (epoch, next, validation) => {
        reached = index + 1
        // Thresholds of earlier phases would belong to half a model; the whole one gets its own below.
        if (epoch.isBest) await keep('best', epoch.epoch, run.hasPhases ? halves(width) : thresholdsOf(run, validation.studies, validation.probabilities), { macroAuroc: epoch.valMacroAuroc, loss: epoch.valLoss })
        position.progress = next
        save({ isTrained: false, isDelivered: false })
        await context.send({ kind: 'epoch', epoch })
      },
    })
    if (position.progress.epochsDone > 0) reached = index + 1
    if (isLast) await keep('final', position.epochsBefore + position.progress.epochsDone - 1, wholeThresholds(run, model, network, fold), undefined)
    else model.importTrained(loadBest(run, fold).trained)
    position.epochsBefore += position.progress.epochsDone
    if (!isOver && !isLast) run.notes.push(`Stopped by the user${spec.assignments.length > 1 ? ` in fold ${fold + 1}` : ''} during "${phase.name}": the phases after it were not trained.`)
  }
  if (run.hasPhases) {
    // Each phase restored its best epoch, so the last best checkpoint is the whole model; only its thresholds are still to be chosen.
    const best = loadBest(run, fold)
    model.importTrained(best.trained)
    // Stopped before the parts were joined: they answer as they are joined at the start of that phase, not through tensors nobody trained.
    const last = phases.at(-1)!
    if (reached < phases.length && last.shows === 'own-pattern') model.beginPhase(last)
    model.beginPhase(null)
    await keep('best', best.config.epoch, wholeThresholds(run, model, network, fold), best.config.validation)
  }
  return isOver
}

function loadBest(run: PreparedRun, fold: number): ReturnType<typeof loadCheckpoint> {
  return loadCheckpoint(run.spec.runDir, fold, 'best', run.session.backbone.weightsHash)
}

function checkpointOf(run: PreparedRun, fold: number, epoch: number, thresholds: Float32Array, reached: number): AdapterConfig {
  const { config, slots, labelNames } = run.spec
  return {
    format: 'lacuna-adapter-1', peft_type: config.adapter.toUpperCase(), base_model_name_or_path: config.backbone, backboneHash: run.session.backbone.weightsHash,
    config, slots, labelNames, fold, epoch, researchUseOnly: true, thresholds: [...thresholds], cohortHash: run.spec.cohortHash, trainedPatterns: run.trainedPatternsOf(fold, reached), tabular: run.tabularOf(fold),
  }
}

function materialOf(run: PreparedRun, network: Network, fold: number, phase: Phase, position: Position): PhaseMaterial {
  const { spec, showing } = run
  const { config } = spec
  const train = run.membersOf(fold, 'train', phase)
  const val = run.membersOf(fold, 'val', phase)
  const patterns = new Map([...train, ...val])
  return {
    fold, config, studies: spec.studies,
    phase: { index: position.phase, epochs: epochsOf(config, phase), epochsBefore: position.epochsBefore, hasDropout: phase.shows === 'own-pattern' },
    train: train.map(([index]) => index), val: val.map(([index]) => index),
    patternOf: (index) => patterns.get(index)!,
    reductionsOf: (index) => showing.reductionsOf(patterns.get(index)!),
    prefixOf: (index, pattern) => run.prefixesOf(fold).get(index, pattern),
    isServed: (pattern) => network.serving?.(showing.bitsOf(pattern)) !== 'refused',
  }
}

const halves = (width: number): Float32Array => new Float32Array(width).fill(0.5)

/** @param probabilities [val, C] row-major */
function thresholdsOf(run: PreparedRun, val: readonly number[], probabilities: Float32Array): Float32Array {
  const { config, studies } = run.spec
  const width = config.labelIds.length
  const thresholds = halves(width)
  if (config.threshold === 'fixed-0.5' || config.task === 'multi-class') return thresholds
  for (let label = 0; label < width; label++) {
    thresholds[label] = chooseThreshold(val.map((_, row) => probabilities[row * width + label]!), val.map((index) => studies[index]!.labels[label]!))
  }
  return thresholds
}

/** Thresholds of the model as it stands, on every validation study under its own pattern that it does not refuse. */
function wholeThresholds(run: PreparedRun, model: TrainingModel, network: Network, fold: number): Float32Array {
  const { config } = run.spec
  const val = run.membersOf(fold, 'val', wholePhase).filter(([, pattern]) => network.serving?.(run.showing.bitsOf(pattern)) !== 'refused')
  const logits = model.predict(val.map(([index, pattern]) => run.prefixesOf(fold).get(index, pattern)), config.batchSize)
  return thresholdsOf(run, val.map(([index]) => index), probabilitiesOf(config.task, logits, config.labelIds.length))
}

/** Reports each step: the loss, and the time left over all folds and phases at the pace so far. */
function stepReporter(run: PreparedRun, fold: number, position: Position) {
  const { spec, context, phases } = run
  const stepsOf = (phase: Phase) => epochsOf(spec.config, phase) * Math.ceil(run.membersOf(fold, 'train', phase).length / spec.config.batchSize)
  const stepsOfFold = phases.reduce((sum, phase) => sum + stepsOf(phase), 0)
  const phase = phases[position.phase]!
  const stepsAhead = phases.slice(position.phase).reduce((sum, later) => sum + stepsOf(later), 0)
  const stepsDone = Math.round((stepsOf(phase) * position.progress.epochsDone) / epochsOf(spec.config, phase))
  const pace = createPace(stepsAhead - stepsDone + (spec.assignments.length - fold - 1) * stepsOfFold)
  const where = [...(spec.assignments.length > 1 ? [`fold ${fold + 1} of ${spec.assignments.length}`] : []), ...(run.hasPhases ? [phase.name] : [])]
  const stage = ['Training', ...where, 'epoch'].join(', ')
  const { epochsBefore } = position
  let stepsHere = 0
  return (loss: number, epoch: number, step: number) => {
    stepsHere++
    const { secondsLeft } = pace.at(stepsHere)
    context.progress({ stage, done: epoch - epochsBefore + 1, total: epochsOf(spec.config, phase), secondsLeft })
    void context.send({ kind: 'batch-loss', fold, epoch, step, loss }).catch(() => {})
  }
}

import type { TrainingSummary } from '../../domain/exchange.ts'
import type { JobContext, TrainingSpec } from '../../protocol.ts'
import { startMeter } from './meter.ts'
import { prepareRun, wholePhase } from './prepare-run.ts'
import { readSpent } from './resume-state.ts'
import { runFold } from './run-fold.ts'
import { baseNotes } from './run-notes.ts'
import { createModel, createNetwork, openSession } from '../session/session.ts'
import { labelWeightsOf } from './train-fold.ts'
import type { TrainingModel } from '../optimise/training-model.ts'

/**
 * Trains all folds of a run: prepares the frozen inputs once, trains, keeps the best checkpoint, predicts every patient.
 * A run that was stopped in the middle goes on with the first unfinished epoch; a finished fold is not trained again.
 */
export async function trainRun(spec: TrainingSpec, host: JobContext): Promise<TrainingSummary> {
  const meter = startMeter()
  const context: JobContext = {
    ...host,
    progress: (progress) => {
      meter.sample()
      host.progress(progress)
    },
  }
  context.progress({ stage: 'Loading the backbone', done: 0, total: null, secondsLeft: null })
  const session = await openSession(spec, context.signal)
  const run = await prepareRun(session, spec, context)
  meter.goOnFrom(readSpent(spec.runDir, spec.assignments.length, run.fingerprint))
  let hasStopped = false
  let model: TrainingModel | null = null
  try {
    for (let fold = 0; fold < spec.assignments.length && !hasStopped; fold++) {
      // The frozen prefix is the same in every fold; only the trained tensors start anew.
      const network = createNetwork(session, spec.config, run.plan, fold)
      if (fold === 0) run.notes.push(...baseNotes(network, run))
      const train = run.membersOf(fold, 'train', wholePhase).map(([index]) => index)
      model = createModel(session, network, spec.config, labelWeightsOf(spec.config, spec.studies, train))
      await run.fillPrefixes(network, fold)
      const isOver = await runFold(run, model, network, fold, meter)
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
      ...meter.spent(run.notes),
    }
  } finally {
    model?.dispose()
    run.dispose()
  }
}

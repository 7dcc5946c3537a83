import type { TrainingSummary } from '../domain/exchange.ts'
import type { JobContext, PredictSpec } from '../protocol.ts'
import { loadCheckpoint } from './checkpoint.ts'
import { fillGridCache } from './grid-cache.ts'
import { createSampleBuilder, planModalities } from './inputs.ts'
import { predictStudies } from './predict-studies.ts'
import { cachesBlockOutput, createModel, createNetwork, openSession } from './session.ts'

/** Predicts any studies from the best checkpoint of a fold, under every what-if pattern. Throws RUN_CHECKPOINT_MISSING or RUN_CHECKPOINT_MISMATCH. */
export async function predictRun(spec: PredictSpec, context: JobContext): Promise<TrainingSummary> {
  const startedMs = performance.now()
  const session = await openSession(spec.weightsDir)
  const best = loadCheckpoint(spec.runDir, spec.fold, 'best', session.backbone.weightsHash)
  const plan = planModalities(spec.slots, spec.config.mora.modalitiesBy)
  const images = spec.studies.flatMap((study) => study.items.filter((item) => item.path !== null).map((item) => ({ path: item.path!, sha256: item.sha256, where: `An image of study ${study.studyId}` })))
  const grids = await fillGridCache(images, { resnet: session.backbone.resnet, cacheDir: spec.cacheDir, context })
  const network = createNetwork(session, spec.config, plan, spec.fold)
  const model = createModel(session, network, spec.config, null)
  try {
    model.importTrained(best.trained)
    await predictStudies(spec.studies.map((study) => ({ study, split: 'test' as const })), {
      config: spec.config, slots: spec.slots, network, model, context, fold: spec.fold,
      buildSample: createSampleBuilder(spec.slots, plan, session.tokenizer, grids, spec.config.maxTextTokens),
      withBlockOutput: cachesBlockOutput(spec.config), thresholds: Float32Array.from(best.config.thresholds), stage: 'Predicting',
    })
    return {
      outcome: 'finished', verdict: session.compute.verdict, weightsHash: session.backbone.weightsHash,
      trainedParameters: model.trainedParameterCount, totalParameters: model.totalParameterCount,
      peakBytes: process.resourceUsage().maxRSS * 1024, elapsedMs: performance.now() - startedMs, notes: [],
    }
  } finally {
    model.dispose()
  }
}

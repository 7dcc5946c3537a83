import { join } from 'node:path'
import type { TrainingSummary } from '../../domain/exchange.ts'
import type { Slot } from '../../domain/slots.ts'
import { degradeText } from '../../modalities/degrade.ts'
import type { JobContext, PredictSpec } from '../../protocol.ts'
import { configOfTraining, loadCheckpoint } from '../checkpoint/checkpoint.ts'
import { createSampleBuilder, planModalities } from '../inputs/inputs.ts'
import { predictStudies } from './predict-studies.ts'
import { createInputGuard, createPrefixes } from '../inputs/prefixes.ts'
import { imagesOf } from '../run/prepare-run.ts'
import { cachesBlockOutput, createModel, createNetwork, openSession } from '../session/session.ts'
import { createShowing } from '../missingness/showing.ts'

/** Predicts any studies from the best checkpoint of a fold, under every what-if pattern. Throws RUN_CHECKPOINT_MISSING or RUN_CHECKPOINT_MISMATCH. */
export async function predictRun(spec: PredictSpec, context: JobContext): Promise<TrainingSummary> {
  const startedMs = performance.now()
  const { slots, degradation } = spec
  const studies = degradation === undefined ? spec.studies
    : spec.studies.map((study) => ({ ...study, items: study.items.map((item) => (item.text === null || item.path !== null || !isText(slots, item.slotId) ? item : { ...item, text: degradeText(item.text, degradation) })) }))
  const session = await openSession(spec, context.signal)
  const best = loadCheckpoint(spec.runDir, spec.fold, 'best', session.backbone.weightsHash)
  const config = configOfTraining(spec.config, best.trained)
  const plan = planModalities(slots, config.mora.modalitiesBy)
  const notes: string[] = []
  const guard = createInputGuard(session.compute.tf, notes)
  const images = await session.reader.openImages(imagesOf(spec), { cacheDir: imageCacheOf(spec), context, guard, degradation })
  const network = createNetwork(session, config, plan, spec.fold)
  const model = createModel(session, network, config, null)
  const prefixes = createPrefixes({
    studies, slots, context, guard, buildSample: createSampleBuilder(slots, plan, session.reader, images, config.maxTextTokens, best.config.tabular ?? {}),
    inputKey: `${session.backbone.weightsHash.slice(0, 16)} ${config.maxTextTokens} ${JSON.stringify([best.config.tabular ?? {}, degradation])}`, withBlockOutput: cachesBlockOutput(config), cacheDir: spec.cacheDir, runId: spec.runId,
  })
  try {
    model.importTrained(best.trained)
    await predictStudies(studies.map((_, index) => ({ index, split: 'test' as const })), {
      config, studies, network, model, context, fold: spec.fold, prefixes,
      // Simulated losses were part of the run's own evaluation; here every study is what it is.
      showing: createShowing(slots, plan, studies, { ...config, trainMissingness: { image: 0, text: 0 } }),
      trainedPatterns: best.config.trainedPatterns === undefined ? null : new Set(best.config.trainedPatterns), thresholds: Float32Array.from(best.config.thresholds), stage: 'Predicting',
    })
    return {
      outcome: 'finished', verdict: session.compute.verdict, weightsHash: session.backbone.weightsHash,
      trainedParameters: model.trainedParameterCount, totalParameters: model.totalParameterCount,
      peakBytes: process.resourceUsage().maxRSS * 1024, elapsedMs: performance.now() - startedMs, notes,
    }
  } finally {
    prefixes.dispose()
    model.dispose()
  }
}

const isText = (slots: readonly Slot[], slotId: string): boolean => slots.some((slot) => slot.slotId === slotId && slot.modality === 'text')

/** Worse images lie apart from the real ones, by level and by where it acts; a shorter text needs the real images. */
function imageCacheOf({ cacheDir, degradation }: PredictSpec): string {
  return degradation === undefined || degradation.kind === 'truncate' ? cacheDir : join(cacheDir, `degraded-${degradation.kind === 'noise' ? 'input-noise' : degradation.kind}-${degradation.level}`)
}

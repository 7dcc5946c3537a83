import type { Network, Sample } from '../adapters/network.ts'
import { subPatterns, type Slot } from '../domain/slots.ts'
import type { RunConfig, Split } from '../domain/run.ts'
import type { TrainingStudy } from '../domain/exchange.ts'
import type { JobContext } from '../protocol.ts'
import { actualPattern } from './inputs.ts'
import { createPace } from './pace.ts'
import { probabilitiesOf } from './probabilities.ts'
import type { TrainingModel } from './training-model.ts'

/** Studies whose patterns are computed together; bounds the memory of their prefixes. */
const studiesPerBlock = 24

export interface PredictOptions {
  config: RunConfig
  slots: readonly Slot[]
  network: Network
  model: TrainingModel
  buildSample: (study: TrainingStudy, pattern: string) => Promise<Sample>
  context: JobContext
  withBlockOutput: boolean
  thresholds: Float32Array
  fold: number
  stage: string
}

/**
 * Predicts studies under their own presence pattern and, as what-if, under every sub-pattern (see subPatterns), and sends the
 * blocks to the host as they are ready.
 */
export async function predictStudies(studies: readonly { study: TrainingStudy; split: Split }[], options: PredictOptions): Promise<void> {
  const { config, slots, network, model, context } = options
  const width = config.labelIds.length
  const pace = createPace(studies.length)
  const bySplit = Map.groupBy(studies, (item) => item.split)
  let done = 0
  for (const [split, members] of bySplit) {
    for (let start = 0; start < members.length; start += studiesPerBlock) {
      context.signal.throwIfAborted()
      const wanted = members.slice(start, start + studiesPerBlock).flatMap(({ study }) => {
        const actual = actualPattern(slots, study)
        return subPatterns(actual).map((pattern) => ({ study, pattern, isActual: pattern === actual }))
      })
      const samples = await Promise.all(wanted.map(({ study, pattern }) => options.buildSample(study, pattern)))
      const entries = network.computePrefix(samples, options.withBlockOutput)
      const logits = model.predict(entries, config.batchSize)
      await context.send({
        kind: 'predictions',
        block: {
          fold: options.fold, split, logits,
          studyIds: wanted.map(({ study }) => study.studyId),
          patterns: wanted.map(({ pattern }) => pattern),
          isActual: wanted.map(({ isActual }) => isActual),
          probabilities: probabilitiesOf(config.task, logits, width),
          thresholds: options.thresholds,
        },
      })
      done += Math.min(studiesPerBlock, members.length - start)
      context.progress({ stage: options.stage, ...pace.at(done) })
    }
  }
}

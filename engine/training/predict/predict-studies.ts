import type { Network } from '../../adapters/network.ts'
import type { ServedBy, TrainingStudy } from '../../domain/exchange.ts'
import type { RunConfig, Split } from '../../domain/run.ts'
import type { JobContext } from '../../protocol.ts'
import { createPace } from '../pace.ts'
import type { Prefixes } from '../inputs/prefixes.ts'
import { probabilitiesOf } from './probabilities.ts'
import type { Showing } from '../missingness/showing.ts'
import type { TrainingModel } from '../optimise/training-model.ts'

/** Studies whose patterns are computed together; bounds the memory of their prefixes. */
const studiesPerBlock = 24

export interface PredictOptions {
  config: RunConfig
  studies: readonly TrainingStudy[]
  network: Network
  model: TrainingModel
  prefixes: Prefixes
  showing: Showing
  context: JobContext
  thresholds: Float32Array
  /** Patterns that training studies were shown under; a prediction under another one says so. Null where an old checkpoint does not tell. */
  trainedPatterns: ReadonlySet<string> | null
  fold: number
  stage: string
}

/**
 * Predicts studies under their own presence pattern and, as what-if, under their sub-patterns (see Showing.whatIf), and sends the
 * blocks to the host as they are ready. A pattern that the method refuses is left out; one that no training study showed is marked.
 */
export async function predictStudies(wanted: readonly { index: number; split: Split }[], options: PredictOptions): Promise<void> {
  const { config, studies, network, model, showing, context, trainedPatterns } = options
  const width = config.labelIds.length
  const servedBy = (pattern: string): ServedBy | null => {
    const serving = network.serving?.(showing.bitsOf(pattern)) ?? 'trained'
    if (serving === 'refused') return null
    return serving === 'base' ? 'base' : (trainedPatterns?.has(pattern) ?? true) ? 'trained' : 'extrapolated'
  }
  const pace = createPace(wanted.length)
  let done = 0
  for (const [split, members] of Map.groupBy(wanted, (item) => item.split)) {
    for (let start = 0; start < members.length; start += studiesPerBlock) {
      context.signal.throwIfAborted()
      const rows = members.slice(start, start + studiesPerBlock).flatMap(({ index }) => showing.whatIf(index).flatMap((pattern) => {
        const by = servedBy(pattern)
        return by === null ? [] : [{ index, pattern, by, isActual: pattern === showing.natural[index] }]
      }))
      if (rows.length > 0) {
        const logits = model.predict(await options.prefixes.once(network, rows), config.batchSize)
        await context.send({
          kind: 'predictions',
          block: {
            fold: options.fold, split, logits,
            studyIds: rows.map(({ index }) => studies[index]!.studyId),
            patterns: rows.map(({ pattern }) => pattern),
            isActual: rows.map(({ isActual }) => isActual),
            servedBy: rows.map(({ by }) => by),
            probabilities: probabilitiesOf(config.task, logits, width),
            thresholds: options.thresholds,
          },
        })
      }
      done += Math.min(studiesPerBlock, members.length - start)
      context.progress({ stage: options.stage, ...pace.at(done) })
      // Lets cancel and the sign of life through where everything came from memory.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
}

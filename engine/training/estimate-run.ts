import { freemem } from 'node:os'
import { openCompute } from '../compute/backend.ts'
import type { DeviceVerdict, RunConfig } from '../domain/run.ts'
import type { Slot } from '../domain/slots.ts'
import type { JobContext, JobRequest, JobResult } from '../protocol.ts'
import { planModalities, type ModalityPlan } from './inputs.ts'
import { createModel, createNetwork, openSession, type Session } from './session.ts'

/** Tokens of one image, and of a typical short note with its frame, in the joined sequence. */
const tokensOfImage = 49
const typicalTextTokens = 24
/** Resident memory of the engine with both encoders loaded, measured on the embedded backbone (BENCHMARKS.md). */
const engineBaseBytes = 900e6
/** Saved for the backward pass in each block and token: input, queries, keys, values, attention output, feed-forward input (2 + 3 + 1 + 4 widths). */
const savedWidthsPerToken = 10
const megaflop = 1e6

/** The device verdict without loading any model. */
export async function deviceVerdict(_request: JobRequest<'device:verdict'>, _context: JobContext): Promise<DeviceVerdict> {
  return (await openCompute()).verdict
}

/**
 * Trained parameters (counted on the real network), and time and memory from its size and this machine's measured speed.
 * The time is a forecast, good to a factor of about two: early stopping is not foreseen, other programs are not known.
 */
export async function estimateRun(request: JobRequest<'run:estimate'>, _context: JobContext): Promise<JobResult<'run:estimate'>> {
  const { config, slots, studyCount, imageCount } = request
  const session = await openSession(request.weightsDir)
  const plan = planModalities(slots, config.mora.modalitiesBy)
  const network = createNetwork(session, config, plan, 0)
  const model = createModel(session, network, config, null)
  const { trainedParameterCount, totalParameterCount } = model
  model.dispose()
  return {
    trainedParameters: trainedParameterCount,
    totalParameters: totalParameterCount,
    ...forecast(session, config, slots, plan, studyCount, imageCount),
    availableBytes: freemem(),
    verdict: session.compute.verdict,
  }
}

function forecast(session: Session, config: RunConfig, slots: readonly Slot[], plan: ModalityPlan, studyCount: number, imageCount: number): { estimatedSeconds: number; estimatedBytes: number } {
  const { width, blocks } = session.backbone
  const tokens = plan.imageIndexOfSlot.size * tokensOfImage + (slots.some((slot) => slot.modality === 'text') ? Math.min(typicalTextTokens, config.maxTextTokens) : 0)
  const rate = measuredRate(session)
  // A frozen block costs 2 x 12 width^2 multiply-adds a token forward, and the same again backward (no weight gradients).
  const forwardOfStudy = config.adapter === 'zero-fill' ? 0 : tokens * blocks.length * 24 * width ** 2
  const folds = config.split.kind === 'k-fold' ? config.split.folds : 1
  const trainShare = config.split.kind === 'k-fold' ? (1 - 1 / config.split.folds) * 0.8 : config.split.train
  const training = folds * config.epochs * studyCount * (trainShare * 2 + (1 - trainShare) * 0.5) * forwardOfStudy
  const whatIfPatterns = Math.min(2 ** slots.length - 1, 2 * slots.length + 1)
  const predicting = studyCount * whatIfPatterns * forwardOfStudy * 0.7
  const imagePass = imageCount * 7.7e9
  const saved = config.batchSize * tokens * width * 4 * savedWidthsPerToken * blocks.length
  const prefixes = config.adapter === 'zero-fill' ? 0 : studyCount * tokens * width * 4 * 2
  return { estimatedSeconds: (training + predicting + imagePass) / rate, estimatedBytes: engineBaseBytes + saved + prefixes }
}

let rate: number | null = null

/** Floating-point operations a second of a matrix product about as large as the model's own, measured once in this process. */
function measuredRate(session: Session): number {
  if (rate !== null) return rate
  const { tf } = session.compute
  const [rows, inner, columns] = [1536, 384, 1536] as const
  rate = tf.tidy(() => {
    const a = tf.randomUniform([rows, inner], 0, 1, 'float32', 1)
    const b = tf.randomUniform([inner, columns], 0, 1, 'float32', 2)
    a.matMul(b).dataSync()
    const startedMs = performance.now()
    const repeats = session.compute.kind === 'wasm' ? 1 : 8
    for (let i = 0; i < repeats; i++) a.matMul(b).dataSync()
    // Attention, norms and the round trips between kernels make a whole step slower than its matrix products alone.
    return (0.6 * repeats * 2 * rows * inner * columns) / ((performance.now() - startedMs) / 1000)
  })
  return Math.max(rate, megaflop)
}

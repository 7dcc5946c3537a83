import { freemem } from 'node:os'
import type { NetworkLoad } from '../../adapters/network.ts'
import { keepingOf, measureMatmulRate, openCompute } from '../../compute/backend.ts'
import { freeDeviceBytes } from '../../compute/device/facts.ts'
import { estimateRun as estimateSize, keptBytes } from '../../compute/memory.ts'
import type { DeviceVerdict, RunConfig } from '../../domain/run.ts'
import type { Slot } from '../../domain/slots.ts'
import type { JobContext, JobRequest, JobResult } from '../../protocol.ts'
import { planModalities } from '../inputs/inputs.ts'
import { countTrained, createModel, createNetwork, keepingOfRun, openSession, phasesOf, type Session } from './session.ts'

/** Tokens of a typical short note with its frame. */
const typicalTextTokens = 24
/** Feed-forward width of the embedded text encoder in units of its width. */
const feedForwardFactor = 4

/** The device verdict without loading any model. */
export async function deviceVerdict(_request: JobRequest<'device:verdict'>, _context: JobContext): Promise<DeviceVerdict> {
  return (await openCompute()).verdict
}

/**
 * Trained parameters (counted on the real network), and time and memory from its size and this machine's measured speed.
 * The time is a forecast, good to a factor of about two: early stopping is not foreseen, other programs are not known.
 */
export async function estimateRun(request: JobRequest<'run:estimate'>, context: JobContext): Promise<JobResult<'run:estimate'>> {
  const { config, slots } = request
  const session = await openSession(request, context.signal, false)
  const plan = planModalities(slots, config.mora.modalitiesBy)
  const network = createNetwork(session, config, plan, 0)
  const model = createModel(session, network, config, null)
  const { trainedParameterCount, totalParameterCount } = model
  const phases = phasesOf(config, plan)?.map((phase) => ({ name: phase.name, trainedParameters: countTrained(network, phase) }))
  model.dispose()
  return {
    trainedParameters: trainedParameterCount,
    totalParameters: totalParameterCount,
    ...(phases === undefined ? {} : { phases }),
    ...forecast(session, request, network.load, plan.imageIndexOfSlot.size, trainedParameterCount, totalParameterCount),
    availableBytes: freeDeviceBytes(session.compute.kind) ?? freemem(),
    verdict: session.compute.verdict,
  }
}

function forecast(
  session: Session, request: JobRequest<'run:estimate'>, load: NetworkLoad | undefined, imageSlots: number, trainedParameters: number, totalParameters: number,
): { estimatedSeconds: number; estimatedBytes: number } {
  const { config, slots, studyCount, imageCount } = request
  const { width, heads, blocks } = session.backbone
  const hasText = slots.some((slot) => slot.modality === 'text')
  const gigaflops = measuredRate(session)
  const folds = config.split.kind === 'k-fold' ? config.split.folds : 1
  const size = { width, heads, blocks: blocks.length, feedForward: feedForwardFactor * width }
  const tokens = imageSlots * session.reader.imageTokens + (hasText ? Math.min(typicalTextTokens, config.maxTextTokens) : 0)
  const halves = keptBytes(config.batchSize * tokens, size, load?.firstBlock ?? blocks.length)
  const estimate = estimateSize({
    ...size, tokens, batchSize: config.batchSize,
    ...(load ?? { firstBlock: blocks.length, cachesBlockOutput: false }),
    ...(session.compute.kernels.blocks === undefined ? {} : { keeping: keepingOfRun(config) ?? keepingOf(session.compute, halves) }),
    frozenParameters: totalParameters - trainedParameters, trainedParameters,
    // Validation costs about half a training step for each of its samples.
    trainingSamples: studyCount * folds * (trainShare(config) + valShare(config) / 2),
    prefixEntries: studyCount * whatIfPatterns(slots),
    epochs: config.epochs,
    gigaflops,
  })
  return { estimatedSeconds: estimate.seconds + (imageCount * session.reader.imageFlops) / (gigaflops * 1e9), estimatedBytes: estimate.peakBytes + estimate.cacheBytes }
}

function trainShare(config: RunConfig): number {
  return config.split.kind === 'holdout' ? config.split.train : (1 - 1 / config.split.folds) * 0.8
}

function valShare(config: RunConfig): number {
  return config.split.kind === 'holdout' ? config.split.val : (1 - 1 / config.split.folds) * 0.2
}

function whatIfPatterns(slots: readonly Slot[]): number {
  return slots.length <= 4 ? 2 ** slots.length - 1 : 2 * slots.length + 1
}

let rate: number | null = null

/** Rate of this machine in 10^9 operations a second, measured once in this process. */
function measuredRate(session: Session): number {
  rate ??= Math.max(measureMatmulRate(session.compute, () => performance.now()), 0.1)
  return rate
}

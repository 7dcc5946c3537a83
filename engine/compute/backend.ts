import { AppError } from '../domain/errors.ts'
import { readDeviceFacts, type DeviceFacts, type Trial } from './device/facts.ts'
import { type LoadedTensorflow, loadTensorflow, tensorflowTrial } from './device/open-tensorflow.ts'
import { openWasm } from './device/open-wasm.ts'
import { openWebgpu } from './device/open-webgpu.ts'
import { candidates, choiceFrom, judge, obstacleBefore, type BackendChoice, type BackendKind, type DeviceVerdict, type Trials } from './device/verdict.ts'
import type { Keeping, Kernels } from './kernels.ts'
import { loadNativeKernels } from './kernels-native.ts'
import { createPlainKernels } from './kernels-plain.ts'
import { createTensorflowKernels } from './kernels-tensorflow.ts'
import type { Tensor2D, Tf } from './tensorflow.ts'

/** An open compute backend; pass it to everything that handles tensors. */
export interface Compute {
  tf: Tf
  kind: BackendKind
  verdict: DeviceVerdict
  kernels: Kernels
  /** What frozen blocks keep between their passes, where a run has set it; read it through `keepingOf`. */
  keeping?: Keeping
  /** Throws what the device has reported since the last call, where that comes late (WebGPU); call it before trained tensors are changed. */
  settle: () => void
}

/** From how many bytes of kept values on most blocks compute theirs again: 15 % of the time for a third of the memory of a ViLT-sized step. */
const MUCH_TO_KEEP = 128e6

/**
 * What frozen blocks keep unless a run sets it: halves (the golden trainings stay within 1e-5 of the reference with them), of every third
 * block alone where `halves`, the bytes that all blocks of a step would keep, are many.
 */
export function keepingOf(compute: Pick<Compute, 'keeping'>, halves: number): Keeping {
  return compute.keeping ?? (halves > MUCH_TO_KEEP ? 'mixed' : 'half')
}

export interface OpenComputeOptions {
  /** `auto` takes the best that works; a named backend is used or refused, never replaced. Without it LACUNA_BACKEND decides, else `auto`. */
  choice?: BackendChoice
  /** Use only operations that every backend has; for tests and comparisons. */
  plainKernels?: boolean
}

let facts: DeviceFacts | null = null
const open = new Map<BackendKind, Promise<Opened>>()

/** A backend that was tried, with the means to compute when it works. */
interface Opened {
  trial: Trial
  tf: Tf | null
  settle: () => void
}

/**
 * Opens the compute backend: CUDA, else WebGPU on a real graphics device, else TensorFlow on the processor, else WebAssembly.
 * Every backend that was passed over stands in the verdict with its reason.
 * Throws COMPUTE_CHOICE_FAILED when the chosen backend cannot be used, COMPUTE_UNAVAILABLE when none can.
 */
export async function openCompute(options: OpenComputeOptions = {}): Promise<Compute> {
  const choice = options.choice ?? choiceFrom(process.env['LACUNA_BACKEND'])
  facts ??= readDeviceFacts()
  const trials: Trials = {}
  for (const kind of candidates(choice)) {
    if (obstacleBefore(kind, facts, choice) !== null) continue
    const opened = await openOnce(kind, facts, choice)
    trials[kind] = opened.trial
    if (!opened.trial.works || opened.tf === null) continue
    const judgement = judge(facts, choice, trials)
    if ('refusal' in judgement) throw new Error(`a backend works and is refused: ${judgement.refusal}`)
    const kernels = kernelsFor(kind, opened.tf, options.plainKernels ?? false)
    return { tf: opened.tf, kind, verdict: judgement.verdict, kernels, settle: opened.settle }
  }
  const judgement = judge(facts, choice, trials)
  throw new AppError(choice === 'auto' ? 'COMPUTE_UNAVAILABLE' : 'COMPUTE_CHOICE_FAILED', 'refusal' in judgement ? judgement.refusal : 'No compute backend could be started.')
}

/** A device is opened once in a process; TensorFlow.js keeps its backends by name. */
function openOnce(kind: BackendKind, known: DeviceFacts, choice: BackendChoice): Promise<Opened> {
  let opened = open.get(kind)
  if (opened === undefined) {
    opened = openKind(kind, known, choice)
    open.set(kind, opened)
  }
  return opened
}

async function openKind(kind: BackendKind, known: DeviceFacts, choice: BackendChoice): Promise<Opened> {
  const settle = (): void => undefined
  if (kind === 'webgpu') {
    const { trial, device } = await openWebgpu(choice === 'webgpu')
    return { trial, tf: device?.tf ?? null, settle: device?.settle ?? settle }
  }
  if (kind === 'wasm') return { ...await openWasm(known.processor.name), settle }
  // A processor that was chosen by name must not find a card in the CUDA build.
  const showsCard = choice !== 'cpu' && obstacleBefore('cuda', known, choice) === null
  const result: LoadedTensorflow | Error = loadTensorflow(known, showsCard)
  return { trial: tensorflowTrial(kind, known, result), tf: result instanceof Error ? null : result.tf, settle }
}

/**
 * The fastest kernels that are right on a backend. The compiled ones are for the processor: TensorFlow registers them for no other
 * device, and would copy every tensor off the card to run them.
 */
export function kernelsFor(kind: BackendKind, tf: Tf, plain: boolean, loadNative: (tf: Tf) => Kernels | null = loadNativeKernels): Kernels {
  if (plain || kind === 'wasm' || kind === 'webgpu') return createPlainKernels(tf)
  return (kind === 'cpu' ? loadNative(tf) : null) ?? createTensorflowKernels(tf)
}

/** Rate of a 1024-cubed matrix product on the open backend in 10^9 operations a second, best of a few; takes well under a second on TensorFlow. */
export function measureMatmulRate(compute: Compute, now: () => number): number {
  const { tf } = compute
  const side = compute.kind === 'wasm' || compute.verdict.device.includes('software') ? 256 : 1024
  const a: Tensor2D = tf.ones([side, side])
  let best = 0
  for (let i = 0; i < 4; i++) {
    const start = now()
    const product = compute.kernels.matMul(a, a)
    product.dataSync()
    product.dispose()
    best = Math.max(best, (2 * side ** 3) / (now() - start) / 1e6)
  }
  a.dispose()
  return best
}

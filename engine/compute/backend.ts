import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import path from 'node:path'
import util from 'node:util'
import { AppError } from '../domain/errors.ts'
import type { Kernels } from './kernels.ts'
import { createPlainKernels } from './kernels-plain.ts'
import { createTensorflowKernels } from './kernels-tensorflow.ts'
import { loadNativeKernels } from './kernels-native.ts'
import type { Tensor2D, Tf } from './tensorflow.ts'

export type BackendKind = 'cuda' | 'cpu' | 'wasm'

/** Which device computes and why, in words a clinician can act on; shown on the first screen and stored with every run. */
export interface DeviceVerdict {
  backend: BackendKind
  device: string
  reason: string
  remedy: string | null
}

/** An open compute backend; pass it to everything that handles tensors. */
export interface Compute {
  tf: Tf
  kind: BackendKind
  verdict: DeviceVerdict
  kernels: Kernels
}

export interface OpenComputeOptions {
  /** Ask for one backend only; without it the best available one is taken. `native` is CUDA or CPU through TensorFlow. */
  preferred?: 'native' | 'wasm'
  /** Use only operations that every backend has; for tests and comparisons. */
  plainKernels?: boolean
}

const require = createRequire(import.meta.url)

/**
 * Opens the compute backend: TensorFlow (CUDA when a device is there, else CPU), or WASM as the named last resort.
 * WASM is about 50 times slower than TensorFlow on the same machine, so falling back to it always says so in the verdict.
 * Throws COMPUTE_UNAVAILABLE when neither loads.
 */
export async function openCompute(options: OpenComputeOptions = {}): Promise<Compute> {
  if (options.preferred === 'wasm') return openWasm('WASM was asked for by setting.')
  let failure: string
  try {
    return openTensorflow(options.plainKernels ?? false)
  } catch (error) {
    failure = firstLine(error)
    if (options.preferred === 'native') {
      throw new AppError('COMPUTE_UNAVAILABLE', `TensorFlow could not be loaded: ${failure}`, { cause: error })
    }
  }
  return openWasm(`TensorFlow could not be loaded (${failure}), so the slow WASM backend is in use.`)
}

function openTensorflow(plainKernels: boolean): Compute {
  // Read by TensorFlow when its library loads; without it every start prints build remarks to stderr.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  // tfjs-node 4.22 still calls helpers that Node 23 removed or warns about.
  const legacyUtil = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean; isArray: (value: unknown) => boolean }
  legacyUtil.isNullOrUndefined ??= (value) => value === null || value === undefined
  legacyUtil.isArray = Array.isArray
  const tf = require('@tensorflow/tfjs-node-gpu') as Tf
  // The package prints an advertisement for itself otherwise; warnings of the namespace itself are not wanted in logs.
  tf.env().set('IS_TEST', true)
  const usesGpu = (tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice
  const kernels = plainKernels ? createPlainKernels(tf) : (usesGpu ? null : loadNativeKernels(tf)) ?? createTensorflowKernels(tf)
  const processor = cpus()[0]?.model.trim() ?? 'processor'
  const verdict: DeviceVerdict = usesGpu
    ? { backend: 'cuda', device: 'NVIDIA graphics card', reason: 'TensorFlow found a CUDA device.', remedy: null }
    : {
        backend: 'cpu',
        device: `${processor}, ${availableParallelism()} cores`,
        reason: 'TensorFlow runs on the processor: no CUDA device was found.',
        remedy: 'For faster training use a workstation with an NVIDIA card and the CUDA build of TensorFlow.',
      }
  return { tf, kind: verdict.backend, verdict, kernels }
}

async function openWasm(reason: string): Promise<Compute> {
  try {
    const tf = require('@tensorflow/tfjs') as Tf
    const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void }
    wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), path.sep))
    if (!(await tf.setBackend('wasm'))) throw new Error('the WASM backend did not start')
    await tf.ready()
    const verdict: DeviceVerdict = {
      backend: 'wasm',
      device: 'WebAssembly on the processor',
      reason,
      remedy: 'Run "npm run setup" again so that TensorFlow is installed; training is about 50 times faster with it.',
    }
    return { tf, kind: 'wasm', verdict, kernels: createPlainKernels(tf) }
  } catch (error) {
    throw new AppError('COMPUTE_UNAVAILABLE', `No compute backend could be started: ${firstLine(error)}`, { cause: error })
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? 'unknown reason'
}

/** Rate of a 1024-cubed matrix product on the open backend in 10^9 operations a second, best of a few; takes well under a second on TensorFlow. */
export function measureMatmulRate(compute: Compute, now: () => number): number {
  const { tf } = compute
  const side = compute.kind === 'wasm' ? 256 : 1024
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

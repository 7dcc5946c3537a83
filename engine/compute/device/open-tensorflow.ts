import { createRequire } from 'node:module'
import util from 'node:util'
import { tensorflowBackend } from '../kernels-tensorflow.ts'
import type { Tf } from '../tensorflow.ts'
import type { DeviceFacts, Trial } from './facts.ts'
import { withSmallLibraries } from './native-library.ts'
import { isRightProduct } from './self-test.ts'
import { bestCard } from './verdict.ts'
import { errorLine } from './words.ts'

const require = createRequire(import.meta.url)

export interface LoadedTensorflow {
  tf: Tf
  usesGpu: boolean
}

let loaded: LoadedTensorflow | Error | null = null

/**
 * Loads native TensorFlow once in this process; the card has to be shown or hidden before that and cannot be changed afterwards.
 * Returns the error where it does not load.
 */
export function loadTensorflow(facts: DeviceFacts, showCard: boolean): LoadedTensorflow | Error {
  loaded ??= load(facts, showCard)
  return loaded
}

function load(facts: DeviceFacts, showCard: boolean): LoadedTensorflow | Error {
  for (const [name, value] of Object.entries(libraryEnvironment(facts, showCard))) process.env[name] ??= value
  if (!showCard) process.env['CUDA_VISIBLE_DEVICES'] = '-1'
  // tfjs-node 4.22 still calls helpers that Node 23 removed or warns about.
  const legacyUtil = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean; isArray: (value: unknown) => boolean }
  legacyUtil.isNullOrUndefined ??= (value) => value === null || value === undefined
  legacyUtil.isArray = Array.isArray
  try {
    const [tf, isRight] = withSmallLibraries(() => {
      const namespace = require('@tensorflow/tfjs-node-gpu') as Tf
      // The package prints an advertisement for itself otherwise; warnings of the namespace itself are not wanted in logs.
      namespace.env().set('IS_TEST', true)
      return [namespace, isRightProduct(namespace)] as const
    })
    if (!isRight) return new Error('it multiplies two matrices wrongly')
    return { tf, usesGpu: (tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/**
 * What TensorFlow and the CUDA libraries read when they load; set only where the person has not set it.
 * TF32 (10 bits of mantissa) is off, because results are held to float32 on every backend: it would move hidden states by about 1e-3.
 */
export function libraryEnvironment(facts: DeviceFacts, showCard: boolean): Record<string, string> {
  // Without it every start prints build remarks to stderr.
  const quiet = { TF_CPP_MIN_LOG_LEVEL: '2' }
  if (!showCard || facts.nvidia.cards.length === 0) return quiet
  return {
    ...quiet,
    // Takes memory as it is needed instead of all of the card at once: the display and other programs need theirs.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    NVIDIA_TF32_OVERRIDE: '0',
    // The same seed gives the same numbers; TensorFlow then refuses or replaces sums whose order depends on chance.
    TF_DETERMINISTIC_OPS: '1',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: String(facts.nvidia.cards.indexOf(bestCard(facts.nvidia.cards))),
  }
}

/** What loading showed of the CUDA backend or of the processor backend. */
export function tensorflowTrial(kind: 'cuda' | 'cpu', facts: DeviceFacts, result: LoadedTensorflow | Error): Trial {
  if (result instanceof Error) return { works: false, failure: errorLine(result) }
  const version = (tensorflowBackend(result.tf).binding as { TF_Version?: string }).TF_Version ?? null
  if (kind === 'cpu') return { works: true, device: `${facts.processor.name}, ${facts.processor.cores} cores`, version }
  if (!result.usesGpu) return { works: false, failure: 'it loads, but reports no usable card: a CUDA or cuDNN library is missing or the driver refuses it' }
  const card = facts.nvidia.cards.length > 0 ? bestCard(facts.nvidia.cards) : null
  return { works: true, device: card === null ? 'NVIDIA card' : `${card.name}, ${(card.memoryMegabytes / 1000).toFixed(1)} GB, driver ${card.driver}`, version }
}

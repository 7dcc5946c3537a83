import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { loadNativeLibrary } from './device/native-library.ts'
import { type BlockCall, type BlockKernels, type Kernels, type TrainedParts, release } from './kernels.ts'
import { createTensorflowKernels, tensorflowBackend } from './kernels-tensorflow.ts'
import type { Tensor, Tensor2D, Tensor4D, Tf } from './tensorflow.ts'

/**
 * Fused processor kernels from the compiled library, or null where it is not there: then the engine computes the same numbers with
 * plain TensorFlow operations, slower.
 */
export function loadNativeKernels(tf: Tf): Kernels | null {
  const library = loadNativeLibrary('lacuna_kernels') as { releaseMemory: () => void } | null
  if (library === null) return null
  const releaseMemory = (): void => {
    collectGarbage()
    library.releaseMemory()
  }
  // TensorFlow's start-up reads parts of its libraries that nothing needs again.
  releaseMemory()
  return { ...createNativeKernels(tf), releaseMemory }
}

/** V8 frees typed arrays, the weights' copies among them, only when it collects; it does not see that native memory is short. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: object) => void
  // The thorough kind also gives back the pages that the heap grew to while packages were read.
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

function createNativeKernels(tf: Tf): Kernels {
  const backend = tensorflowBackend(tf)
  const { TF_ATTR_FLOAT, TF_ATTR_INT } = backend.binding
  const run = (name: string, inputs: Tensor[], attributes: object[] = []): Tensor => backend.executeSingleOutput(name, attributes, inputs)
  const epsilonAttribute = (epsilon: number): object[] => [{ name: 'epsilon', type: TF_ATTR_FLOAT, value: epsilon }]
  const headsAttributes = (batch: number, heads: number): object[] =>
    [{ name: 'batch', type: TF_ATTR_INT, value: batch }, { name: 'heads', type: TF_ATTR_INT, value: heads }]

  return {
    ...createTensorflowKernels(tf),
    name: 'native',
    addBiasResidual: (x, bias, residual) => run('LacunaAddBiasResidual', [x, bias, residual]) as Tensor2D,
    layerNorm: (x, gamma, beta, epsilon) => run('LacunaLayerNorm', [x, gamma, beta], epsilonAttribute(epsilon)) as Tensor2D,
    layerNormGradient: (dy, x, gamma, epsilon, residual) => (residual === undefined
      ? run('LacunaLayerNormGradient', [dy, x, gamma], epsilonAttribute(epsilon))
      : run('LacunaLayerNormGradientAdd', [dy, x, gamma, residual], epsilonAttribute(epsilon))) as Tensor2D,
    gelu: (x, bias) => (bias === undefined ? run('LacunaGelu', [x]) : run('LacunaBiasGelu', [x, bias])) as Tensor2D,
    geluGradient: (dy, x, bias) =>
      (bias === undefined ? run('LacunaGeluGradient', [dy, x]) : run('LacunaBiasGeluGradient', [dy, x, bias])) as Tensor2D,
    softmax: (scores, keyBias) => (keyBias === null ? run('LacunaSoftmax', [scores]) : run('LacunaMaskedSoftmax', [scores, keyBias])) as Tensor4D,
    softmaxGradient: (dp, p) => run('LacunaSoftmaxGradient', [dp, p]) as Tensor4D,
    splitQueryKeyValue: (x, bias, batch, heads) =>
      backend.executeMultipleOutputs('LacunaSplitQkv', headsAttributes(batch, heads), [x, bias], 3) as [Tensor4D, Tensor4D, Tensor4D],
    joinQueryKeyValue: (q, k, v) => run('LacunaJoinQkv', [q, k, v]) as Tensor2D,
    splitHeads: (x, batch, heads) => run('LacunaSplitHeads', [x], headsAttributes(batch, heads)) as Tensor4D,
    joinHeads: (x) => run('LacunaJoinHeads', [x]) as Tensor2D,
    blocks: createBlockKernels(tf),
    adamW: (value, gradient, first, second, update) => tf.tidy(() => {
      const { beta1, beta2, shrink, rate, secondScale, epsilon } = update
      const numbers = tf.tensor1d([beta1, beta2, shrink, rate, secondScale, epsilon, 1 - beta1, 1 - beta2])
      return backend.executeMultipleOutputs('LacunaAdamW', [], [value, gradient, first, second, numbers], 3) as [Tensor, Tensor, Tensor]
    }),
  }
}

function createBlockKernels(tf: Tf): BlockKernels {
  const backend = tensorflowBackend(tf)
  const { TF_ATTR_FLOAT, TF_ATTR_INT } = backend.binding
  const integer = (name: string, value: number): object => ({ name, type: TF_ATTR_INT, value })
  const attributesOf = (call: BlockCall, keep: number): object[] => [
    { name: 'epsilon', type: TF_ATTR_FLOAT, value: call.epsilon }, integer('heads', call.heads), integer('pre_norm', Number(call.preNorm)),
    integer('first_only', Number(call.firstOnly)), integer('keep', keep),
  ]
  const layoutOf = (call: BlockCall): Tensor[] => [tf.tensor1d(call.lengths as number[], 'int32'), call.keyBias ?? tf.tensor1d([], 'float32')]
  /** In the order of native/block/trained-operations.h; what is not there has no elements. */
  const inputsOf = ({ sets, factors, prompts, updates }: TrainedParts): Tensor[] => {
    const nothing = (): Tensor => tf.tensor1d([], 'float32')
    return [tf.tensor1d(sets as number[], 'int32'), factors ?? nothing(), prompts ?? nothing(), ...updates.flatMap((update) => [update?.down ?? nothing(), update?.up ?? nothing()])]
  }
  /** As `Keep` in native/block/block.h numbers them. */
  const numberOf = { half: 1, full: 2, input: 3 }
  return {
    forward: (x, weights, call, keep) => {
      const [y, kept] = tf.tidy(() => backend.executeMultipleOutputs('LacunaBlockForward',
        attributesOf(call, keep === null ? 0 : numberOf[keep]), [x, ...weights, ...layoutOf(call)], 2)) as [Tensor2D, Tensor]
      if (keep === null) kept.dispose()
      return { y, kept: keep === null ? null : kept }
    },
    backward: (dy, kept, weights, call, keep) => tf.tidy(() =>
      backend.executeSingleOutput('LacunaBlockBackward', attributesOf(call, numberOf[keep]), [dy, kept, ...weights, ...layoutOf(call)]) as Tensor2D),
    forwardTrained: (x, weights, parts, call, keep) => {
      const [y, kept] = tf.tidy(() => backend.executeMultipleOutputs('LacunaTrainedBlockForward',
        attributesOf(call, keep ? numberOf.full : 0), [x, ...weights, ...layoutOf(call), ...inputsOf(parts)], 2)) as [Tensor2D, Tensor]
      if (!keep) kept.dispose()
      return { y, kept: keep ? kept : null }
    },
    backwardTrained: (dy, kept, weights, parts, call, asks) => {
      const attributes = [
        ...attributesOf(call, numberOf.full), integer('wants_vectors', Number(asks.vectors)), integer('wants_prompts', Number(asks.prompts)),
        integer('wants_updates', asks.updates.reduce((bits, isAsked, site) => bits | (Number(isAsked) << site), 0)),
      ]
      const [dx, ...rest] = tf.tidy(() => backend.executeMultipleOutputs('LacunaTrainedBlockBackward', attributes,
        [dy, kept, ...weights, ...layoutOf(call), ...inputsOf(parts)], 12)) as [Tensor2D, ...Tensor[]]
      const [vectors, factors, prompts, ...updates] = rest.map((tensor) => (tensor.size > 0 ? tensor : release(null, tensor)))
      return {
        dx, vectors: vectors as Tensor2D | null, factors: factors as Tensor2D | null, prompts: prompts as Tensor4D | null,
        updates: parts.updates.map((_, site) => (updates[2 * site] == null ? null : { down: updates[2 * site] as Tensor2D, up: updates[2 * site + 1] as Tensor2D })),
      }
    },
  }
}

/** A frozen block by the backend's kernel for whole blocks. */
import type { BlockCall, BlockKernels } from '../compute/kernels.ts'
import type { Tensor } from '../compute/tensorflow.ts'
import type { BlockPass, BlockShape, BlockWeights, SavedFused } from './transformer-block.ts'

export function createFusedPass(kernels: BlockKernels, weights: BlockWeights, preNorm: boolean, epsilon: number): BlockPass<SavedFused> {
  const list: readonly Tensor[] = [
    weights.qkvWeight, weights.qkvBias, weights.outputWeight, weights.outputBias, weights.norm1Gamma, weights.norm1Beta,
    weights.expandWeight, weights.expandBias, weights.contractWeight, weights.contractBias, weights.norm2Gamma, weights.norm2Beta,
  ]
  const callOf = (shape: BlockShape, rows: number): BlockCall => ({
    preNorm, epsilon, heads: shape.heads, keyBias: shape.keyBias, firstOnly: shape.firstOnly ?? false,
    lengths: new Array<number>(shape.batch).fill(rows / shape.batch),
  })
  return {
    forward: (x, shape, keep) => {
      const { y, kept } = kernels.forward(x, list, callOf(shape, x.shape[0]), keep ? shape.keeping ?? 'full' : null)
      return { y, saved: kept === null ? null : { kept, rows: x.shape[0] } }
    },
    backward: (dy, { kept, rows }, shape) => {
      const dx = kernels.backward(dy, kept, list, callOf(shape, rows), shape.keeping ?? 'full')
      kept.dispose()
      return dx
    },
  }
}

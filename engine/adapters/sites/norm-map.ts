import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Parameter } from '../../compute/parameters.ts'
import type { Tensor, Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import type { TokenMap } from './token-map.ts'

export interface FrozenNorm {
  /** [D] */
  readonly gamma: Tensor1D
  /** [D] */
  readonly beta: Tensor1D
  readonly epsilon: number
}

/** Layer norm with its own or trained gain and offset (null: the frozen one); mean and variance are computed again on the way back. */
export function normMap(compute: Compute, frozen: FrozenNorm, trainedGamma: Parameter | null = null, trainedBeta: Parameter | null = null): TokenMap {
  const { tf, kernels } = compute
  const { epsilon } = frozen
  return {
    readsInput: true,
    isCheap: true,
    fold: () => ({ weight: (trainedGamma?.value ?? frozen.gamma).clone(), bias: (trainedBeta?.value as Tensor1D | undefined ?? frozen.beta).clone() }),
    fused: {
      byPattern: false,
      hasUpdate: false,
      trains: () => ({ vectors: trainedGamma?.isTrained === true || trainedBeta?.isTrained === true, update: false }),
      weight: () => null,
      vectors: (patterns) => {
        const rows = (values: Tensor): Tensor2D => tf.tidy(() => values.reshape<Tensor2D>([1, -1]).tile<Tensor2D>([patterns.length, 1]))
        return { offset: rows(trainedBeta?.value ?? frozen.beta), factor: rows(trainedGamma?.value ?? frozen.gamma) }
      },
      update: () => null,
      write: ({ vectors }, _patterns, gradients) => {
        if (trainedBeta?.isTrained === true) gradients.set(trainedBeta.name, vectors!.offset.sum(0))
        if (trainedGamma?.isTrained === true) gradients.set(trainedGamma.name, vectors!.factor!.sum(0))
      },
    },
    isTrained: () => (trainedGamma?.isTrained ?? false) || (trainedBeta?.isTrained ?? false),
    forward: (x) => {
      const gamma = (trainedGamma?.value ?? frozen.gamma) as Tensor1D
      const beta = (trainedBeta?.value ?? frozen.beta) as Tensor1D
      return {
        y: kernels.layerNorm(x, gamma, beta, epsilon),
        discard: () => {},
        backward: (dy, input, gradients, needsInput) => {
          if (trainedBeta?.isTrained === true) gradients.set(trainedBeta.name, dy.sum(0))
          if (trainedGamma?.isTrained === true) {
            const [ones, zeros] = [tf.onesLike(gamma), tf.zerosLike(beta)]
            const standardised = release(kernels.layerNorm(input!, ones, zeros, epsilon), ones, zeros)
            gradients.set(trainedGamma.name, release(tf.tidy(() => dy.mul<Tensor2D>(standardised).sum(0)), standardised))
          }
          return needsInput ? kernels.layerNormGradient(dy, input!, gamma, epsilon) : null
        },
      }
    },
  }
}

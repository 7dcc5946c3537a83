import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients, Parameter, ParameterSet } from '../../compute/parameters.ts'
import { type RandomSource, normalArray } from '../../compute/random-source.ts'
import { type Tensor1D, type Tensor2D, disposeAll } from '../../compute/tensorflow.ts'

/** One modality's features in a batch. */
export interface EncodedModality {
  /** [B, P]; kept by the pass. */
  features: Tensor2D
  /** dL/dfeatures [B, P] -> gradients of the encoder and of the learned substitute. Runs once; frees what was kept. */
  backward: (dFeatures: Tensor2D, gradients: Gradients) => void
  discard: () => void
}

export interface ModalityEncoder {
  /**
   * @param x [B, W] descriptions, with the input stand-in already in the rows that lack the modality; the encoder frees it
   * @param present [B, 1] of 0/1 where rows without the modality take the substitute vector instead of their features; null: all rows count as present
   */
  encode: (x: Tensor2D, present: Tensor2D | null) => EncodedModality
}

/** Trained projection of a frozen description, Linear W->P and GELU, named `encoder.<modality>.*`; with `learned` also the vector that replaces a missing modality. */
export function createEncoder(
  compute: Compute, parameters: ParameterSet, random: RandomSource, name: string, inputs: number, width: number, learned: boolean,
): ModalityEncoder {
  const { tf, kernels } = compute
  const weight = parameters.add(`encoder.${name}.weight`, normalArray(random, inputs * width, 1 / Math.sqrt(inputs)), [inputs, width], 'adapter')
  const bias = parameters.add(`encoder.${name}.bias`, new Float32Array(width), [width], 'adapter')
  const substitute: Parameter | null = learned ? parameters.add(`substitute.${name}`, normalArray(random, width, 0.02), [width], 'adapter') : null

  return {
    encode: (x, present) => {
      const product = kernels.matMul(x, weight.value as Tensor2D) // [B, P]
      const activated = kernels.gelu(product, bias.value as Tensor1D)
      const kept = present?.clone() ?? null
      const features = kept === null ? activated.clone() : tf.tidy(() => {
        const own = activated.mul<Tensor2D>(kept)
        return substitute === null ? own : own.add<Tensor2D>(kept.mul(-1).add(1).mul(substitute.value))
      })
      activated.dispose()
      const discard = (): void => disposeAll(x, product, kept, features)
      return {
        features, discard,
        backward: (dFeatures, gradients) => {
          if (substitute?.isTrained === true) gradients.set(substitute.name, tf.tidy(() => (kept === null ? tf.zeros(substitute.shape) : dFeatures.mul(kept.mul(-1).add(1)).sum(0))))
          if (weight.isTrained) {
            const dActivated = kept === null ? dFeatures.clone() : dFeatures.mul<Tensor2D>(kept)
            const dProduct = release(kernels.geluGradient(dActivated, product, bias.value as Tensor1D), dActivated)
            gradients.set(weight.name, kernels.matMul(x, dProduct, true, false))
            gradients.set(bias.name, dProduct.sum(0))
            dProduct.dispose()
          }
          discard()
        },
      }
    },
  }
}

/**
 * The trained end of the network: pooler Linear D->D with tanh, then classifier Linear D->2D, LayerNorm, GELU, Linear 2D->C
 * (METHODS 1; the head of ViLT's task heads). Gradients are written out by hand.
 */
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import type { Gradients, Parameter, ParameterSet } from '../compute/parameters.ts'
import { type RandomSource, normalArray } from '../compute/random-source.ts'
import { type Tensor1D, type Tensor2D, disposeAll } from '../compute/tensorflow.ts'

/** As torch.nn.LayerNorm; the backbones' own norms use 1e-12. */
const NORM_EPSILON = 1e-5
/** Standard deviation of new linear weights, as BERT and ViLT initialise theirs. */
const INITIAL_DEVIATION = 0.02

export interface HeadOutput {
  /** [B, C] */
  logits: Tensor2D
  /** dL/dlogits [B, C] -> dL/dfeatures [B, D]; writes the head's gradients into `gradients`; can run once. */
  backward(dLogits: Tensor2D, gradients: Gradients): Tensor2D
  /** Frees what `backward` would have used. */
  discard(): void
}

export interface Head {
  /** features [B, D]; kept by the caller. */
  forward(features: Tensor2D): HeadOutput
}

/** Adds the head's tensors to `parameters`. The pooler starts from the backbone's own where it has one. */
export function createHead(
  compute: Compute, parameters: ParameterSet, random: RandomSource, width: number, classes: number,
  pooler: { weight: Float32Array; bias: Float32Array } | null,
): Head {
  const { tf, kernels } = compute
  const D = width
  const linear = (name: string, inputs: number, outputs: number): [Parameter, Parameter] => [
    parameters.add(`${name}.weight`, normalArray(random, inputs * outputs, INITIAL_DEVIATION), [inputs, outputs], 'head'),
    parameters.add(`${name}.bias`, new Float32Array(outputs), [outputs], 'head'),
  ]
  const poolWeight = parameters.add('pooler.dense.weight', pooler?.weight ?? normalArray(random, D * D, INITIAL_DEVIATION), [D, D], 'head')
  const poolBias = parameters.add('pooler.dense.bias', pooler?.bias ?? new Float32Array(D), [D], 'head')
  const [expandWeight, expandBias] = linear('classifier.0', D, 2 * D)
  const gamma = parameters.add('classifier.1.weight', new Float32Array(2 * D).fill(1), [2 * D], 'head')
  const beta = parameters.add('classifier.1.bias', new Float32Array(2 * D), [2 * D], 'head')
  const [outputWeight, outputBias] = linear('classifier.3', 2 * D, classes)

  const affine = (x: Tensor2D, weight: Parameter, bias: Parameter): Tensor2D => {
    const product = kernels.matMul(x, weight.value as Tensor2D)
    return release(kernels.addBias(product, bias.value as Tensor1D), product)
  }
  /** Weight and bias gradients of one linear map; returns the gradient of its input. */
  const affineBackward = (dy: Tensor2D, x: Tensor2D, weight: Parameter, bias: Parameter, gradients: Gradients): Tensor2D => {
    gradients.set(weight.name, kernels.matMul(x, dy, true, false))
    gradients.set(bias.name, dy.sum(0))
    return kernels.matMul(dy, weight.value as Tensor2D, false, true)
  }

  return {
    forward: (features) => {
      const beforeTanh = affine(features, poolWeight, poolBias)
      const pooled = release(beforeTanh.tanh() as Tensor2D, beforeTanh) // [B, D]
      const expanded = affine(pooled, expandWeight, expandBias) // [B, 2D]
      const normed = kernels.layerNorm(expanded, gamma.value as Tensor1D, beta.value as Tensor1D, NORM_EPSILON)
      const activated = kernels.gelu(normed)
      const logits = affine(activated, outputWeight, outputBias) // [B, C]
      const kept = features.clone()
      const discard = (): void => disposeAll(kept, pooled, expanded, normed, activated)
      const backward = (dLogits: Tensor2D, gradients: Gradients): Tensor2D => {
        const dActivated = affineBackward(dLogits, activated, outputWeight, outputBias, gradients)
        const dNormed = release(kernels.geluGradient(dActivated, normed), dActivated)
        gradients.set(beta.name, dNormed.sum(0))
        gradients.set(gamma.name, tf.tidy(() => {
          const centred = expanded.sub(expanded.mean(1, true))
          const scaled = centred.mul(centred.square().mean(1, true).add(NORM_EPSILON).rsqrt())
          return dNormed.mul(scaled).sum(0)
        }))
        const dExpanded = release(kernels.layerNormGradient(dNormed, expanded, gamma.value as Tensor1D, NORM_EPSILON), dNormed)
        const dPooled = release(affineBackward(dExpanded, pooled, expandWeight, expandBias, gradients), dExpanded)
        const dBeforeTanh = release(tf.tidy(() => dPooled.mul<Tensor2D>(pooled.square().mul(-1).add(1))), dPooled)
        const dFeatures = release(affineBackward(dBeforeTanh, kept, poolWeight, poolBias, gradients), dBeforeTanh)
        discard()
        return dFeatures
      }
      return { logits, backward, discard }
    },
  }
}

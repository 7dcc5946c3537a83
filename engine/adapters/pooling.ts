import { type Backbone, DUMMY_SEGMENT } from '../backbones/backbone.ts'
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { type Tensor2D, type Tensor4D, disposeAll } from '../compute/tensorflow.ts'

export interface PoolingPass {
  /** [B, D]; belongs to the caller. */
  features: Tensor2D
  /** dL/dfeatures [B, D] -> dL/dx [B*T, D]; runs once. */
  backward(dFeatures: Tensor2D): Tensor2D
  discard(): void
}

export interface Pooling {
  /** x [B*T, D], padded to `tokens`; stays the caller's. */
  forward(x: Tensor2D, batch: readonly { tokens: number; segments: Uint8Array }[], tokens: number): PoolingPass
}

/**
 * From token outputs to one vector for each sample: a fixed weighted mean of its tokens, then the backbone's final norm.
 * 'first' takes token 0 (the norm acts on each token alone, so norming only that one is the same). 'modality-mean' averages the tokens of
 * each present modality and then the modalities, so that 98 image tokens do not drown 10 text tokens.
 */
export function createPooling(compute: Compute, backbone: Backbone): Pooling {
  const { tf, kernels } = compute
  const { finalNorm, width: D } = backbone
  if (finalNorm !== null && backbone.pooling !== 'first') throw new Error('averaging before a final norm is not the same as after it')

  return {
    forward: (x, batch, tokens) => {
      const B = batch.length
      const weights = tf.tensor4d(poolingWeights(batch, tokens, backbone.pooling), [B, 1, 1, tokens])
      const mean = tf.tidy(() => kernels.batchMatMul(weights, x.reshape<Tensor4D>([B, 1, tokens, D])).reshape<Tensor2D>([B, D]))
      const features = finalNorm === null ? mean.clone() : kernels.layerNorm(mean, finalNorm.gamma, finalNorm.beta, finalNorm.epsilon)
      return {
        features,
        discard: () => disposeAll(weights, mean),
        backward: (dFeatures) => {
          const dMean = finalNorm === null ? dFeatures.clone() : kernels.layerNormGradient(dFeatures, mean, finalNorm.gamma, finalNorm.epsilon)
          const dx = tf.tidy(() =>
            kernels.batchMatMul(weights, dMean.reshape<Tensor4D>([B, 1, 1, D]), true, false).reshape<Tensor2D>([B * tokens, D]))
          return release(dx, dMean, weights, mean)
        },
      }
    },
  }
}

/** Weight of each token in its sample's mean, [B, T] row-major; rows sum to 1. */
export function poolingWeights(batch: readonly { tokens: number; segments: Uint8Array }[], tokens: number, pooling: Backbone['pooling']): Float32Array {
  const weights = new Float32Array(batch.length * tokens)
  batch.forEach(({ segments }, b) => {
    if (pooling === 'first') {
      weights[b * tokens] = 1
      return
    }
    const counts = new Map<number, number>()
    for (const segment of segments) if (segment !== DUMMY_SEGMENT) counts.set(segment, (counts.get(segment) ?? 0) + 1)
    segments.forEach((segment, t) => {
      const count = counts.get(segment)
      if (count !== undefined) weights[b * tokens + t] = 1 / (count * counts.size)
    })
  })
  return weights
}

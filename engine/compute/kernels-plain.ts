import type { Kernels } from './kernels.ts'
import type { Tensor, Tensor2D, Tensor4D, Tf } from './tensorflow.ts'

const SQRT_HALF = Math.SQRT1_2
const INVERSE_SQRT_TWO_PI = 1 / Math.sqrt(2 * Math.PI)

/** Kernels in plain TensorFlow.js operations: correct on every backend (WASM, WebGPU, CUDA), the reference for the faster forms. */
export function createPlainKernels(tf: Tf): Kernels {
  const normalise = (x: Tensor2D, epsilon: number): { centredScaled: Tensor2D; inverseDeviation: Tensor2D } => {
    const centred = x.sub<Tensor2D>(x.mean(1, true))
    const inverseDeviation = centred.square().mean(1, true).add(epsilon).rsqrt() as Tensor2D // [M, 1]
    return { centredScaled: centred.mul(inverseDeviation), inverseDeviation }
  }
  /** Phi(x), the standard normal distribution function. */
  const normalCdf = (x: Tensor2D): Tensor2D => x.mul(SQRT_HALF).erf().add(1).mul<Tensor2D>(0.5)

  return {
    name: `plain-${tf.getBackend()}`,
    matMul: (a, b, transposeA = false, transposeB = false) => tf.matMul(a, b, transposeA, transposeB),
    batchMatMul: (a, b, transposeA = false, transposeB = false) => tf.matMul(a as Tensor, b as Tensor, transposeA, transposeB) as Tensor4D,
    addBias: (x, bias) => tf.add<Tensor2D>(x, bias),
    addBiasResidual: (x, bias, residual) => tf.tidy(() => x.add(bias).add<Tensor2D>(residual)),
    layerNorm: (x, gamma, beta, epsilon) => tf.tidy(() => normalise(x, epsilon).centredScaled.mul(gamma).add<Tensor2D>(beta)),
    layerNormGradient: (dy, x, gamma, epsilon, residual) => tf.tidy(() => {
      const { centredScaled, inverseDeviation } = normalise(x, epsilon)
      const g = dy.mul<Tensor2D>(gamma)
      const projection = g.mul(centredScaled).mean(1, true) // [M, 1]
      const dx = g.sub(g.mean(1, true)).sub(centredScaled.mul(projection)).mul<Tensor2D>(inverseDeviation)
      return residual === undefined ? dx : dx.add<Tensor2D>(residual)
    }),
    gelu: (x, bias) => tf.tidy(() => {
      const shifted = bias === undefined ? x : x.add<Tensor2D>(bias)
      return shifted.mul(normalCdf(shifted))
    }),
    geluGradient: (dy, x, bias) => tf.tidy(() => {
      const shifted = bias === undefined ? x : x.add<Tensor2D>(bias)
      const density = shifted.square().mul(-0.5).exp().mul(INVERSE_SQRT_TWO_PI)
      return normalCdf(shifted).add(shifted.mul(density)).mul<Tensor2D>(dy)
    }),
    softmax: (scores, keyBias) => tf.tidy(() => tf.softmax(keyBias === null ? scores : scores.add<Tensor4D>(keyBias))),
    softmaxGradient: (dp, p) => tf.tidy(() => p.mul(dp.sub(dp.mul(p).sum(3, true)))),
    splitQueryKeyValue: (x, bias, batch, heads) => {
      const tokens = x.shape[0] / batch
      const depth = x.shape[1] / (3 * heads)
      return tf.tidy(() => {
        const joined = x.add(bias).reshape([batch, tokens, 3, heads, depth]).transpose([2, 0, 3, 1, 4]) // [3, B, H, T, d]
        return tf.unstack(joined, 0) as [Tensor4D, Tensor4D, Tensor4D]
      })
    },
    joinQueryKeyValue: (q, k, v) => {
      const [batch, heads, tokens, depth] = q.shape
      return tf.tidy(() => tf.stack([q, k, v], 0).transpose([1, 3, 0, 2, 4]).reshape<Tensor2D>([batch * tokens, 3 * heads * depth]))
    },
    splitHeads: (x, batch, heads) => {
      const tokens = x.shape[0] / batch
      return tf.tidy(() => x.reshape([batch, tokens, heads, x.shape[1] / heads]).transpose<Tensor4D>([0, 2, 1, 3]))
    },
    joinHeads: (x) => {
      const [batch, heads, tokens, depth] = x.shape
      return tf.tidy(() => x.transpose([0, 2, 1, 3]).reshape<Tensor2D>([batch * tokens, heads * depth]))
    },
    adamW: (value, gradient, first, second, update) => tf.tidy(() => {
      const newFirst = first.mul(update.beta1).add(gradient.mul(1 - update.beta1))
      const newSecond = second.mul(update.beta2).add(gradient.square().mul(1 - update.beta2))
      const change = newFirst.mul(update.rate).div(newSecond.sqrt().mul(update.secondScale).add(update.epsilon))
      return [value.mul(update.shrink).sub(change), newFirst, newSecond] as [Tensor, Tensor, Tensor]
    }),
  }
}

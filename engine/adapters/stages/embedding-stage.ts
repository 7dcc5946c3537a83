import type { EmbeddingNorm } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Tensor, Tensor2D } from '../../compute/tensorflow.ts'
import { gather, isAnyTrained, isUsed, scatter } from '../sites/batch-view.ts'
import type { ScaleShift } from '../sites/scale-shift.ts'
import type { Sequence, Stage } from './stage.ts'

/**
 * Scale and shift after the layer norm of the embeddings. The embedded tokens are frozen and cached with what is added after that norm
 * (ViLT's modality type t), so the stage works on x - t: y = x + (gamma - 1) (x - t) + beta, on the tokens that the norm acts on.
 */
export function embeddingStage(compute: Compute, norm: EmbeddingNorm, readInput: (name: string) => Tensor | null, set: ScaleShift, width: number): Stage {
  const { tf } = compute
  const D = width
  /** [B, T, 1] of 0/1. */
  const maskOf = ({ view, textTokens }: Sequence): Tensor => {
    if (norm.tokens === 'all') return tf.ones([view.batch, view.tokens, 1])
    const values = new Float32Array(view.batch * view.tokens)
    textTokens.forEach((count, b) => values.fill(1, b * view.tokens, b * view.tokens + count))
    return tf.tensor3d(values, [view.batch, view.tokens, 1])
  }
  return {
    takesCached: false,
    isTrained: () => isAnyTrained(set.gamma, set.beta),
    forward: (input, { needsInput }) => {
      const { view } = input
      // The base, and whoever it answers for: the embeddings as they come.
      if (!isUsed(view, set.gamma)) {
        return { sequence: { ...input, x: input.x.clone() }, discard: () => {}, backward: (dy) => (needsInput ? dy.clone() : null) }
      }
      const shaped = (values: Tensor, perSample: boolean): Tensor => values.reshape([perSample ? view.batch : 1, 1, D])
      const gamma = gather(compute, view, set.gamma, () => tf.ones([D]))
      const beta = gather(compute, view, set.beta, () => tf.zeros([D]))
      const mask = maskOf(input)
      /** (x - t) on the norm's tokens, 0 elsewhere: [B, T, D]. */
      const normed = tf.tidy(() => {
        const rows = input.x.reshape([view.batch, view.tokens, D])
        return (norm.addedAfter === null ? rows : rows.sub(readInput(norm.addedAfter)!.slice([0, 0], [1, D]))).mul(mask)
      })
      const x = tf.tidy(() => {
        const change = normed.mul(shaped(gamma.values, gamma.perSample).sub(1)).add(shaped(beta.values, beta.perSample).mul(mask))
        return input.x.add<Tensor2D>(change.reshape([view.batch * view.tokens, D]))
      })
      beta.values.dispose()
      const discard = (): void => release(undefined, normed, mask, gamma.values)
      return {
        sequence: { ...input, x },
        discard,
        backward: (dy, gradients) => {
          const [dGamma, dBeta] = tf.tidy(() => {
            const rows = dy.reshape([view.batch, view.tokens, D])
            const sums = [rows.mul(normed).sum(1), rows.mul(mask).sum(1)] as [Tensor, Tensor] // [B, D]
            return gamma.perSample ? sums : sums.map((sum) => sum.sum(0)) as [Tensor, Tensor]
          })
          scatter(compute, view, set.gamma, dGamma, gamma.perSample, gradients)
          scatter(compute, view, set.beta, dBeta, gamma.perSample, gradients)
          const dx = needsInput ? tf.tidy(() => dy.add<Tensor2D>(dy.reshape([view.batch, view.tokens, D]).mul(mask).mul(shaped(gamma.values, gamma.perSample).sub(1)).reshape(dy.shape))) : null
          discard()
          return dx
        },
      }
    },
  }
}

import type { Compute } from '../../compute/backend.ts'
import type { Tensor2D, Tensor3D, Tensor4D } from '../../compute/tensorflow.ts'
import { type Choice, gather, isAnyTrained, scatter } from '../sites/batch-view.ts'
import type { Stage } from './stage.ts'

/**
 * Input-level prompt: P trained tokens in front of the sequence that enters a block, not masked; they stay, so each prompted block makes
 * the sequence longer and the newest stand first. Lee et al. 2023 (arXiv:2303.03369), section 3.3.
 */
export function promptStage(compute: Compute, prompts: Choice, length: number, width: number): Stage {
  const { tf } = compute
  const [P, D] = [length, width]
  return {
    takesCached: false,
    isTrained: () => isAnyTrained(prompts),
    forward: (input, { needsInput }) => {
      const { view, shape } = input
      const [B, T] = [view.batch, view.tokens]
      const gathered = gather(compute, view, prompts, () => tf.zeros([P, D]))
      const x = tf.tidy(() => {
        const front = gathered.values.reshape<Tensor3D>([gathered.perSample ? B : 1, P, D])
        const forAll = gathered.perSample ? front : front.tile<Tensor3D>([B, 1, 1])
        return tf.concat3d([forAll, input.x.reshape<Tensor3D>([B, T, D])], 1).reshape<Tensor2D>([B * (P + T), D])
      })
      gathered.values.dispose()
      const keyBias = shape.keyBias === null ? null : tf.pad(shape.keyBias, [[0, 0], [0, 0], [0, 0], [P, 0]]) as Tensor4D
      return {
        sequence: { ...input, x, shape: { ...shape, keyBias }, view: { ...view, tokens: P + T }, promptTokens: input.promptTokens + P },
        discard: () => keyBias?.dispose(),
        backward: (dy, gradients) => {
          keyBias?.dispose()
          const [dFront, dRest] = tf.tidy(() => {
            const rows = dy.reshape<Tensor3D>([B, P + T, D])
            const front = rows.slice([0, 0, 0], [B, P, D]).reshape<Tensor2D>([B, P * D])
            return [gathered.perSample ? front : front.sum(0), needsInput ? rows.slice([0, P, 0], [B, T, D]).reshape<Tensor2D>([B * T, D]) : tf.zeros([1, 1])] as [Tensor2D, Tensor2D]
          })
          if (isAnyTrained(prompts)) scatter(compute, view, prompts, dFront, gathered.perSample, gradients)
          else dFront.dispose()
          if (needsInput) return dRest
          dRest.dispose()
          return null
        },
      }
    },
  }
}

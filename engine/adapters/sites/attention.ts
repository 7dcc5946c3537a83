import type { BlockShape } from '../../backbones/transformer-block.ts'
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor1D, Tensor2D, Tensor4D } from '../../compute/tensorflow.ts'
import type { BatchView } from './batch-view.ts'
import type { KeyValuePrompt } from './key-value-prompt.ts'

export interface AttentionPass {
  /** [B*T, D]; belongs to the caller. */
  context: Tensor2D
  /**
   * dL/dcontext -> dL/dqkv [B*T, 3D], or null when `isNeeded` is false. `gradientOf` turns the context, given again when `readsContext`,
   * into dL/dcontext. Runs once.
   */
  backward(gradientOf: (context: Tensor2D | null) => Tensor2D | null, readsContext: boolean, isNeeded: boolean, gradients: Gradients): Tensor2D | null
  discard(): void
}

/** Scaled dot-product attention over a joint product [B*T, 3D] whose query part is already scaled; probabilities are computed twice. */
export function attend(compute: Compute, qkv: Tensor2D, shape: BlockShape, prompt: KeyValuePrompt | null, view: BatchView): AttentionPass {
  const { tf, kernels } = compute
  const noBias: Tensor1D = tf.zeros([qkv.shape[1]])
  const [q, ownKeys, ownValues] = release(kernels.splitQueryKeyValue(qkv, noBias, shape.batch, shape.heads), noBias) // [B, H, T, d]
  const extended = prompt?.extend(ownKeys, ownValues, view) ?? null
  const [k, v] = extended === null ? [ownKeys, ownValues] : release([extended.keys, extended.values] as const, ownKeys, ownValues) // [B, H, T + P, d]
  const keyBias = extended === null || shape.keyBias === null ? shape.keyBias?.clone() ?? null
    : tf.pad(shape.keyBias, [[0, 0], [0, 0], [0, 0], [extended.count, 0]]) as Tensor4D // prompts are never masked
  const scoreBias = shape.scoreBias === undefined ? null
    : tf.pad(shape.scoreBias, [[0, 0], [0, 0], [0, 0], [extended?.count ?? 0, 0]]) as Tensor4D

  const probabilitiesOf = (): Tensor4D => {
    const products = kernels.batchMatMul(q, k, false, true) // [B, H, T, T + P]
    const scores = scoreBias === null ? products : release(products.add<Tensor4D>(scoreBias), products)
    return release(kernels.softmax(scores, keyBias), scores)
  }
  const contextOf = (probabilities: Tensor4D): Tensor2D => {
    const perHead = kernels.batchMatMul(probabilities, v) // [B, H, T, d]
    return release(kernels.joinHeads(perHead), perHead)
  }
  const first = probabilitiesOf()
  const context = release(contextOf(first), first)
  const discard = (): void => {
    release(null, q, k, v, keyBias, scoreBias)
    extended?.discard()
  }
  return {
    context,
    discard,
    backward: (gradientOf, readsContext, isNeeded, gradients) => {
      const probabilities = readsContext || isNeeded ? probabilitiesOf() : null
      const again = readsContext ? contextOf(probabilities!) : null
      const dContext = release(gradientOf(again), again)
      if (dContext === null || probabilities === null) {
        release(null, dContext, probabilities)
        discard()
        return null
      }
      const dPerHead = release(kernels.splitHeads(dContext, shape.batch, shape.heads), dContext)
      let dv = kernels.batchMatMul(probabilities, dPerHead, true, false) // [B, H, T + P, d]
      const dProbabilities = release(kernels.batchMatMul(dPerHead, v, false, true), dPerHead)
      const dScores = release(kernels.softmaxGradient(dProbabilities, probabilities), dProbabilities, probabilities)
      const dq = kernels.batchMatMul(dScores, k)
      let dk = release(kernels.batchMatMul(dScores, q, true, false), dScores)
      if (extended !== null) [dk, dv] = release(extended.backward(dk, dv, gradients), dk, dv)
      release(null, q, k, v, keyBias, scoreBias)
      return release(kernels.joinQueryKeyValue(dq, dk, dv), dq, dk, dv)
    },
  }
}

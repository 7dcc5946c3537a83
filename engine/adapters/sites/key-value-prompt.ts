import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor4D } from '../../compute/tensorflow.ts'
import { type BatchView, type Choice, gather, isAnyTrained, scatter } from './batch-view.ts'

/** Keys and values with trained vectors in front. */
export interface ExtendedKeysValues {
  /** [B, H, P + T, d] each; belong to the caller. */
  keys: Tensor4D
  values: Tensor4D
  /** How many vectors P stand in front. */
  count: number
  /** dL/dkeys, dL/dvalues [B, H, P + T, d] -> those of the own ones [B, H, T, d]; writes the prompt's gradient. Runs once. */
  backward(dKeys: Tensor4D, dValues: Tensor4D, gradients: Gradients): [Tensor4D, Tensor4D]
  discard(): void
}

export interface KeyValuePrompt {
  isTrained(): boolean
  /** The prompt of each sample as the kernel for whole blocks takes it: [B, 2, P, D], keys before values. Belongs to the caller. */
  ofSamples(view: BatchView): Tensor4D
  /** Writes the prompt's gradient from that of each sample's [B, 2, P, D], which stays the caller's. */
  writeOfSamples(gradient: Tensor4D, view: BatchView, gradients: Gradients): void
  extend(keys: Tensor4D, values: Tensor4D, view: BatchView): ExtendedKeysValues
}

/**
 * Attention-level prompt of one block: [2 P, D], the first half in front of the keys, the second in front of the values, after their
 * projections and not masked. Lee et al. 2023 (arXiv:2303.03369), section 3.3, after prefix tuning (Li and Liang 2021).
 */
export function createKeyValuePrompt(compute: Compute, prompts: Choice, length: number, width: number): KeyValuePrompt {
  const { tf } = compute
  const P = length / 2
  return {
    isTrained: () => isAnyTrained(prompts),
    ofSamples: (view) => tf.tidy(() => {
      const { values, perSample } = gather(compute, view, prompts, () => tf.zeros([length, width]))
      return values.reshape<Tensor4D>([perSample ? view.batch : 1, 2, P, width]).tile<Tensor4D>([perSample ? 1 : view.batch, 1, 1, 1])
    }),
    writeOfSamples: (gradient, view, gradients) => {
      const perSample = !('name' in prompts) && view.oneHot !== null
      const rows = gradient.reshape([view.batch, length * width])
      scatter(compute, view, prompts, perSample ? rows : release(rows.sum(0), rows), perSample, gradients)
    },
    extend: (keys, values, view) => {
      const [B, H, , d] = keys.shape
      const gathered = gather(compute, view, prompts, () => tf.zeros([length, width]))
      const sides = gathered.perSample ? B : 1
      const [extendedKeys, extendedValues] = tf.tidy(() => {
        const split = gathered.values.reshape([sides, 2, P, H, d]).transpose([1, 0, 3, 2, 4]) // [2, B or 1, H, P, d]
        const [front, back] = tf.unstack(split, 0) as [Tensor4D, Tensor4D]
        const forAll = (side: Tensor4D): Tensor4D => (gathered.perSample ? side : side.tile([B, 1, 1, 1]))
        return [tf.concat([forAll(front), keys], 2), tf.concat([forAll(back), values], 2)] as [Tensor4D, Tensor4D]
      })
      gathered.values.dispose()
      return {
        keys: extendedKeys,
        values: extendedValues,
        count: P,
        discard: () => {},
        backward: (dKeys, dValues, gradients) => {
          if (isAnyTrained(prompts)) {
            const gradient = tf.tidy(() => {
              const joined = tf.stack([dKeys, dValues].map((side) => side.slice([0, 0, 0, 0], [B, H, P, d])), 0) // [2, B, H, P, d]
              const rows = joined.transpose([1, 0, 3, 2, 4]).reshape([B, length * width])
              return gathered.perSample ? rows : rows.sum(0)
            })
            scatter(compute, view, prompts, gradient, gathered.perSample, gradients)
          }
          const own = (side: Tensor4D): Tensor4D => side.slice([0, 0, P, 0], [B, H, -1, d])
          return [own(dKeys), own(dValues)]
        },
      }
    },
  }
}

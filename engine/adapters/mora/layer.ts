/**
 * MoRA, modality-aware low-rank adaptation. Shi et al. 2024 (arXiv:2408.09064), eqs. 2-4:
 * `y = Block(x) + sum over present modalities m of (x A) B_m`, beside the whole block and on its input, as the reference code adds it.
 * A [D, R] is shared, B_m [R, D] belongs to modality m. A ~ N(0, (1/R)^2): the paper writes N(0, 1/R), the reference code passes 1/R as the
 * standard deviation; we follow the code. B = 0, so training starts from the unchanged backbone.
 * Differences: any number of modalities (the paper has two), and samples of different presence patterns share a batch.
 */
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients, Parameter, ParameterSet } from '../../compute/parameters.ts'
import { type RandomSource, normalArray } from '../../compute/random-source.ts'
import { type Tensor2D, type Tensor3D, type Tensor4D, disposeAll } from '../../compute/tensorflow.ts'

export interface MoraPass {
  /** [B*T, D], to be added to the block's output; belongs to the caller. */
  delta: Tensor2D
  /** dL/dy [B*T, D] -> gradients of A and every B_m; the part of dL/dx that flows through x A, or null when not asked for. */
  backward(dy: Tensor2D, gradients: Gradients, needsInputGradient: boolean): Tensor2D | null
  discard(): void
}

export interface MoraLayer {
  /** x [B*T, D] block input; presence [B, M] of 0/1. Both stay the caller's. */
  forward(x: Tensor2D, presence: Tensor2D): MoraPass
}

/** Adds the tensors of one adapted block to `parameters`, named `mora.<block>.down` and `mora.<block>.up.<modality>`. */
export function createMoraLayer(
  compute: Compute, parameters: ParameterSet, random: RandomSource, block: number, width: number, rank: number, modalities: readonly string[],
): MoraLayer {
  const { tf, kernels } = compute
  const [D, R, M] = [width, rank, modalities.length]
  const down = parameters.add(`mora.${block}.down`, normalArray(random, D * R, 1 / R), [D, R], 'adapter')
  const ups: Parameter[] = modalities.map((name) => parameters.add(`mora.${block}.up.${name}`, new Float32Array(R * D), [R, D], 'adapter'))

  return {
    forward: (x, presence) => {
      const B = presence.shape[0]
      const T = x.shape[0] / B
      const z = kernels.matMul(x, down.value as Tensor2D) // [B*T, R]
      const upSum = tf.tidy(() => {
        const stacked = tf.stack(ups.map(({ value }) => value)).reshape<Tensor2D>([M, R * D])
        return kernels.matMul(presence, stacked).reshape<Tensor4D>([B, 1, R, D]) // sum of the present B_m of each sample
      })
      const delta = tf.tidy(() => kernels.batchMatMul(z.reshape([B, 1, T, R]), upSum).reshape<Tensor2D>([B * T, D]))
      const [keptX, keptPresence] = [x.clone(), presence.clone()]
      const discard = (): void => disposeAll(z, upSum, keptX, keptPresence)
      return {
        delta,
        discard,
        backward: (dy, gradients, needsInputGradient) => {
          const [dUps, dz] = tf.tidy(() => {
            const dy4 = dy.reshape<Tensor4D>([B, 1, T, D])
            const dUpSum = kernels.batchMatMul(z.reshape([B, 1, T, R]), dy4, true, false).reshape<Tensor2D>([B, R * D])
            const dStacked = kernels.matMul(keptPresence, dUpSum, true, false).reshape<Tensor3D>([M, R, D])
            return [dStacked, kernels.batchMatMul(dy4, upSum, false, true).reshape<Tensor2D>([B * T, R])] as [Tensor3D, Tensor2D]
          })
          const perModality = release(tf.unstack(dUps, 0), dUps)
          ups.forEach((up, m) => gradients.set(up.name, perModality[m]!))
          gradients.set(down.name, kernels.matMul(keptX, dz, true, false)) // [D, R]
          const dx = needsInputGradient ? kernels.matMul(dz, down.value as Tensor2D, false, true) : null
          dz.dispose()
          discard()
          return dx
        },
      }
    },
  }
}

/** Trained numbers of MoRA alone: blocks * (D R + M R D). */
export function moraParameterCount(blocks: number, width: number, rank: number, modalities: number): number {
  return blocks * (width * rank + modalities * rank * width)
}

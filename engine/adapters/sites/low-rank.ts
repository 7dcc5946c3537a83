/**
 * Low-rank update beside a linear map: y = x W + b + (alpha / R) x A B. Hu et al. 2021 (arXiv:2106.09685), eq. 3 and section 4.1,
 * shared by all samples or, after Reza et al. 2023 (arXiv:2310.03986), one pair A, B for each combination of present modalities.
 */
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor, Tensor2D, Tensor4D } from '../../compute/tensorflow.ts'
import { type BatchView, type Choice, gather, isAnyTrained, isUsed, scatter, viewOfPattern } from './batch-view.ts'
import type { LinearPart } from './linear-map.ts'
import type { TokenMap } from './token-map.ts'

export interface LowRank {
  /** A [D, R] */
  down: Choice
  /** B [R, part width] */
  up: Choice
  rank: number
}

/** `updates` has one entry for each part of the inner map's outputs, null where the part stays as it is; `scaling` is alpha / R. */
export function withLowRank(compute: Compute, inner: TokenMap, inputs: number, parts: readonly LinearPart[], updates: readonly (LowRank | null)[], scaling: number): TokenMap {
  const { tf, kernels } = compute
  const chosen = parts.flatMap((part, i) => (updates[i] == null ? [] : [{ ...updates[i], part, from: parts.slice(0, i).reduce((sum, { width }) => sum + width, 0) }]))
  const E = parts.reduce((sum, { width }) => sum + width, 0)
  const choices = chosen.flatMap(({ down, up }) => [down, up])

  /** x [B*T, K] times a matrix [K, N] shared by all, or one for each sample given as [B, K*N]. */
  const product = (x: Tensor2D, matrix: Tensor, perSample: boolean, view: BatchView, shape: [number, number], transposed: boolean): Tensor2D => {
    if (!perSample) return kernels.matMul(x, matrix as Tensor2D, false, transposed)
    const outputs = transposed ? shape[0] : shape[1]
    return tf.tidy(() => kernels.batchMatMul(
      x.reshape<Tensor4D>([view.batch, 1, view.tokens, x.shape[1]]), matrix.reshape<Tensor4D>([view.batch, 1, ...shape]), false, transposed,
    ).reshape<Tensor2D>([view.batch * view.tokens, outputs]))
  }
  /** Gradient of that matrix: x^T dy [K, N], or one for each sample as [B, K*N]. */
  const matrixGradient = (x: Tensor2D, dy: Tensor2D, perSample: boolean, view: BatchView): Tensor => {
    if (!perSample) return kernels.matMul(x, dy, true, false)
    const rows = (t: Tensor2D): Tensor4D => t.reshape([view.batch, 1, view.tokens, t.shape[1]])
    return tf.tidy(() => kernels.batchMatMul(rows(x), rows(dy), true, false).reshape([view.batch, x.shape[1] * dy.shape[1]]))
  }

  /** The gradients of A and B when every sample uses the same ones, from the product's own [B*T, E] and its input [B*T, D]. */
  const writeShared = (dy: Tensor2D, x: Tensor2D, view: BatchView, gradients: Gradients): void => {
    for (const { down, up, rank, part, from } of chosen) {
      const A = gather(compute, view, down, () => tf.zeros([inputs, rank])).values as Tensor2D
      const B = gather(compute, view, up, () => tf.zeros([rank, part.width])).values as Tensor2D
      const dDelta = tf.tidy(() => (part.width === E ? dy : dy.slice([0, from], [-1, part.width])).mul<Tensor2D>(scaling * part.scale)) // [B*T, width]
      if (isAnyTrained(up)) {
        const z = kernels.matMul(x, A) // [B*T, R]
        scatter(compute, view, up, release(kernels.matMul(z, dDelta, true, false), z), false, gradients)
      }
      if (isAnyTrained(down)) {
        const dz = kernels.matMul(dDelta, B, false, true) // [B*T, R]
        scatter(compute, view, down, release(kernels.matMul(x, dz, true, false), dz), false, gradients)
      }
      release(null, A, B, dDelta)
    }
  }

  return {
    readsInput: true,
    isCheap: false,
    ...(inner.fused === undefined || inner.fused.readsProduct ? {} : {
      fused: {
        byPattern: inner.fused.byPattern || choices.some((choice) => !('name' in choice)), readsProduct: true,
        write: (from, view, gradients) => {
          inner.fused!.write(from, view, gradients)
          if (!isAnyTrained(...choices) || !choices.some((choice) => isUsed(view, choice))) return
          const x = from.product!.x()
          writeShared(from.product!.dy, x, view, gradients)
          x.dispose()
        },
      },
    }),
    fold: (pattern) => {
      const folded = inner.fold(pattern)
      const view = viewOfPattern(pattern)
      const weight = tf.tidy(() => chosen.reduce((sum, { down, up, rank, part, from }) => {
        const A = gather(compute, view, down, () => tf.zeros([inputs, rank])).values as Tensor2D
        const B = gather(compute, view, up, () => tf.zeros([rank, part.width])).values as Tensor2D
        return sum.add(kernels.matMul(A, B).mul(scaling * part.scale).pad([[0, 0], [from, E - from - part.width]]))
      }, folded.weight))
      return release({ weight, bias: folded.bias }, folded.weight)
    },
    isTrained: () => inner.isTrained() || isAnyTrained(...choices),
    forward: (x, view) => {
      const innerPass = inner.forward(x, view)
      // The base, and whoever it answers for: nothing is added.
      if (!choices.some((choice) => isUsed(view, choice))) return innerPass
      const low = chosen.map(({ down, up, rank, part, from }) => {
        const A = gather(compute, view, down, () => tf.zeros([inputs, rank]))
        const B = gather(compute, view, up, () => tf.zeros([rank, part.width]))
        return { A, B, part, from, rank, down, up, z: product(x, A.values, A.perSample, view, [inputs, rank], false) } // z [B*T, R]
      })
      const y = release(tf.tidy(() => {
        let sum = innerPass.y
        for (const { B, z, part, from, rank } of low) {
          const delta = product(z, B.values, B.perSample, view, [rank, part.width], false).mul<Tensor2D>(scaling * part.scale)
          sum = sum.add(part.width === E ? delta : delta.pad([[0, 0], [from, E - from - part.width]]))
        }
        return sum
      }), innerPass.y)
      const free = (): void => low.forEach(({ A, B, z }) => release(null, A.values, B.values, z))
      return {
        y,
        discard: () => {
          free()
          innerPass.discard()
        },
        backward: (dy, input, gradients: Gradients, needsInput) => {
          let dx = innerPass.backward(dy, input, gradients, needsInput)
          for (const { A, B, z, part, from, rank, down, up } of low) {
            const dDelta = tf.tidy(() => (part.width === E ? dy : dy.slice([0, from], [-1, part.width])).mul<Tensor2D>(scaling * part.scale)) // [B*T, width]
            const dz = product(dDelta, B.values, B.perSample, view, [rank, part.width], true) // [B*T, R]
            if (isAnyTrained(up)) scatter(compute, view, up, matrixGradient(z, dDelta, B.perSample, view), B.perSample, gradients)
            if (isAnyTrained(down)) scatter(compute, view, down, matrixGradient(input!, dz, A.perSample, view), A.perSample, gradients)
            if (needsInput) {
              const part1 = product(dz, A.values, A.perSample, view, [inputs, rank], true)
              dx = release(dx!.add<Tensor2D>(part1), dx, part1)
            }
            release(null, dDelta, dz)
          }
          free()
          return dx
        },
      }
    },
  }
}

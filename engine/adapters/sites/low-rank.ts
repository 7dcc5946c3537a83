/**
 * Low-rank update beside a linear map: y = x W + b + (alpha / R) x A B. Hu et al. 2021 (arXiv:2106.09685), eq. 3 and section 4.1,
 * shared by all samples or, after Reza et al. 2023 (arXiv:2310.03986), one pair A, B for each combination of present modalities.
 */
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor, Tensor2D, Tensor4D } from '../../compute/tensorflow.ts'
import { type BatchView, type Choice, gather, isAnyTrained, isUsed, scatter, viewOfPattern, writeRows } from './batch-view.ts'
import type { LinearPart } from './linear-map.ts'
import type { FusedMap, TokenMap } from './token-map.ts'

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

  const ranks = chosen.reduce((sum, { rank }) => sum + rank, 0)
  /** All parts' updates as one, one share of the rank for each pattern: A side by side, B one below the other in its columns. */
  const fusedOver = (whole: FusedMap): FusedMap => ({
    byPattern: whole.byPattern || choices.some((choice) => !('name' in choice)),
    hasUpdate: true,
    trains: () => ({ vectors: whole.trains().vectors, update: isAnyTrained(...choices) }),
    weight: () => whole.weight(),
    vectors: (patterns) => whole.vectors(patterns),
    update: (patterns) => (!choices.some((choice) => isUsed({ patterns }, choice)) ? null : tf.tidy(() => {
      const pieces = patterns.flatMap((pattern) => chosen.map(({ down, up, rank, part, from }) => {
        const view = viewOfPattern(pattern)
        const A = gather(compute, view, down, () => tf.zeros([inputs, rank])).values as Tensor2D
        const B = gather(compute, view, up, () => tf.zeros([rank, part.width])).values.mul<Tensor2D>(scaling * part.scale)
        return { A, B: part.width === E ? B : B.pad<Tensor2D>([[0, 0], [from, E - from - part.width]]) }
      }))
      return { down: tf.concat2d(pieces.map(({ A }) => A), 1), up: tf.concat2d(pieces.map(({ B }) => B), 0) }
    })),
    write: (from, patterns, gradients) => {
      whole.write(from, patterns, gradients)
      if (from.update === null || !isAnyTrained(...choices)) return
      const { down: dDown, up: dUp } = from.update
      let before = 0
      for (const { down, up, rank, part, from: column } of chosen) {
        const rowsOfAll = (pick: (place: number) => Tensor): Tensor2D =>
          tf.tidy(() => tf.concat2d(patterns.map((_, i) => pick(i * ranks + before).reshape<Tensor2D>([1, -1])), 0))
        if (isAnyTrained(down)) writeRows(compute, patterns, down, rowsOfAll((place) => dDown.slice([0, place], [inputs, rank])), gradients)
        if (isAnyTrained(up)) writeRows(compute, patterns, up, rowsOfAll((place) => dUp.slice([place, column], [rank, part.width]).mul(scaling * part.scale)), gradients)
        before += rank
      }
    },
  })

  return {
    readsInput: true,
    isCheap: false,
    get fused() { return inner.fused === null || inner.fused.hasUpdate ? null : fusedOver(inner.fused) },
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

/**
 * Scale and shift after a frozen map: h' = gamma * h + beta, one pair of vectors for each combination of present modalities.
 * Lian et al. 2022 (arXiv:2210.08823), eq. 3, placed and chosen by combination as Reza et al. 2023 (arXiv:2310.03986), section 3.2.
 */
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Tensor, Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import { type BatchView, type Choice, gather, isAnyTrained, isUsed, rowsOf, scatter, viewOfPattern, writeRows } from './batch-view.ts'
import type { LinearPart } from './linear-map.ts'
import type { FusedMap, MapPass, TokenMap } from './token-map.ts'

/** Gamma and beta of one part of the inner map's outputs, each [part width]. */
export interface ScaleShift {
  gamma: Choice
  beta: Choice
}

/** `parts` name the slices of the inner map's output; a shift is brought to the frozen slice's scale, a factor needs none. */
export function withScaleShift(compute: Compute, inner: TokenMap, parts: readonly LinearPart[], sets: readonly ScaleShift[]): TokenMap {
  const { tf } = compute
  const widths = parts.map(({ width }) => width)

  /** [E] or, per sample, [B, 1, E]. */
  const joined = (view: BatchView, kind: 'gamma' | 'beta'): { values: Tensor; perSample: boolean } => {
    let perSample = false
    const values = tf.tidy(() => {
      const pieces = sets.map((set, i) => {
        const piece = gather(compute, view, set[kind], () => (kind === 'gamma' ? tf.ones([widths[i]!]) : tf.zeros([widths[i]!])))
        perSample ||= piece.perSample
        return kind === 'beta' && parts[i]!.scale !== 1 ? piece.values.mul(parts[i]!.scale) : piece.values
      })
      const all = tf.concat(pieces, -1)
      return perSample ? all.reshape([view.batch, 1, all.shape.at(-1)!]) : all
    })
    return { values, perSample }
  }
  const shapeFor = (view: BatchView, perSample: boolean): number[] => (perSample ? [view.batch, view.tokens, -1] : [view.batch * view.tokens, -1])

  const isTrained = (): boolean => isAnyTrained(...sets.flatMap(({ gamma, beta }) => [gamma, beta]))
  const isUsedBy = (patterns: readonly number[]): boolean => sets.some(({ gamma, beta }) => isUsed({ patterns }, gamma) || isUsed({ patterns }, beta))
  /** One row for each pattern [S, E]. Call inside `tf.tidy`. */
  const joinedRows = (patterns: readonly number[], kind: 'gamma' | 'beta'): Tensor2D => {
    const pieces = sets.map((set, i) => {
      const rows = rowsOf(compute, patterns, set[kind], () => (kind === 'gamma' ? tf.ones([widths[i]!]) : tf.zeros([widths[i]!])))
      return kind === 'beta' && parts[i]!.scale !== 1 ? rows.mul<Tensor2D>(parts[i]!.scale) : rows
    })
    return pieces.length === 1 ? pieces[0]! : tf.concat2d(pieces, 1)
  }
  /** y = gamma (factor p + offset) + beta over the inner map's product p: its vectors change, its matrix does not. */
  const fusedOver = (whole: FusedMap): FusedMap => ({
    byPattern: whole.byPattern || sets.some(({ gamma }) => !('name' in gamma)),
    hasUpdate: whole.hasUpdate,
    trains: () => ({ vectors: whole.trains().vectors || isTrained(), update: whole.trains().update }),
    weight: () => whole.weight(),
    update: (patterns) => whole.update(patterns),
    vectors: (patterns) => {
      const { offset, factor } = whole.vectors(patterns)
      if (!isUsedBy(patterns)) return { offset, factor }
      return release(tf.tidy(() => {
        const gamma = joinedRows(patterns, 'gamma')
        return { offset: offset.mul<Tensor2D>(gamma).add<Tensor2D>(joinedRows(patterns, 'beta')), factor: factor === null ? gamma : factor.mul<Tensor2D>(gamma) }
      }), offset, factor)
    },
    write: (from, patterns, gradients) => {
      if (from.vectors === null || !isUsedBy(patterns)) return whole.write(from, patterns, gradients)
      const { offset: dOffset, factor: dFactor } = from.vectors
      const { offset, factor } = whole.vectors(patterns)
      if (isTrained()) {
        const dGamma = tf.tidy(() => (factor === null ? dFactor! : dFactor!.mul<Tensor2D>(factor)).add<Tensor2D>(dOffset.mul(offset)))
        const slices = (joint: Tensor2D): Tensor2D[] => (widths.length === 1 ? [joint.clone()] : tf.split(joint, widths, 1))
        const [gammaPieces, betaPieces] = [slices(dGamma), slices(dOffset)]
        dGamma.dispose()
        sets.forEach((set, i) => {
          const { scale } = parts[i]!
          writeRows(compute, patterns, set.gamma, gammaPieces[i]!, gradients)
          writeRows(compute, patterns, set.beta, scale === 1 ? betaPieces[i]! : release(betaPieces[i]!.mul<Tensor2D>(scale), betaPieces[i]!), gradients)
        })
      }
      if (whole.trains().vectors || whole.trains().update) {
        const gamma = tf.tidy(() => joinedRows(patterns, 'gamma'))
        const inner = { offset: dOffset.mul<Tensor2D>(gamma), factor: factor === null ? null : dFactor!.mul<Tensor2D>(gamma) }
        whole.write({ vectors: inner, update: from.update }, patterns, gradients)
        release(null, gamma, inner.offset, inner.factor)
      }
      release(null, offset, factor)
    },
  })

  return {
    get fused() { return inner.fused === null ? null : fusedOver(inner.fused) },
    get readsInput() { return inner.readsInput || inner.isCheap },
    isCheap: false,
    fold: (pattern) => {
      const folded = inner.fold(pattern)
      const view = viewOfPattern(pattern)
      return release(tf.tidy(() => {
        const gamma = joined(view, 'gamma').values
        return { weight: folded.weight.mul(gamma), bias: folded.bias.mul(gamma).add<Tensor1D>(joined(view, 'beta').values) }
      }), folded.weight, folded.bias)
    },
    isTrained: () => inner.isTrained() || isTrained(),
    forward: (x, view) => {
      const innerPass = inner.forward(x, view)
      // The base, and whoever it answers for: nothing to scale, nothing to keep.
      if (!isUsedBy(view.patterns)) return innerPass
      const gamma = joined(view, 'gamma')
      const beta = joined(view, 'beta')
      const shape = shapeFor(view, gamma.perSample)
      const y = tf.tidy(() => innerPass.y.reshape(shape).mul(gamma.values).add(beta.values).reshape<Tensor2D>(innerPass.y.shape))
      beta.values.dispose()
      // A norm is computed again from its input; a matrix product is dear, so its output is kept.
      const kept = inner.isCheap ? release(null, innerPass.y) : innerPass.y
      const discard = (): void => {
        gamma.values.dispose()
        kept?.dispose()
        innerPass.discard()
      }
      const writeGradients = (dy: Tensor2D, h: Tensor2D, gradients: Parameters<MapPass['backward']>[2]): void => {
        // Sums over the tokens of each sample, or over all rows when every sample uses the same vectors.
        const axis = gamma.perSample ? 1 : 0
        const [dGamma, dBeta] = tf.tidy(() => {
          const shaped = dy.reshape(shape)
          return [shaped.mul(h.reshape(shape)).sum(axis), shaped.sum(axis)] as [Tensor, Tensor]
        })
        const [gammaPieces, betaPieces] = [tf.split(dGamma, widths, -1), tf.split(dBeta, widths, -1)]
        release(null, dGamma, dBeta)
        sets.forEach((set, i) => {
          scatter(compute, view, set.gamma, gammaPieces[i]!, gamma.perSample, gradients)
          const { scale } = parts[i]!
          const dPart = scale === 1 ? betaPieces[i]! : release(betaPieces[i]!.mul(scale), betaPieces[i]!)
          scatter(compute, view, set.beta, dPart, gamma.perSample, gradients)
        })
      }
      return {
        y,
        discard,
        backward: (dy, input, gradients, needsInput) => {
          if (isTrained()) {
            const h = kept ?? recompute(inner, input!, view)
            writeGradients(dy, h, gradients)
            if (kept === null) h.dispose()
          }
          const dh = tf.tidy(() => dy.reshape(shape).mul(gamma.values).reshape<Tensor2D>(dy.shape))
          const dx = innerPass.backward(dh, input, gradients, needsInput)
          release(null, dh, gamma.values, kept)
          return dx
        },
      }
    },
  }
}

function recompute(map: TokenMap, x: Tensor2D, view: BatchView): Tensor2D {
  const pass = map.forward(x, view)
  pass.discard()
  return pass.y
}

/**
 * A block with trained parts inside by the backend's kernel for whole blocks. Its matrices stay frozen, so nothing is folded: vectors and
 * factors (biases, norms, scale and shift) go in for each presence pattern, low-rank updates and prompts beside what they change, and only
 * the gradients of what is trained come out. What the kernel does not know (trained matrices, other activations, score masks, MoRA beside
 * attention) takes the composed form, which every backend has.
 */
import type { BlockShape } from '../../backbones/transformer-block.ts'
import type { Compute } from '../../compute/backend.ts'
import { type BlockCall, type TrainedParts, release } from '../../compute/kernels.ts'
import type { Tensor, Tensor2D } from '../../compute/tensorflow.ts'
import type { AdaptedBlockParts, AdaptedPass } from './adapted-block.ts'
import type { BatchView } from './batch-view.ts'
import type { FusedMap, FusedVectors } from './token-map.ts'

/** The block's maps in the order of the kernel's weights, and which of them are linear, in the order of its updates and factors. */
const order = ['qkv', 'output', 'norm1', 'expand', 'contract', 'norm2'] as const
const linear = [0, 1, 3, 4] as const

/** Null where the block cannot be computed whole on this backend or at present. */
export function fusedMapsOf({ kernels }: Pick<Compute, 'kernels'>, parts: AdaptedBlockParts): readonly FusedMap[] | null {
  if (kernels.blocks === undefined || parts.activation !== null || parts.besideAttention !== null) return null
  const maps = order.map((name) => parts.maps[name].fused)
  return maps.every((map) => map !== null) ? maps : null
}

function tensorsOf(vectors: readonly FusedVectors[], updates: TrainedParts['updates']): (Tensor | null | undefined)[] {
  return [...vectors.flatMap(({ offset, factor }) => [offset, factor]), ...updates.flatMap((update) => [update?.down, update?.up])]
}

/** The whole block in one call, or null where this block or batch needs the composed form. Computes first rows only where the shape asks for them. */
export function forwardFused(compute: Compute, parts: AdaptedBlockParts, x: Tensor2D, shape: BlockShape, view: BatchView, keep: boolean): AdaptedPass | null {
  const { tf, kernels: { blocks } } = compute
  const all = fusedMapsOf(compute, parts)
  if (blocks === undefined || all === null || shape.scoreBias !== undefined) return null
  const byPattern = all.some((map) => map.byPattern)
  const patterns = byPattern ? view.patterns : view.patterns.slice(0, 1)

  const vectors = all.map((map) => map.vectors(patterns))
  const trained: TrainedParts = {
    sets: byPattern ? view.places : view.places.map(() => 0),
    factors: joinFactors(linear.map((i) => vectors[i]!)),
    prompts: parts.prompt?.ofSamples(view) ?? null,
    updates: linear.map((i) => all[i]!.update(patterns)),
  }
  /** Matrices that are joined from parts are joined for each pass: held, those of all blocks would take as much memory as the frozen ones. */
  const withWeights = <R>(work: (weights: readonly Tensor[]) => R): R => {
    const matrices = all.map((map) => map.weight())
    return release(work(all.flatMap((_, i) => [matrices[i] ?? vectors[i]!.factor!, vectors[i]!.offset])), ...matrices)
  }
  const call: BlockCall = {
    preNorm: parts.preNorm, epsilon: parts.epsilon, heads: shape.heads, keyBias: shape.keyBias, firstOnly: shape.firstOnly ?? false,
    lengths: new Array<number>(shape.batch).fill(x.shape[0] / shape.batch),
  }
  const { y, kept } = withWeights((weights) => blocks.forwardTrained(x, weights, trained, call, keep))
  const discard = (): void => release(undefined, kept, trained.factors, trained.prompts, ...tensorsOf(vectors, trained.updates))
  if (!keep) discard()
  return {
    y,
    isFirstOnly: call.firstOnly,
    discard: keep ? discard : () => {},
    backward: (dy, gradients, needsInput) => {
      const asks = {
        vectors: all.some((map) => map.trains().vectors), prompts: parts.prompt?.isTrained() ?? false, updates: linear.map((i) => all[i]!.trains().update),
      }
      const { dx, ...found } = withWeights((weights) => blocks.backwardTrained(dy, kept!, weights, trained, call, asks))
      const sums = found.vectors === null ? null : splitVectors(found.vectors, found.factors)
      all.forEach((map, i) => {
        const site = linear.findIndex((at) => at === i)
        map.write({ vectors: sums?.[i] ?? null, update: found.updates[site] ?? null }, patterns, gradients)
      })
      if (found.prompts !== null) parts.prompt!.writeOfSamples(found.prompts, view, gradients)
      release(null, found.vectors, found.factors, found.prompts, ...tensorsOf(sums ?? [], found.updates))
      discard()
      return needsInput ? dx : release(null, dx)
    },
  }

  /** [S, 5D + F], ones where a map has none; null where none has any. */
  function joinFactors(maps: readonly FusedVectors[]): Tensor2D | null {
    if (maps.every(({ factor }) => factor === null)) return null
    return tf.tidy(() => tf.concat2d(maps.map(({ offset, factor }) => factor ?? tf.onesLike(offset)), 1))
  }

  /** In the order of the maps; a norm's gain comes before its offset. */
  function splitVectors(dVectors: Tensor2D, dFactors: Tensor2D | null): FusedVectors[] {
    const widths = vectors.map(({ offset }) => offset.shape[1])
    const [qkv, output, gain1, offset1, expand, contract, gain2, offset2] =
      tf.split(dVectors, [widths[0]!, widths[1]!, widths[2]!, widths[2]!, widths[3]!, widths[4]!, widths[5]!, widths[5]!], 1) as Tensor2D[]
    const factors = dFactors === null ? [] : tf.split(dFactors, linear.map((i) => widths[i]!), 1) as Tensor2D[]
    return [
      { offset: qkv!, factor: factors[0] ?? null }, { offset: output!, factor: factors[1] ?? null }, { offset: offset1!, factor: gain1! },
      { offset: expand!, factor: factors[2] ?? null }, { offset: contract!, factor: factors[3] ?? null }, { offset: offset2!, factor: gain2! },
    ]
  }
}

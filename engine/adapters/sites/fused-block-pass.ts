/**
 * A block with trained parts inside by the backend's kernel for whole blocks, where that can give what the parts' gradients need: vectors
 * (biases, gains and offsets of norms) get sums over rows, low-rank updates of query, key and value get what the product receives.
 */
import type { BlockShape } from '../../backbones/transformer-block.ts'
import type { Compute } from '../../compute/backend.ts'
import type { BlockCall } from '../../compute/kernels.ts'
import type { Tensor, Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import type { AdaptedBlockParts, AdaptedPass } from './adapted-block.ts'
import type { BatchView } from './batch-view.ts'
import type { FoldedMap, TokenMap } from './token-map.ts'

/** The whole block in one call, or null where this block or batch needs the composed form. Computes first rows only where the shape asks for them. */
export function forwardFused(compute: Compute, parts: AdaptedBlockParts, x: Tensor2D, shape: BlockShape, view: BatchView, keep: boolean): AdaptedPass | null {
  const { tf, kernels } = compute
  const { maps, preNorm, epsilon } = parts
  const all: readonly TokenMap[] = [maps.qkv, maps.output, maps.norm1, maps.expand, maps.contract, maps.norm2]
  const { blocks } = kernels
  if (blocks === undefined || parts.activation !== null || parts.besideAttention !== null || parts.prompt !== null || shape.scoreBias !== undefined) return null
  if (all.some(({ fused }) => fused === undefined || (fused.byPattern && view.oneHot !== null))) return null
  // The kernel hands out what its query-key-value product receives, of no other.
  if (all.some((map) => map.fused!.readsProduct && map !== maps.qkv)) return null
  const wantsProduct = maps.qkv.fused!.readsProduct

  const pattern = view.patterns[0]!
  /** Folded anew for each pass: kept folded, the matrices of all blocks would take as much memory as the frozen ones. */
  const withWeights = <R>(work: (folded: readonly FoldedMap[], weights: readonly Tensor[]) => R): R => {
    const folded = all.map((map) => map.fold(pattern))
    const weights = folded.flatMap(({ weight, bias }) => [weight, bias])
    const result = work(folded, weights)
    weights.forEach((tensor) => tensor.dispose())
    return result
  }
  const call: BlockCall = {
    preNorm, epsilon, heads: shape.heads, keyBias: shape.keyBias, firstOnly: shape.firstOnly ?? false,
    lengths: new Array<number>(shape.batch).fill(x.shape[0] / shape.batch),
  }
  // Full precision: these gradients are compared with the composed form's, and the vectors' read the kept rows themselves.
  const { y, kept } = withWeights((_, weights) => blocks.forward(x, weights, call, keep ? 'full' : null))
  const input = keep && wantsProduct ? x.clone() : null
  const discard = (): void => {
    kept?.dispose()
    input?.dispose()
  }
  return {
    y,
    isFirstOnly: call.firstOnly,
    discard,
    backward: (dy, gradients, needsInput) => withWeights((folded, weights) => {
      const { dx, vectors, dQkv } = blocks.backwardTrained(dy, kept!, weights, call, 'full', wantsProduct)
      const [norm1, expand] = [folded[2]!, folded[3]!]
      const sums = splitVectors(vectors, expand.bias.shape[0])
      const product = input === null ? null : () => (preNorm ? kernels.layerNorm(input, norm1.weight as Tensor1D, norm1.bias, epsilon) : input.clone())
      all.forEach((map, i) => map.fused!.write({ ...sums[i]!, product: product === null || map !== maps.qkv ? null : { dy: dQkv!, x: product } }, view, gradients))
      sums.forEach(({ bias, gain }) => {
        bias.dispose()
        gain?.dispose()
      })
      vectors.dispose()
      dQkv?.dispose()
      discard()
      if (needsInput) return dx
      dx.dispose()
      return null
    }),
  }

  /** In the order of `all`: a norm's gain comes before its offset. */
  function splitVectors(vectors: Tensor1D, hidden: number): { bias: Tensor1D; gain: Tensor1D | null }[] {
    const width = (vectors.shape[0] - hidden) / 9
    const [qkv, output, gain1, offset1, expand, contract, gain2, offset2] =
      tf.split(vectors, [3 * width, width, width, width, hidden, width, width, width]) as Tensor1D[]
    return [
      { bias: qkv!, gain: null }, { bias: output!, gain: null }, { bias: offset1!, gain: gain1! },
      { bias: expand!, gain: null }, { bias: contract!, gain: null }, { bias: offset2!, gain: gain2! },
    ]
  }
}

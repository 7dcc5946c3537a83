/**
 * A transformer block with trained parts inside: the same sums as `backbones/transformer-block.ts`, but every linear layer and norm is a
 * map that a method may have changed, trained tensors may stand beside attention and in front of its keys and values.
 *
 * Pre-LN (ViT, ViLT):  u = x + O attn(N1 x) + S(N1 x);  y = u + C gelu(E N2 u)
 * Post-LN (BERT):      u = N1(x + O attn x + S x);      y = N2(u + C gelu(E u))
 *
 * The way back keeps what is dear (query, key, value, the sums that enter norms, the hidden layer) and computes norms, softmax, GELU
 * and the inputs of maps again, the latter only where a map asks for them. Gradients of frozen weights are never formed.
 */
import { type Activation, type BlockShape, type TransformerBlock, createTransformerBlock } from '../../backbones/transformer-block.ts'
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import type { MoraLayer } from '../mora/layer.ts'
import { type AttentionPass, attend } from './attention.ts'
import type { BatchView } from './batch-view.ts'
import { forwardFused, fusedMapsOf } from './fused-block-pass.ts'
import type { KeyValuePrompt } from './key-value-prompt.ts'
import type { MapPass, TokenMap } from './token-map.ts'

/** The six maps of a block, by the names of METHODS: norms 1 and 2, joint query-key-value, attention output, the two feed-forward layers. */
export interface BlockMaps {
  norm1: TokenMap
  qkv: TokenMap
  output: TokenMap
  norm2: TokenMap
  expand: TokenMap
  contract: TokenMap
}

export interface AdaptedBlockParts {
  maps: BlockMaps
  preNorm: boolean
  epsilon: number
  /** Null: the exact GELU. */
  activation: Activation | null
  /** MoRA beside attention: reads attention's input, is added to its output. */
  besideAttention: MoraLayer | null
  /** Trained vectors in front of the keys and values. */
  prompt: KeyValuePrompt | null
}

export interface AdaptedPass {
  /** [B*T, D], or [B, D] where `isFirstOnly`; belongs to the caller. */
  y: Tensor2D
  /** Only the first row of each sample was computed; absent: all. */
  isFirstOnly?: boolean
  /** dL/dy -> dL/dx (null when not needed); writes the gradients of what is trained at present. Runs once; dy stays the caller's. */
  backward(dy: Tensor2D, gradients: Gradients, needsInput: boolean): Tensor2D | null
  discard(): void
}

export interface AdaptedBlock {
  /** The block with everything trained folded into its weights, for samples of this pattern: what predictions use. Null where parts stand beside the maps. */
  merged(pattern: number): TransformerBlock | null
  isTrained(): boolean
  /** Whether the backend computes the whole block in one call with what is trained at present; the memory forecast follows it. */
  isWhole(): boolean
  /**
   * x [B*T, D] stays the caller's; presence [B, M] of 0/1 is for the part beside attention. `backward` may run in passes with `keep` only.
   * The shape's `firstOnly` allows a pass to compute no more than first rows.
   */
  forward(x: Tensor2D, shape: BlockShape, view: BatchView, presence: Tensor2D, keep: boolean): AdaptedPass
}

type ComposedForward = (x: Tensor2D, shape: BlockShape, view: BatchView, presence: Tensor2D) => AdaptedPass

export function createAdaptedBlock(compute: Compute, parts: AdaptedBlockParts): AdaptedBlock {
  const { tf, kernels } = compute
  const { maps, preNorm, besideAttention, prompt } = parts
  const activate = (hidden: Tensor2D): Tensor2D => withZeros(hidden, (zeros) => parts.activation!.forward(hidden, zeros), () => kernels.gelu(hidden))
  const activationGradient = (dy: Tensor2D, hidden: Tensor2D): Tensor2D =>
    withZeros(hidden, (zeros) => parts.activation!.gradient(dy, hidden, zeros), () => kernels.geluGradient(dy, hidden))
  /** The maps add their own bias, so other activations get one of zeros. */
  const withZeros = (hidden: Tensor2D, other: (zeros: Tensor1D) => Tensor2D, exact: () => Tensor2D): Tensor2D => {
    if (parts.activation === null) return exact()
    const zeros: Tensor1D = tf.zeros([hidden.shape[1]])
    return release(other(zeros), zeros)
  }
  /** Applies a map for its output alone. */
  const again = (map: TokenMap, x: Tensor2D, view: BatchView): Tensor2D => {
    const pass = map.forward(x, view)
    pass.discard()
    return pass.y
  }
  const sum = (a: Tensor2D, b: Tensor2D): Tensor2D => release(a.add<Tensor2D>(b), a, b)

  /** attn(a) with its output map, and what stands beside it; keeps a for the caller. */
  const attentionPart = (a: Tensor2D, shape: BlockShape, view: BatchView, presence: Tensor2D) => {
    const qkv = maps.qkv.forward(a, view) // [B*T, 3D]
    const core: AttentionPass = attend(compute, qkv.y, shape, prompt, view)
    qkv.y.dispose()
    const output = maps.output.forward(core.context, view)
    core.context.dispose()
    const beside = besideAttention?.forward(a, presence) ?? null
    const y = beside === null ? output.y : sum(output.y, beside.delta)
    /** dL/dy -> dL/da; `input` gives a again. */
    const backward = (dy: Tensor2D, input: () => Tensor2D, gradients: Gradients, needsInput: boolean): Tensor2D | null => {
      const dBeside = beside?.backward(dy, gradients, needsInput) ?? null
      const isNeeded = needsInput || maps.qkv.isTrained() || (prompt?.isTrained() ?? false)
      const dQkv = core.backward((context) => output.backward(dy, context, gradients, isNeeded), maps.output.readsInput, isNeeded, gradients)
      const a2 = dQkv !== null && maps.qkv.readsInput ? input() : null
      const da = dQkv === null ? null : qkv.backward(dQkv, a2, gradients, needsInput)
      if (dQkv === null) qkv.discard()
      release(null, dQkv, a2)
      return da !== null && dBeside !== null ? sum(da, dBeside) : da
    }
    const discard = (): void => {
      qkv.discard()
      core.discard()
      output.discard()
      beside?.discard()
    }
    return { y, backward, discard }
  }

  /** C gelu(E n); keeps n for the caller. */
  const feedForwardPart = (n: Tensor2D, view: BatchView) => {
    const expand = maps.expand.forward(n, view)
    const hidden = expand.y // [B*T, F]
    const activated = activate(hidden)
    const contract = release(maps.contract.forward(activated, view), activated)
    const backward = (dy: Tensor2D, input: () => Tensor2D, gradients: Gradients, needsInput: boolean): Tensor2D | null => {
      const isNeeded = needsInput || maps.expand.isTrained()
      const activated2 = maps.contract.readsInput ? activate(hidden) : null
      const dActivated = contract.backward(dy, activated2, gradients, isNeeded)
      activated2?.dispose()
      if (dActivated === null) {
        expand.discard()
        hidden.dispose()
        return null
      }
      const dHidden = release(activationGradient(dActivated, hidden), dActivated, hidden)
      const n2 = maps.expand.readsInput ? input() : null
      return release(expand.backward(dHidden, n2, gradients, needsInput), dHidden, n2)
    }
    const discard = (): void => {
      expand.discard()
      hidden.dispose()
      contract.discard()
    }
    return { y: contract.y, backward, discard }
  }

  const isTrainedBelow = (...lower: TokenMap[]): boolean =>
    lower.some((map) => map.isTrained()) || besideAttention !== null || (prompt?.isTrained() ?? false)
  const attentionMaps = [maps.qkv, maps.output]

  const forwardPre: ComposedForward = (x, shape, view, presence) => {
    const norm1 = maps.norm1.forward(x, view)
    const attention = release(attentionPart(norm1.y, shape, view, presence), norm1.y)
    const u = release(x.add<Tensor2D>(attention.y), attention.y)
    const norm2 = maps.norm2.forward(u, view)
    const feed = release(feedForwardPart(norm2.y, view), norm2.y)
    const y = release(u.add<Tensor2D>(feed.y), feed.y)
    const kept = x.clone()
    return {
      y,
      backward: (dy, gradients, needsInput) => {
        const isLower = needsInput || isTrainedBelow(maps.norm1, ...attentionMaps)
        const dn = feed.backward(dy, () => again(maps.norm2, u, view), gradients, isLower || maps.norm2.isTrained())
        const du = joinGradients(dy, dn, norm2, u, gradients, isLower)
        u.dispose()
        if (du === null) {
          attention.discard()
          norm1.discard()
          kept.dispose()
          return null
        }
        const da = attention.backward(du, () => again(maps.norm1, kept, view), gradients, needsInput || maps.norm1.isTrained())
        const dx = joinGradients(du, da, norm1, kept, gradients, needsInput)
        return release(dx, du, kept)
      },
      discard: () => {
        attention.discard()
        feed.discard()
        norm1.discard()
        norm2.discard()
        release(null, u, kept)
      },
    }
  }

  /** dResidual + norm's gradient of dNormed; frees dNormed. Null when nobody asks for it. */
  const joinGradients = (dResidual: Tensor2D, dNormed: Tensor2D | null, norm: MapPass, input: Tensor2D, gradients: Gradients, needsInput: boolean): Tensor2D | null => {
    if (dNormed === null) {
      norm.discard()
      return null
    }
    const through = release(norm.backward(dNormed, input, gradients, needsInput), dNormed)
    return through === null ? null : release(through.add<Tensor2D>(dResidual), through)
  }

  const forwardPost: ComposedForward = (x, shape, view, presence) => {
    const attention = attentionPart(x, shape, view, presence)
    const sum1 = release(x.add<Tensor2D>(attention.y), attention.y)
    const norm1 = maps.norm1.forward(sum1, view)
    const feed = feedForwardPart(norm1.y, view)
    const sum2 = release(norm1.y.add<Tensor2D>(feed.y), norm1.y, feed.y)
    const norm2 = maps.norm2.forward(sum2, view)
    const kept = x.clone()
    return {
      y: norm2.y,
      backward: (dy, gradients, needsInput) => {
        const isLower = needsInput || isTrainedBelow(...attentionMaps)
        const isMiddle = isLower || maps.norm1.isTrained()
        const isAnyBelowNorm2 = isMiddle || maps.expand.isTrained() || maps.contract.isTrained()
        const dSum2 = norm2.backward(dy, sum2, gradients, isAnyBelowNorm2)
        sum2.dispose()
        if (dSum2 === null) {
          discardLower()
          feed.discard()
          norm1.discard()
          return null
        }
        const dFeed = feed.backward(dSum2, () => again(maps.norm1, sum1, view), gradients, isMiddle)
        const du = dFeed === null ? null : sum(dFeed, dSum2)
        if (du === null) dSum2.dispose()
        const dSum1 = du === null ? null : release(norm1.backward(du, sum1, gradients, isLower), du)
        if (du === null) norm1.discard()
        if (dSum1 === null) {
          discardLower()
          return null
        }
        sum1.dispose()
        const da = attention.backward(dSum1, () => kept.clone(), gradients, needsInput)
        const dx = da === null ? null : da.add<Tensor2D>(dSum1)
        return release(dx, da, dSum1, kept)
      },
      discard: () => {
        discardLower()
        feed.discard()
        norm1.discard()
        norm2.discard()
        sum2.dispose()
      },
    }
    function discardLower(): void {
      attention.discard()
      release(null, sum1, kept)
    }
  }

  const merged: AdaptedBlock['merged'] = (pattern) => {
    if (besideAttention !== null || prompt !== null) return null
    const fold = (map: TokenMap): [Tensor2D, Tensor1D] => {
      const { weight, bias } = map.fold(pattern)
      return [weight as Tensor2D, bias]
    }
    const [[qkvWeight, qkvBias], [outputWeight, outputBias], [expandWeight, expandBias], [contractWeight, contractBias]] =
      [fold(maps.qkv), fold(maps.output), fold(maps.expand), fold(maps.contract)]
    const [norm1, norm2] = [maps.norm1.fold(pattern), maps.norm2.fold(pattern)]
    return createTransformerBlock(kernels, {
      qkvWeight, qkvBias, outputWeight, outputBias, expandWeight, expandBias, contractWeight, contractBias,
      norm1Gamma: norm1.weight as Tensor1D, norm1Beta: norm1.bias, norm2Gamma: norm2.weight as Tensor1D, norm2Beta: norm2.bias,
    }, preNorm, parts.epsilon, parts.activation ?? undefined)
  }

  return {
    merged,
    isTrained: () => Object.values(maps).some((map: TokenMap) => map.isTrained()) || besideAttention !== null || (prompt?.isTrained() ?? false),
    isWhole: () => fusedMapsOf(compute, parts) !== null,
    forward: (x, shape, view, presence, keep) =>
      forwardFused(compute, parts, x, shape, view, keep) ?? (preNorm ? forwardPre : forwardPost)(x, shape, view, presence),
  }
}

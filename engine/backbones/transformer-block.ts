/**
 * One frozen transformer block with a hand-written backward pass for its input only.
 *
 * Pre-LN (ViT, ViLT; Dosovitskiy et al. 2021, arXiv:2010.11929, eqs. 2-3):  u = x + Wo attn(LN1 x);  y = u + W2 gelu(W1 LN2 u)
 * Post-LN (BERT; Vaswani et al. 2017, arXiv:1706.03762, section 3.1):       u = LN1(x + Wo attn x);  y = LN2(u + W2 gelu(W1 u))
 *
 * Because every weight is frozen, no weight gradient is ever formed. The forward pass keeps only what is dear to compute again
 * (query/key/value, the two sums that enter the norms, the values before GELU); norms and attention probabilities are recomputed.
 */
import { type Kernels, release } from '../compute/kernels.ts'
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '../compute/tensorflow.ts'

/** Frozen tensors of one block; linear weights are [in, out]. The query part is already divided by sqrt(head width). */
export interface BlockWeights {
  qkvWeight: Tensor2D
  qkvBias: Tensor1D
  outputWeight: Tensor2D
  outputBias: Tensor1D
  norm1Gamma: Tensor1D
  norm1Beta: Tensor1D
  expandWeight: Tensor2D
  expandBias: Tensor1D
  contractWeight: Tensor2D
  contractBias: Tensor1D
  norm2Gamma: Tensor1D
  norm2Beta: Tensor1D
}

export interface BlockShape {
  batch: number
  heads: number
  /** Masked keys as [B, 1, 1, T] of 0 or a large negative number; null when no key is masked. */
  keyBias: Tensor4D | null
  /** Added to every score [B, H, T, T], broadcast from [1, 1, T, T]: the causal mask of CLIP's text tower. */
  scoreBias?: Tensor4D
}

/** What follows the first map of the feed-forward part; `bias` [F] is added to x [M, F] before it. */
export interface Activation {
  forward(x: Tensor2D, bias: Tensor1D): Tensor2D
  /** dL/dx from dL/dy and the x (without bias) that went in. */
  gradient(dy: Tensor2D, x: Tensor2D, bias: Tensor1D): Tensor2D
}

/** What a forward pass keeps for its backward pass; free it with `disposeSaved` or by running `backward`. */
export interface SavedBlock {
  q: Tensor4D
  k: Tensor4D
  v: Tensor4D
  /** Pre-LN: the block input; post-LN: the sum that enters the first norm. */
  norm1Input: Tensor2D
  /** Pre-LN: the sum after attention; post-LN: the sum that enters the second norm. */
  norm2Input: Tensor2D
  /** The hidden layer before bias and GELU, [M, F]. */
  hidden: Tensor2D
}

export interface TransformerBlock {
  readonly preNorm: boolean
  /**
   * x [B*T, D] -> y [B*T, D]. With `keep` the values for `backward` are returned too.
   * The caller keeps x; a pre-LN block holds its own reference to it in `saved`.
   */
  forward(x: Tensor2D, shape: BlockShape, keep: boolean): { y: Tensor2D; saved: SavedBlock | null }
  /** dL/dy [B*T, D] -> dL/dx [B*T, D]; frees `saved`, keeps dy. */
  backward(dy: Tensor2D, saved: SavedBlock, shape: BlockShape): Tensor2D
  readonly weights: BlockWeights
  /** Epsilon of both norms, and the activation where it is not the exact GELU: what a block with trained parts inside computes too. */
  readonly epsilon: number
  readonly activation: Activation | null
  dispose(): void
}

/** Frees what a forward pass kept, for passes that are abandoned. */
export function disposeSaved(saved: SavedBlock): void {
  for (const tensor of Object.values(saved) as Tensor[]) tensor.dispose()
}

/** Builds one block over its frozen weights; `epsilon` is that of both layer norms (1e-12 in BERT and ViLT), `activation` the exact GELU unless given. */
export function createTransformerBlock(kernels: Kernels, weights: BlockWeights, preNorm: boolean, epsilon: number, activation?: Activation): TransformerBlock {
  const w = weights
  const { forward: activate, gradient: activationGradient } = activation ?? { forward: kernels.gelu, gradient: kernels.geluGradient }

  /** Scaled products of queries and keys [B, H, T, T], with the score bias when there is one. */
  const scoresOf = (q: Tensor4D, k: Tensor4D, shape: BlockShape): Tensor4D => {
    const scores = kernels.batchMatMul(q, k, false, true)
    return shape.scoreBias === undefined ? scores : release(scores.add<Tensor4D>(shape.scoreBias), scores)
  }

  const attend = (input: Tensor2D, shape: BlockShape): { q: Tensor4D; k: Tensor4D; v: Tensor4D; context: Tensor2D } => {
    const product = kernels.matMul(input, w.qkvWeight) // [M, 3D]
    const [q, k, v] = release(kernels.splitQueryKeyValue(product, w.qkvBias, shape.batch, shape.heads), product) // [B, H, T, d]
    const scores = scoresOf(q, k, shape) // [B, H, T, T]
    const probabilities = release(kernels.softmax(scores, shape.keyBias), scores)
    const perHead = release(kernels.batchMatMul(probabilities, v), probabilities) // [B, H, T, d]
    return { q, k, v, context: release(kernels.joinHeads(perHead), perHead) }
  }

  /** residual + context Wo + bo; frees context. */
  const project = (context: Tensor2D, residual: Tensor2D): Tensor2D => {
    const product = release(kernels.matMul(context, w.outputWeight), context)
    return release(kernels.addBiasResidual(product, w.outputBias, residual), product)
  }

  /** The hidden layer before its bias, which the GELU kernels add on the fly. */
  const expand = (input: Tensor2D): Tensor2D => kernels.matMul(input, w.expandWeight) // [M, F]

  /** residual + gelu(hidden + b1) W2 + b2; keeps hidden. */
  const contract = (hidden: Tensor2D, residual: Tensor2D): Tensor2D => {
    const activated = activate(hidden, w.expandBias)
    const product = release(kernels.matMul(activated, w.contractWeight), activated)
    return release(kernels.addBiasResidual(product, w.contractBias, residual), product)
  }

  /** Gradient of the feed-forward part with respect to its input, without the residual. */
  const feedForwardBackward = (dy: Tensor2D, hidden: Tensor2D): Tensor2D => {
    const dActivated = kernels.matMul(dy, w.contractWeight, false, true) // [M, F]
    const dHidden = release(activationGradient(dActivated, hidden, w.expandBias), dActivated, hidden)
    return release(kernels.matMul(dHidden, w.expandWeight, false, true), dHidden)
  }

  /** Gradient of attention (with its output projection) with respect to its input, without the residual; frees q, k, v. */
  const attentionBackward = (dy: Tensor2D, saved: SavedBlock, shape: BlockShape): Tensor2D => {
    const { q, k, v } = saved
    const dContext = kernels.matMul(dy, w.outputWeight, false, true)
    const dPerHead = release(kernels.splitHeads(dContext, shape.batch, shape.heads), dContext)
    const scores = scoresOf(q, k, shape)
    const probabilities = release(kernels.softmax(scores, shape.keyBias), scores)
    const dv = kernels.batchMatMul(probabilities, dPerHead, true, false)
    const dProbabilities = release(kernels.batchMatMul(dPerHead, v, false, true), dPerHead, v)
    const dScores = release(kernels.softmaxGradient(dProbabilities, probabilities), dProbabilities, probabilities)
    const dq = release(kernels.batchMatMul(dScores, k), k)
    const dk = release(kernels.batchMatMul(dScores, q, true, false), dScores, q)
    const dQkv = release(kernels.joinQueryKeyValue(dq, dk, dv), dq, dk, dv)
    return release(kernels.matMul(dQkv, w.qkvWeight, false, true), dQkv)
  }

  const forwardPre: TransformerBlock['forward'] = (x, shape, keep) => {
    const normed = kernels.layerNorm(x, w.norm1Gamma, w.norm1Beta, epsilon)
    const { q, k, v, context } = release(attend(normed, shape), normed)
    const u = project(context, x)
    const normedU = kernels.layerNorm(u, w.norm2Gamma, w.norm2Beta, epsilon)
    const hidden = release(expand(normedU), normedU)
    const y = contract(hidden, u)
    const saved: SavedBlock = { q, k, v, norm1Input: x.clone(), norm2Input: u, hidden }
    if (keep) return { y, saved }
    disposeSaved(saved)
    return { y, saved: null }
  }

  const backwardPre: TransformerBlock['backward'] = (dy, saved, shape) => {
    const dNormedU = feedForwardBackward(dy, saved.hidden)
    const du = release(kernels.layerNormGradient(dNormedU, saved.norm2Input, w.norm2Gamma, epsilon, dy), dNormedU, saved.norm2Input)
    const dNormed = attentionBackward(du, saved, shape)
    return release(kernels.layerNormGradient(dNormed, saved.norm1Input, w.norm1Gamma, epsilon, du), dNormed, saved.norm1Input, du)
  }

  const forwardPost: TransformerBlock['forward'] = (x, shape, keep) => {
    const { q, k, v, context } = attend(x, shape)
    const norm1Input = project(context, x)
    const u = kernels.layerNorm(norm1Input, w.norm1Gamma, w.norm1Beta, epsilon)
    const hidden = expand(u)
    const norm2Input = release(contract(hidden, u), u)
    const y = kernels.layerNorm(norm2Input, w.norm2Gamma, w.norm2Beta, epsilon)
    const saved: SavedBlock = { q, k, v, norm1Input, norm2Input, hidden }
    if (keep) return { y, saved }
    disposeSaved(saved)
    return { y, saved: null }
  }

  const backwardPost: TransformerBlock['backward'] = (dy, saved, shape) => {
    const dSum = release(kernels.layerNormGradient(dy, saved.norm2Input, w.norm2Gamma, epsilon), saved.norm2Input)
    const duFeed = feedForwardBackward(dSum, saved.hidden)
    const du = release(duFeed.add<Tensor2D>(dSum), duFeed, dSum)
    const dSum1 = release(kernels.layerNormGradient(du, saved.norm1Input, w.norm1Gamma, epsilon), du, saved.norm1Input)
    const dAttention = attentionBackward(dSum1, saved, shape)
    return release(dAttention.add<Tensor2D>(dSum1), dAttention, dSum1)
  }

  return {
    preNorm,
    weights,
    epsilon,
    activation: activation ?? null,
    forward: preNorm ? forwardPre : forwardPost,
    backward: preNorm ? backwardPre : backwardPost,
    dispose: () => {
      for (const tensor of Object.values(weights) as Tensor[]) tensor.dispose()
    },
  }
}

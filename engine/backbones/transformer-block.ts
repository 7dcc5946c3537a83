/**
 * One frozen transformer block with a hand-written backward pass for its input only.
 *
 * Pre-LN (ViT, ViLT; Dosovitskiy et al. 2021, arXiv:2010.11929, eqs. 2-3):  u = x + Wo attn(LN1 x);  y = u + W2 gelu(W1 LN2 u)
 * Post-LN (BERT; Vaswani et al. 2017, arXiv:1706.03762, section 3.1):       u = LN1(x + Wo attn x);  y = LN2(u + W2 gelu(W1 u))
 *
 * Because every weight is frozen, no weight gradient is ever formed. Two forms compute the same numbers: whole blocks in one kernel where
 * the backend has it (fused-block.ts), a composition of kernels everywhere else (composed-block.ts).
 */
import type { BlockKeeping, Kernels } from '../compute/kernels.ts'
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '../compute/tensorflow.ts'
import { createComposedPass } from './composed-block.ts'
import { createFusedPass } from './fused-block.ts'

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
  /** Only the output of each sample's first token is wanted: y and dy are [B, D]. */
  firstOnly?: boolean
  /** How much the fused kernels keep for the way back; 'full' unless given. Other backends always keep full precision. */
  keeping?: BlockKeeping
}

/** What follows the first map of the feed-forward part; `bias` [F] is added to x [M, F] before it. */
export interface Activation {
  forward(x: Tensor2D, bias: Tensor1D): Tensor2D
  /** dL/dx from dL/dy and the x (without bias) that went in. */
  gradient(dy: Tensor2D, x: Tensor2D, bias: Tensor1D): Tensor2D
}

/** What a forward pass keeps for its backward pass; free it with `disposeSaved` or by running `backward`. */
export type SavedBlock = SavedTensors | SavedFused

/** Kept by the fused kernels: their own bytes. */
export interface SavedFused {
  kept: Tensor
  /** B*T of the pass. */
  rows: number
}

/** Kept by the composed form. */
export interface SavedTensors {
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

/** One way of computing a block. */
export interface BlockPass<Saved> {
  /**
   * x [B*T, D] -> y [B*T, D] ([B, D] where the shape asks for first tokens only). With `keep` the values for `backward` are returned too.
   * The caller keeps x; `saved` may hold its own reference to it.
   */
  forward(x: Tensor2D, shape: BlockShape, keep: boolean): { y: Tensor2D; saved: Saved | null }
  /** dL/dy -> dL/dx [B*T, D]; frees `saved`, keeps dy. */
  backward(dy: Tensor2D, saved: Saved, shape: BlockShape): Tensor2D
}

export interface TransformerBlock extends BlockPass<SavedBlock> {
  readonly preNorm: boolean
  readonly weights: BlockWeights
  /** Epsilon of both norms, and the activation where it is not the exact GELU: what a block with trained parts inside computes too. */
  readonly epsilon: number
  readonly activation: Activation | null
  dispose(): void
}

/** Frees what a forward pass kept, for passes that are abandoned. */
export function disposeSaved(saved: SavedBlock): void {
  for (const tensor of Object.values(saved) as (Tensor | number)[]) if (typeof tensor !== 'number') tensor.dispose()
}

/** Builds one block over its frozen weights; `epsilon` is that of both layer norms (1e-12 in BERT and ViLT), `activation` the exact GELU unless given. */
export function createTransformerBlock(kernels: Kernels, weights: BlockWeights, preNorm: boolean, epsilon: number, activation?: Activation): TransformerBlock {
  const composed = createComposedPass(kernels, weights, preNorm, epsilon, activation)
  const fused = kernels.blocks === undefined || activation !== undefined ? null : createFusedPass(kernels.blocks, weights, preNorm, epsilon)
  return {
    preNorm,
    weights,
    epsilon,
    activation: activation ?? null,
    forward: (x, shape, keep) => (fused === null || shape.scoreBias !== undefined ? composed : fused).forward(x, shape, keep),
    backward: (dy, saved, shape) => 'kept' in saved ? fused!.backward(dy, saved, shape) : composed.backward(dy, saved, shape),
    dispose: () => {
      for (const tensor of Object.values(weights) as Tensor[]) tensor.dispose()
    },
  }
}

/**
 * A network is a chain of stages from embedded tokens to the pooled vector: each block is one, trained parts in front of a block are others.
 * The chain is read upwards for the forward pass and downwards, as far as something is trained, for the gradients.
 */
import type { BlockShape } from '../../backbones/transformer-block.ts'
import type { BlockKeeping } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import type { BatchView } from '../sites/batch-view.ts'

/** The tokens of a batch on their way through the chain. */
export interface Sequence {
  /** [B*T, D] */
  x: Tensor2D
  shape: BlockShape
  view: BatchView
  /** [B, M] of 0/1: which modalities each sample has. */
  presence: Tensor2D
  /** How many tokens of each sample, counted from its first own one, are text (stand-ins included). */
  textTokens: readonly number[]
  /** Trained tokens in front of each sample's own; they do not take part in pooling. */
  promptTokens: number
  /** Only the first token of each sample is left: x is [B, D]. */
  isFirstOnly?: boolean
}

export interface StageOptions {
  /** Keep what `backward` needs. */
  keep: boolean
  /** Something below this stage is trained, so its input's gradient will be asked for. */
  needsInput: boolean
  /** Output of the frozen part, computed earlier: [B*T, D], or null; the stage frees it. */
  cached: Tensor2D | null
  /** Nothing after this stage reads more than each sample's first token; a stage that can, computes only that. */
  firstOnly: boolean
  /** What the fused kernels keep of this block for the way back; 'full' when left out. */
  keeping?: BlockKeeping
}

export interface StagePass {
  /** The stage's output; `x` belongs to the caller, everything else to whoever made it. */
  sequence: Sequence
  /** dL/dy [B*T, D] -> dL/dx, or null when `needsInput` was false; runs once, only in passes with `keep`; dy stays the caller's. */
  backward(dy: Tensor2D, gradients: Gradients): Tensor2D | null
  /** Frees what was kept. */
  discard(): void
}

export interface Stage {
  /** Whether its output without trained parts can be handed in as `cached`. */
  readonly takesCached: boolean
  isTrained(): boolean
  /** A block with trained parts inside: how it is computed at present. Absent: no such block. */
  readonly inside?: 'whole' | 'composed'
  /** The same with everything trained folded into frozen weights, for samples of this pattern; null where that cannot be. Absent: nothing to fold. */
  merged?(pattern: number): { stage: Stage; dispose(): void } | null
  /** The input stays the caller's. */
  forward(input: Sequence, options: StageOptions): StagePass
}

/**
 * A map applied to every token alone: a linear layer or a layer norm, frozen, trained or with trained parts added. The places of a block
 * that methods may change are such maps, so that one block serves all of them.
 */
import type { LowRankUpdate } from '../../compute/kernels.ts'
import type { Gradients } from '../../compute/parameters.ts'
import type { Tensor, Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import type { BatchView } from './batch-view.ts'

export interface MapPass {
  /** [B*T, E]; belongs to the caller. */
  y: Tensor2D
  /**
   * dL/dy [B*T, E] -> dL/dx [B*T, D], or null when `needsInput` is false; writes gradients of tensors that are trained at present.
   * `x` is the input again, which the caller keeps or recomputes (required when the map's `readsInput` is true). Runs once; dy and x stay the caller's.
   */
  backward(dy: Tensor2D, x: Tensor2D | null, gradients: Gradients, needsInput: boolean): Tensor2D | null
  /** Frees what `backward` would have used. */
  discard(): void
}

/** A map as one frozen one: y = x W + b, or a norm's gain and offset; belongs to the caller. */
export interface FoldedMap {
  /** [D, E], or [D] of a norm. */
  weight: Tensor
  bias: Tensor1D
}

/** What the kernel for whole blocks says of one map; the tensors stay the caller's. Null where nothing of the kind is trained in the block. */
interface FusedGradients {
  /** dL/doffset [S, E] and dL/dfactor [S, E], the latter null where no map has factors. */
  vectors: { offset: Tensor2D; factor: Tensor2D | null } | null
  update: LowRankUpdate | null
}

/** A map's values for a list of presence patterns, or for one that stands for all; they belong to the caller. */
export interface FusedVectors {
  /** Bias, or a norm's offset: one row for each pattern [S, E]. */
  offset: Tensor2D
  /** What the product is multiplied with before that; of a norm its gain. Null: nothing. */
  factor: Tensor2D | null
}

/** A map as the kernel for whole blocks takes it: y = factor (x W + x down up) + offset. */
export interface FusedMap {
  /** The map differs between presence patterns. */
  readonly byPattern: boolean
  readonly hasUpdate: boolean
  /** Which kinds of its tensors get a gradient at present. */
  trains(): { vectors: boolean; update: boolean }
  /** W [D, E]; null of a norm. Belongs to the caller. */
  weight(): Tensor2D | null
  vectors(patterns: readonly number[]): FusedVectors
  /** Null where no sample of the patterns has one. Belongs to the caller. */
  update(patterns: readonly number[]): LowRankUpdate | null
  /** Writes the gradients of what is trained at present. */
  write(from: FusedGradients, patterns: readonly number[], gradients: Gradients): void
}

export interface TokenMap {
  /** How it enters a block that is computed whole; null where it cannot at present. */
  readonly fused: FusedMap | null
  /** Whether `backward` reads the input again. */
  readonly readsInput: boolean
  /** Whether `forward` costs so little that a decorator computes it again instead of keeping its output. */
  readonly isCheap: boolean
  /** Whether any of its tensors gets a gradient at present. */
  isTrained(): boolean
  /** x [B*T, D]; stays the caller's. */
  forward(x: Tensor2D, view: BatchView): MapPass
  /** Everything trained folded into one map, for samples of this presence pattern. */
  fold(pattern: number): FoldedMap
}

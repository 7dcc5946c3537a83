/**
 * A map applied to every token alone: a linear layer or a layer norm, frozen, trained or with trained parts added. The places of a block
 * that methods may change are such maps, so that one block serves all of them.
 */
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

export interface TokenMap {
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

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

/** What the kernel for whole blocks says of one map; the tensors stay the caller's. */
interface FusedGradients {
  /** dL/dbias [E], or of a norm's offset [D]. */
  bias: Tensor1D
  /** Of a norm's gain [D], else null. */
  gain: Tensor1D | null
  /** dL/dy [B*T, E] and the input [B*T, D], which belongs to who asks; null unless the map reads them. */
  product: { dy: Tensor2D; x(): Tensor2D } | null
}

interface FusedMap {
  /** The map differs between presence patterns, so that folding serves a batch of one pattern only. */
  readonly byPattern: boolean
  /** Whether `write` needs `product`. */
  readonly readsProduct: boolean
  /** Writes the gradients of what is trained at present. */
  write(from: FusedGradients, view: BatchView, gradients: Gradients): void
}

export interface TokenMap {
  /** How its gradients follow from a block computed whole, over the folded map; absent where they do not. */
  readonly fused?: FusedMap
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

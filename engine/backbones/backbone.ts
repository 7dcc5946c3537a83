/**
 * What every frozen backbone offers: samples in, valid tokens out, and the blocks that an adapter is placed on.
 * Tokens never carry padding on the host; a batch is padded only while it is computed, and padded keys are masked.
 */
import type { Compute } from '../compute/backend.ts'
import { MASKED_KEY_BIAS } from '../compute/kernels.ts'
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '../compute/tensorflow.ts'
import type { Modality } from '../domain/slots.ts'
import type { TransformerBlock } from './transformer-block.ts'

/** One prepared piece of a patient's input. `modality` indexes the run's list of modalities. */
export type SamplePart = TextPart | PixelPart | GridPart | TabularPart

export interface TextPart {
  kind: 'text'
  modality: number
  /** Token ids with [CLS] first and [SEP] last, no padding. */
  ids: Int32Array
  /** Token type ids, all 0 by default. */
  typeIds?: Int32Array
}

/** A normalised image for backbones that read pixels. */
export interface PixelPart {
  kind: 'pixels'
  modality: number
  /** Which image of the sample this is (0 right eye, 1 left eye, ...): selects its image-type embedding. */
  slot: number
  /** [3, height, width] row-major; height and width are multiples of the patch size. */
  pixels: Float32Array
  height: number
  width: number
}

/** Frozen features of one image for the joined default backbone: `count` tokens of `depth` values. */
export interface GridPart {
  kind: 'grid'
  modality: number
  slot: number
  /** [count, depth] row-major. */
  features: Float32Array
  count: number
}

/** One table's values as a vector of fixed length, see modalities/tabular.ts; read through `withTabularTokens`. */
export interface TabularPart {
  kind: 'tabular'
  modality: number
  slot: number
  /** [TABULAR_WIDTH] */
  features: Float32Array
}

/** Marks tokens that belong to no modality that is present (a dummy stands for a missing one). */
export const DUMMY_SEGMENT = 255

/** The valid tokens of one sample as they enter block 0. */
export interface EmbeddedSample {
  /** [T, D] row-major. */
  x: Float32Array
  tokens: number
  /** Modality index of each token, or DUMMY_SEGMENT. */
  segments: Uint8Array
}

export interface FinalNorm {
  gamma: Tensor1D
  beta: Tensor1D
  epsilon: number
}

/** The layer norm of the embeddings, for methods that scale and shift after every norm. */
export interface EmbeddingNorm {
  /** Which tokens it acts on; text stands first in every sequence. */
  tokens: 'text' | 'all'
  /** Name of the input layer's table [types, D] whose first row is added to those tokens after the norm, or null. */
  addedAfter: string | null
}

/** What a tensor of an input layer is, for methods that train some kinds only. */
export type InputRole = 'table' | 'weight' | 'bias' | 'norm-gain' | 'norm-offset'

/** A backbone's input layer over raw parts, for methods that train embeddings; the frozen tokens of `embed` are the same numbers. */
export interface InputLayer {
  /** The loaded tensors by their names in the weights; they stay the backbone's. */
  readonly frozen: ReadonlyMap<string, Tensor>
  readonly roles: ReadonlyMap<string, InputRole>
  /** How many tokens a part becomes. */
  tokensOf(part: SamplePart): number
  /**
   * Embeds a batch with these tensors in place of its own.
   * @param tokens what each sample is padded to, with zeros
   * @param keep whether `backward` or `discard` will be called
   */
  forward(samples: readonly (readonly SamplePart[])[], tokens: number, tensors: ReadonlyMap<string, Tensor>, keep: boolean): InputPass
}

export interface InputPass {
  /** [B * tokens, D]; belongs to the caller. */
  x: Tensor2D
  /** dL/dx [B * tokens, D] -> gradients of the tensors that are wanted, which belong to the receiver. Runs once; dx stays the caller's. */
  backward(dx: Tensor2D, wants: (name: string) => boolean, write: (name: string, gradient: Tensor) => void): void
  discard(): void
}

export interface Backbone {
  readonly id: string
  /** Token width D. */
  readonly width: number
  readonly heads: number
  readonly blocks: TransformerBlock[]
  /** Layer norm of the embeddings; absent where there is none. */
  readonly embeddingNorm?: EmbeddingNorm
  /** Absent where tokens can only be had frozen (the joined default: its image encoder runs once; separate encoders have no common tokens). */
  readonly inputLayer?: InputLayer
  /** Layer norm after the last block (ViLT); null for post-LN models. */
  readonly finalNorm: FinalNorm | null
  /** How a sample's tokens become one vector: its first token, or the mean over each present modality averaged over modalities. */
  readonly pooling: 'first' | 'modality-mean'
  /**
   * Whether the head sees the mean of the first and the last hidden state ("first-last average", Su et al. 2021, arXiv:2103.15316)
   * instead of the last alone.
   */
  readonly joinsFirstAndLast: boolean
  /** Frozen parameters that one forward pass uses. */
  readonly parameterCount: number
  readonly weightsHash: string
  /** Weights of the model's own pooler as [in, out] and [out], when it has one to start from. */
  readonly pooler: { weight: Float32Array; bias: Float32Array } | null
  /** Embeds samples; parts are used in the order text, then images by slot. `dummies` lists modalities whose parts are stand-ins. */
  embed(samples: readonly (readonly SamplePart[])[], dummies?: readonly ReadonlySet<number>[]): EmbeddedSample[]
  /** The part that stands for a missing modality: empty text, or an image of ones (METHODS 1). */
  dummyPart(kind: Modality, modality: number, slot: number): SamplePart
  /** One part on its own as a vector of unit length, from frozen weights only: what a linear probe is given. */
  describePart(part: SamplePart): Float32Array
  /** Length of `describePart` for text and for one image. */
  describedWidth(kind: Modality): number
  dispose(): void
}

/** Key bias [B, 1, 1, T] for samples of the given lengths padded to `tokens`, or null when nothing is padded. */
export function keyBiasFor(compute: Compute, lengths: readonly number[], tokens: number): Tensor4D | null {
  if (lengths.every((length) => length === tokens)) return null
  const bias = new Float32Array(lengths.length * tokens)
  lengths.forEach((length, b) => bias.fill(MASKED_KEY_BIAS, b * tokens + length, (b + 1) * tokens))
  return compute.tf.tensor4d(bias, [lengths.length, 1, 1, tokens])
}

/** Text first, then images by slot, as in ViLT and the multimodal bitransformer. */
export function orderParts(parts: readonly SamplePart[]): SamplePart[] {
  const rank = (part: SamplePart): number => (part.kind === 'text' ? -1 : part.slot)
  return [...parts].sort((a, b) => rank(a) - rank(b))
}

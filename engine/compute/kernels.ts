import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from './tensorflow.ts'

/**
 * The few operations the frozen transformer is made of, so that each backend can use its fastest form.
 * Every function returns new tensors that belong to the caller; inputs stay alive. M rows, D columns, B batch, H heads, T tokens, d head width.
 */
export interface Kernels {
  /** Which implementation this is, for run records and benchmarks. */
  readonly name: string
  /** [M, K] x [K, N]; either operand may be read transposed. */
  matMul(a: Tensor2D, b: Tensor2D, transposeA?: boolean, transposeB?: boolean): Tensor2D
  /** Batched product over the two leading axes; either operand may be read transposed in its last two axes. */
  batchMatMul(a: Tensor4D, b: Tensor4D, transposeA?: boolean, transposeB?: boolean): Tensor4D
  /** x [M, D] + bias [D]. */
  addBias(x: Tensor2D, bias: Tensor1D): Tensor2D
  /** x [M, D] + bias [D] + residual [M, D]. */
  addBiasResidual(x: Tensor2D, bias: Tensor1D, residual: Tensor2D): Tensor2D
  /** Layer normalisation over the last axis (Ba et al. 2016, arXiv:1607.06450), biased variance as in PyTorch. */
  layerNorm(x: Tensor2D, gamma: Tensor1D, beta: Tensor1D, epsilon: number): Tensor2D
  /** dL/dx of `layerNorm` from dL/dy, plus `residual` when given; mean and variance are computed again from x instead of being kept. */
  layerNormGradient(dy: Tensor2D, x: Tensor2D, gamma: Tensor1D, epsilon: number, residual?: Tensor2D): Tensor2D
  /** Exact GELU of v = x + bias (bias optional): v * Phi(v) with the error function (Hendrycks and Gimpel 2016, arXiv:1606.08415). */
  gelu(x: Tensor2D, bias?: Tensor1D): Tensor2D
  /** dL/dx of `gelu` from dL/dy: dy * (Phi(v) + v * phi(v)). */
  geluGradient(dy: Tensor2D, x: Tensor2D, bias?: Tensor1D): Tensor2D
  /** Softmax over the last axis of scores [B, H, T, T] plus keyBias [B, 1, 1, T] (0, or a large negative number at masked keys). */
  softmax(scores: Tensor4D, keyBias: Tensor4D | null): Tensor4D
  /** dL/dscores of `softmax` from dL/dp and p: p * (dp - sum(dp * p)). */
  softmaxGradient(dp: Tensor4D, p: Tensor4D): Tensor4D
  /** Splits x + bias [B*T, 3*H*d] into query, key, value, each [B, H, T, d]. */
  splitQueryKeyValue(x: Tensor2D, bias: Tensor1D, batch: number, heads: number): [Tensor4D, Tensor4D, Tensor4D]
  /** Inverse of `splitQueryKeyValue`: three [B, H, T, d] into [B*T, 3*H*d]. */
  joinQueryKeyValue(q: Tensor4D, k: Tensor4D, v: Tensor4D): Tensor2D
  /** [B*T, H*d] into [B, H, T, d]. */
  splitHeads(x: Tensor2D, batch: number, heads: number): Tensor4D
  /** [B, H, T, d] into [B*T, H*d]. */
  joinHeads(x: Tensor4D): Tensor2D
  /** Whole frozen blocks in one call, where the backend has them: fewer passes over memory, and working memory that does not grow with the batch. */
  readonly blocks?: BlockKernels
  /** Gives memory back to the system that start-up or freed tensors left resident; where the backend can. */
  releaseMemory?(): void
  /** One AdamW update of one tensor; returns the new value and moments. */
  adamW(value: Tensor, gradient: Tensor, first: Tensor, second: Tensor, update: AdamWUpdate): [value: Tensor, first: Tensor, second: Tensor]
}

/** A transformer block with exact GELU whose matrices are frozen; `weights` in the order of `BlockWeights`, vectors there [S, width] with trained parts. */
export interface BlockKernels {
  /** x [M, D] -> y [M, D], or [B, D] with `firstOnly`; `kept` is what `backward` needs, null when nothing was to be kept. */
  forward(x: Tensor2D, weights: readonly Tensor[], call: BlockCall, keep: BlockKeeping | null): { y: Tensor2D; kept: Tensor | null }
  /** dL/dy -> dL/dx [M, D]; keeps its inputs. */
  backward(dy: Tensor2D, kept: Tensor, weights: readonly Tensor[], call: BlockCall, keep: BlockKeeping): Tensor2D
  /** The same with trained parts inside; what is kept is kept in full precision. */
  forwardTrained(x: Tensor2D, weights: readonly Tensor[], parts: TrainedParts, call: BlockCall, keep: boolean): { y: Tensor2D; kept: Tensor | null }
  /** dL/dy -> dL/dx [M, D] and the gradients that are asked for; keeps its inputs. */
  backwardTrained(dy: Tensor2D, kept: Tensor, weights: readonly Tensor[], parts: TrainedParts, call: BlockCall, asks: AskedGradients): { dx: Tensor2D } & TrainedGradients
}

/** A low-rank update beside a linear map: its product gets x down up on top. down [D, R], up [R, E]; each set has its own share of R. */
export interface LowRankUpdate {
  down: Tensor2D
  up: Tensor2D
}

/** What trained parts bring to a block. Samples may differ in which of S sets of vectors, factors and updates they use. */
export interface TrainedParts {
  /** The set of each sample. */
  sets: readonly number[]
  /** On the products of the four linear maps, before their biases: [S, 5D + F], or null. */
  factors: Tensor2D | null
  /** Keys and values in front of each sample's own, never masked: [B, 2, P, D], or null. */
  prompts: Tensor4D | null
  /** Of the query-key-value, output, expand and contract map. */
  updates: readonly (LowRankUpdate | null)[]
}

export interface AskedGradients {
  vectors: boolean
  prompts: boolean
  updates: readonly boolean[]
}

/** Null where nobody asked or there is nothing. */
export interface TrainedGradients {
  /** [S, 9D + F]: all vectors among the weights, in their order. */
  vectors: Tensor2D | null
  /** [S, 5D + F]; comes with `vectors`. */
  factors: Tensor2D | null
  prompts: Tensor4D | null
  updates: readonly (LowRankUpdate | null)[]
}

/**
 * What a frozen block keeps between its passes; the forward pass is the same each way. 'full' and 'half' keep the values that the way back
 * reads, in 32 or 16 bits (11 significant bits); 'input' keeps the block's input alone, in 16 bits, and computes the rest again, which costs
 * about a third of a step (Chen et al. 2016, arXiv:1604.06174).
 */
export type BlockKeeping = 'full' | 'half' | 'input'

/** The same for all blocks of a run: 'mixed' keeps the values of every third block in halves and the input alone of the others. */
export type Keeping = BlockKeeping | 'mixed'

export interface BlockCall {
  preNorm: boolean
  epsilon: number
  heads: number
  /** Rows of each sample, one sample after the other; they add up to M. */
  lengths: readonly number[]
  /** Added to the scores of each row as a key, M numbers in any shape; or null. */
  keyBias: Tensor | null
  /** Only the output of each sample's first row is wanted. */
  firstOnly: boolean
}

/** The numbers of one AdamW step, corrections for the step count already folded in. */
export interface AdamWUpdate {
  beta1: number
  beta2: number
  /** 1 - rate * decay */
  shrink: number
  /** rate / (1 - beta1^t) */
  rate: number
  /** 1 / sqrt(1 - beta2^t) */
  secondScale: number
  epsilon: number
}

/** Number added to the score of a masked key; far below any real score, finite so that no row becomes NaN. */
export const MASKED_KEY_BIAS = -1e9

/** Frees what it is given and passes the result on, so that a chain of kernels keeps one line for each step. */
export function release<R>(result: R, ...spent: (Tensor | null | undefined)[]): R {
  for (const tensor of spent) tensor?.dispose()
  return result
}

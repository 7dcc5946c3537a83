/** Estimates bytes and time of a run before it starts, so that the run screen can warn and nobody waits for an out-of-memory error. */

import type { Keeping } from './kernels.ts'

/** What decides memory and time of a run; token counts are those of a typical complete sample. */
export interface RunSize {
  width: number
  blocks: number
  heads: number
  feedForward: number
  tokens: number
  batchSize: number
  /** Lowest block with trained parts (0 for MoRA as published); equal to `blocks` when only a head is trained. */
  firstBlock: number
  /** Whether the frozen block under the adapter comes from the cache. */
  cachesBlockOutput: boolean
  frozenParameters: number
  trainedParameters: number
  /** Trained parts stand inside blocks, so the lowest block keeps values and takes part in the way back; false when left out. */
  trainsInside?: boolean
  /** How many blocks with trained parts inside are computed whole; 0 or left out: all of them, and the blocks between them, are composed of single operations. */
  wholeBlocks?: number
  /** Gradients of the blocks' own weights are formed; false when left out. */
  trainsWeights?: boolean
  /** What a composed block keeps in units of what a frozen one keeps; 1 when left out. */
  keptFactor?: number
  /** What frozen blocks keep where the fused kernels compute them; left out when all blocks are composed of single operations. */
  keeping?: Keeping
  /** Samples trained on in each epoch, and prefix entries (samples x patterns) that are computed once. */
  trainingSamples: number
  prefixEntries: number
  epochs: number
  /** Rate that the machine reaches in a large matrix product, in 10^9 operations a second; `measureMatmulRate` gives it. */
  gigaflops: number
}

export interface RunEstimate {
  /** Highest memory of the engine process. */
  peakBytes: number
  /** Cached prefix entries, on disk or in memory. */
  cacheBytes: number
  /** Wall-clock seconds of the whole run, first pass included; good to about a factor of 1.5. */
  seconds: number
}

const FLOAT_BYTES = 4
/** TensorFlow's library and Node themselves, measured on Linux, and what they come down to with the pages given back that only start-up reads. */
const PROCESS_BYTES = 450e6
const TRIMMED_PROCESS_BYTES = 200e6
/** Share of the large-matrix rate that a whole training step reaches. */
const STEP_EFFICIENCY = 0.7

/** Of a forward pass, what is computed again from a block's input: all but the last matrix product. */
const AGAIN = 2 / 3

/** Kept by one block between its passes: query, key, value, two norms or their inputs, and the hidden layer or its slope. */
function valuesPerRow(size: Pick<RunSize, 'width' | 'feedForward'>): number {
  return 5 * size.width + size.feedForward
}

/** Bytes that the blocks above `firstBlock` keep of `rows` tokens in halves. */
export function keptBytes(rows: number, size: Pick<RunSize, 'width' | 'feedForward' | 'blocks'>, firstBlock: number): number {
  return 2 * rows * valuesPerRow(size) * Math.max(0, size.blocks - firstBlock - 1)
}

/** Estimate for one configuration; every term is a count of what the code allocates, not a fit. */
export function estimateRun(size: RunSize): RunEstimate {
  const { width: D, feedForward: F, tokens: T, heads: H, blocks: N } = size
  const rows = size.batchSize * T
  const whole = size.trainsInside === true && size.keeping !== undefined ? size.wholeBlocks ?? 0 : 0
  const fused = size.trainsInside === true && whole === 0 ? undefined : size.keeping
  const kept = rows * valuesPerRow(size) * (fused === undefined ? size.keptFactor ?? 1 : 1)
  /** Of a whole block with trained parts, in full precision: at most two products or an input more than a frozen one. */
  const keptWhole = rows * (valuesPerRow(size) + 2 * D)
  /** The input in halves; blocks with the norm after each part keep one normed row more. */
  const input = rows * D
  const savedPerBlock = fused === 'input' ? input : fused === 'mixed' ? (2 * input + kept / 2) / 3 : fused === 'half' ? kept / 2 : kept
  const isAgain = fused === 'input' || fused === 'mixed'
  /** Largest moment inside one block. Composed: scores and their gradient, two hidden layers. Fused: query, key, value, two rows of D, packed weights. */
  const working = fused === undefined ? 2 * size.batchSize * H * T * T + 3 * rows * F
    : 6 * rows * D + 2 * D * Math.min(F, 768) + 2 * 2 * T * T + (isAgain ? kept / 2 : 0)
      // With trained parts: scaled gradients, a map's input again, columns of the hidden layer and of its gradient, packed rows.
      + (whole > 0 ? rows * (2 * D + 3 * Math.min(F, 768)) : 0)
  const trainedBlocks = Math.max(0, N - size.firstBlock - (size.trainsInside === true ? 0 : 1))
  const peakBytes = (fused === undefined ? PROCESS_BYTES : TRIMMED_PROCESS_BYTES) + FLOAT_BYTES * (size.frozenParameters + 5 * size.trainedParameters + whole * keptWhole + Math.max(0, trainedBlocks - whole) * savedPerBlock + working)
  const perEntry = size.firstBlock >= N ? D : T * D * (size.cachesBlockOutput ? 2 : 1)
  const blockFlops = T * (8 * D * D + 4 * D * F + 4 * T * D)
  const forwardBlocks = N - size.firstBlock - (size.cachesBlockOutput ? 1 : 0)
  const again = fused === 'input' ? AGAIN : fused === 'mixed' ? (2 / 3) * AGAIN : 0
  const backwardBlocks = trainedBlocks * (size.trainsWeights === true ? 2 : 1) + Math.max(0, trainedBlocks - whole) * again
  const stepFlops = size.firstBlock >= N ? 0 : blockFlops * (Math.max(0, forwardBlocks) + backwardBlocks)
  const prefixFlops = blockFlops * Math.min(N, size.firstBlock + (size.cachesBlockOutput ? 1 : 0))
  const flops = size.epochs * size.trainingSamples * stepFlops + size.prefixEntries * prefixFlops
  return {
    peakBytes: Math.round(peakBytes),
    cacheBytes: size.prefixEntries * perEntry * FLOAT_BYTES,
    seconds: flops / (size.gigaflops * 1e9 * STEP_EFFICIENCY),
  }
}

/** Bytes that one more sample of `tokens` tokens adds to a training step which trains from block 0 on: what a batch may be is decided by this. */
export function bytesPerSample(size: Pick<RunSize, 'width' | 'blocks' | 'heads' | 'trainsInside' | 'wholeBlocks' | 'keptFactor'>, tokens: number, keeping?: Keeping): number {
  const step = (batchSize: number) => estimateRun({
    ...size, ...(keeping === undefined ? {} : { keeping }), tokens, batchSize, feedForward: 4 * size.width, firstBlock: 0, cachesBlockOutput: true,
    frozenParameters: 0, trainedParameters: 0, trainingSamples: 0, prefixEntries: 0, epochs: 0, gigaflops: 1,
  }).peakBytes
  return step(1) - step(0)
}

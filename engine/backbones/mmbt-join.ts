/**
 * `mmbt-minilm-resnet50`, the embedded default backbone, after the multimodal bitransformer (Kiela et al. 2019, arXiv:1909.02950, section 3):
 * the 49 grid tokens of a frozen ResNet-50 are projected to the text width, given position and segment embeddings (positions count from 0
 * in every segment), and join the word tokens as one sequence in the six frozen blocks of all-MiniLM-L6-v2.
 *
 * Where we differ, and why:
 * - The projection is not trained but a fixed, seeded random matrix with orthonormal columns. So the input of block 0 and the frozen block's
 *   output can be cached, and random projections keep distances (Johnson and Lindenstrauss 1984): on ODIR a linear probe
 *   reads as much from the projected tokens as from the 2048 features.
 * - Each image's projected grid is scaled to the spread of MiniLM's word embeddings by its own root mean square: nothing is fitted to the
 *   cohort, so one cache serves every fold and no test patient leaks into the input.
 * - Each image slot has its own fixed random segment embedding of the size of MiniLM's token types; text keeps type 0.
 */
import { createHash } from 'node:crypto'
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { normalArray, type RandomSource } from '../compute/random-source.ts'
import { type Tensor2D, takeFloats } from '../compute/tensorflow.ts'
import { type Backbone, DUMMY_SEGMENT, type GridPart, type SamplePart, orderParts } from './backbone.ts'
import { type BertModel } from './bert.ts'

/** Images of one sample that have a segment embedding; more than any cohort here needs. */
export const MMBT_SLOT_LIMIT = 8

export interface MmbtParts {
  bert: BertModel
  /** Depth of the grid features and how many tokens an image has. */
  gridDepth: number
  gridTokens: number
  /** Hash of the image encoder's weights. */
  gridHash: string
  /** Parameters of the image encoder, counted as frozen. */
  gridParameterCount: number
  /** Grid features of an image of ones (a white image), the paper's stand-in for a missing one. */
  dummyGrid: Float32Array
  /** Fixes the projection and segment embeddings; part of the backbone's identity. */
  random: RandomSource
}

/** Joins a loaded text encoder with an image encoder's grid. Disposing the result disposes the text encoder. */
export function createMmbt(compute: Compute, parts: MmbtParts): Backbone {
  const { tf, kernels } = compute
  const { bert, gridDepth, gridTokens } = parts
  const D = bert.config.hidden_size
  const heads = bert.config.num_attention_heads
  const projectionValues = orthonormalColumns(parts.random, gridDepth, D)
  const projection = tf.tensor2d(projectionValues, [gridDepth, D])
  // On the host in double precision: the second is part of the backbone's hash, which must be the same on every backend and number of
  // threads, and WebAssembly sums the 12 million word values in float32 one by one, which is 0.2 % off.
  const wordDeviation = Math.fround(standardDeviation(bert.wordEmbeddings.dataSync() as Float32Array))
  const typeDeviation = Math.fround(standardDeviation(bert.typeEmbeddings.dataSync() as Float32Array))
  const segmentValues = normalArray(parts.random, MMBT_SLOT_LIMIT * D, typeDeviation)
  const segments = tf.tensor2d(segmentValues, [MMBT_SLOT_LIMIT, D])
  const hash = createHash('sha256').update(bert.weightsHash).update(parts.gridHash)
    .update(new Uint8Array(projectionValues.buffer)).update(new Uint8Array(segmentValues.buffer)).digest('hex')

  const embedGrid = (part: GridPart): Tensor2D => {
    if (part.slot >= MMBT_SLOT_LIMIT) throw new Error(`image slot ${part.slot} is beyond the ${MMBT_SLOT_LIMIT} that exist`)
    return tf.tidy(() => {
      const projected = kernels.matMul(tf.tensor2d(part.features, [part.count, gridDepth]), projection) // [49, D]
      const scale = projected.square().mean().sqrt().add(1e-6)
      const positions = bert.positionEmbeddings.slice([0, 0], [part.count, D])
      const sum = projected.div(scale).mul(wordDeviation).add(positions).add<Tensor2D>(segments.slice([part.slot, 0], [1, D]))
      return bert.embeddingNorm(sum)
    })
  }

  const embedPart = (part: SamplePart): Tensor2D => {
    if (part.kind === 'text') return bert.embedTokens(part.ids)
    if (part.kind === 'grid') return embedGrid(part)
    throw new Error('this backbone reads grid features, not pixels')
  }

  return {
    id: 'mmbt-minilm-resnet50',
    width: D,
    heads,
    blocks: bert.blocks,
    embeddingNorm: { tokens: 'all', addedAfter: null },
    finalNorm: null,
    pooling: 'modality-mean',
    joinsFirstAndLast: true,
    weightsHash: hash,
    pooler: null,
    parameterCount: bert.parameterCount + parts.gridParameterCount + gridDepth * D + MMBT_SLOT_LIMIT * D,
    embed: (samples, dummies) => samples.map((sample, index) => {
      const embedded = orderParts(sample).map((part) => ({ part, tokens: embedPart(part) }))
      const tokenSegments = embedded.flatMap(({ part, tokens }) =>
        new Array<number>(tokens.shape[0]).fill(dummies?.[index]?.has(part.modality) === true ? DUMMY_SEGMENT : part.modality))
      const joined = release(tf.concat2d(embedded.map(({ tokens }) => tokens), 0), ...embedded.map(({ tokens }) => tokens))
      return { x: takeFloats(joined), tokens: tokenSegments.length, segments: Uint8Array.from(tokenSegments) }
    }),
    dummyPart: (kind, modality, slot) => kind === 'text'
      ? { kind, modality, ids: Int32Array.of(101, 102) }
      : { kind: 'grid', modality, slot, features: parts.dummyGrid, count: gridTokens },
    describePart: (part) => part.kind === 'text' ? bert.embedSentences([part.ids]) : averageGrid(part as GridPart, gridDepth),
    describedWidth: (kind) => (kind === 'text' ? D : gridDepth),
    dispose: () => {
      projection.dispose()
      segments.dispose()
      bert.dispose()
    },
  }
}

function standardDeviation(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return Math.sqrt(squares / values.length)
}

/** Global average of the grid with unit length, [depth]. */
export function averageGrid(part: GridPart, depth: number): Float32Array {
  const mean = new Float64Array(depth)
  part.features.forEach((value, i) => { mean[i % depth] = mean[i % depth]! + value })
  const norm = Math.hypot(...mean) || 1
  return Float32Array.from(mean, (value) => value / norm)
}

/** Seeded random matrix [rows, columns] with orthonormal columns (modified Gram-Schmidt in double precision), row-major. */
export function orthonormalColumns(random: RandomSource, rows: number, columns: number): Float32Array {
  const basis: Float64Array[] = []
  for (let c = 0; c < columns; c++) {
    const vector = Float64Array.from({ length: rows }, () => random.normal())
    for (const previous of basis) {
      let dot = 0
      for (let i = 0; i < rows; i++) dot += previous[i]! * vector[i]!
      for (let i = 0; i < rows; i++) vector[i] = vector[i]! - dot * previous[i]!
    }
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    basis.push(vector.map((value) => value / norm))
  }
  const matrix = new Float32Array(rows * columns)
  basis.forEach((vector, c) => vector.forEach((value, i) => { matrix[i * columns + c] = value }))
  return matrix
}

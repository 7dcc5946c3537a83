/**
 * ViLT (Kim et al. 2021, arXiv:2102.03334): text tokens and 32 x 32 image patches in one pre-LN transformer.
 *
 * Differences from the Hugging Face code, none of which changes a valid token's output: patches keep their row-major order instead of
 * a random permutation, and padding patches are left out instead of drawn at random. Several images of a sample take the image-type
 * embeddings 1, 2, ... in turn, as ViLT's own NLVR2 head does, and a copy of type 1 where the model has no more, as that head began with;
 * each brings its own image [CLS] token.
 */
import { z } from 'zod'
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { type Tensor1D, type Tensor2D, disposeAll, takeFloats } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import { type Backbone, DUMMY_SEGMENT, type EmbeddedSample, type PixelPart, type SamplePart, type TextPart, orderParts } from './backbone.ts'
import { count, parseModelConfig, patchFields, squareSide, transformerFields, transformerSizeOf, wordTableFields } from './encoders/config.ts'
import { patchRows } from './encoders/patches.ts'
import { stretchPositions } from './encoders/positions.ts'
import { blockParameterCount, loadTransformerBlocks } from './transformer-weights.ts'
import type { WeightSource } from './weight-source.ts'

const viltConfigSchema = z.object({
  model_type: z.literal('vilt'),
  ...transformerFields,
  ...wordTableFields,
  ...patchFields,
  image_size: squareSide.default(384),
  patch_size: squareSide.default(32),
  max_position_embeddings: count.default(40),
  modality_type_vocab_size: z.int().min(2).default(2),
})
export type ViltConfig = z.infer<typeof viltConfigSchema>

/** Parses a Hugging Face config.json of a ViLT model; throws BACKBONE_CONFIG_UNSUPPORTED with the field that is wrong. */
export function parseViltConfig(config: unknown): ViltConfig {
  return parseModelConfig(viltConfigSchema, config, 'This ViLT model')
}

export interface ViltOptions {
  /** Token ids of [CLS] and [SEP], for the empty text that stands for a missing one; bert-base-uncased has 101 and 102. */
  emptyText?: Int32Array
  /** Longest text in tokens; beyond the model's own table the positions are stretched (see `stretchPositions`). */
  textPositions?: number
}

/** Loads ViLT from its weight source. */
export function loadVilt(compute: Compute, source: WeightSource, config: ViltConfig, options: ViltOptions = {}): Backbone {
  const { tf, kernels } = compute
  const D = config.hidden_size
  const patch = config.patch_size
  const patchLength = 3 * patch * patch
  const side = Math.floor(config.image_size / patch)
  const size = transformerSizeOf(config)
  const text = 'embeddings.text_embeddings'
  const matrix = (name: string, rows: number): Tensor2D => tf.tensor2d(source.read(name, [rows, D]), [rows, D])
  const vector = (name: string): Tensor1D => tf.tensor1d(source.read(name, [D]))
  const words = matrix(`${text}.word_embeddings.weight`, config.vocab_size)
  const textLimit = Math.max(config.max_position_embeddings, options.textPositions ?? 0)
  const ownPositions = source.read(`${text}.position_embeddings.weight`, [config.max_position_embeddings, D])
  const positions = tf.tensor2d(textLimit === config.max_position_embeddings ? ownPositions : stretchPositions(ownPositions, config.max_position_embeddings, D, textLimit), [textLimit, D])
  const types = matrix(`${text}.token_type_embeddings.weight`, config.type_vocab_size)
  const textGamma = vector(`${text}.LayerNorm.weight`)
  const textBeta = vector(`${text}.LayerNorm.bias`)
  const modalityTypes = matrix('embeddings.token_type_embeddings.weight', config.modality_type_vocab_size)
  const textType = takeFloats(modalityTypes.slice([0, 0], [1, D]))
  const classToken = tf.tensor2d(source.read('embeddings.cls_token', [1, 1, D]), [1, D])
  const gridPositions = source.read('embeddings.position_embeddings', [1, side * side + 1, D])
  const projection = tf.tensor2d(source.read('embeddings.patch_embeddings.projection.weight', [D, 3, patch, patch]), [D, patchLength])
  const projectionBias = vector('embeddings.patch_embeddings.projection.bias')
  const finalNorm = { gamma: vector('layernorm.weight'), beta: vector('layernorm.bias'), epsilon: config.layer_norm_eps }
  const blocks = loadTransformerBlocks(compute, source, size, true)
  const pooler = source.has('pooler.dense.weight')
    ? { weight: transpose(source.read('pooler.dense.weight', [D, D]), D, D), bias: source.read('pooler.dense.bias', [D]) }
    : null
  const emptyText = options.emptyText ?? Int32Array.of(101, 102)

  const embedText = (part: TextPart): Tensor2D => {
    const length = part.ids.length
    if (length > textLimit) {
      throw new AppError('TEXT_TOO_LONG', `A text has ${length} tokens; this model reads at most ${textLimit}.`)
    }
    return tf.tidy(() => {
      const sum = words.gather(tf.tensor1d(part.ids, 'int32')).add(types.gather(tf.tensor1d(part.typeIds ?? new Int32Array(length), 'int32'))).add<Tensor2D>(positions.slice([0, 0], [length, D]))
      return kernels.layerNorm(sum, textGamma, textBeta, size.epsilon).add<Tensor2D>(modalityTypes.slice([0, 0], [1, D]))
    })
  }

  const embedImage = (part: PixelPart): Tensor2D => {
    const type = part.slot + 1 < config.modality_type_vocab_size ? part.slot + 1 : 1
    return tf.tidy(() => {
      const { patches, rows, columns } = patchRows(compute, part, patch)
      const grid = tf.tensor2d(interpolateGrid(gridPositions, side, D, rows, columns), [rows * columns, D])
      const content = kernels.addBias(kernels.matMul(patches, projection, false, true), projectionBias).add<Tensor2D>(grid)
      const first = classToken.add<Tensor2D>(tf.tensor2d(gridPositions.subarray(0, D), [1, D]))
      return tf.concat2d([first, content], 0).add<Tensor2D>(modalityTypes.slice([type, 0], [1, D]))
    })
  }

  const embedPart = (part: SamplePart): Tensor2D => {
    if (part.kind === 'text') return embedText(part)
    if (part.kind === 'pixels') return embedImage(part)
    throw new Error('ViLT reads pixels, not grid features')
  }

  const embed = (samples: readonly (readonly SamplePart[])[], dummies?: readonly ReadonlySet<number>[]): EmbeddedSample[] =>
    samples.map((parts, index) => {
      const tensors = orderParts(parts).map((part) => ({ part, tokens: embedPart(part) }))
      const segments = tensors.flatMap(({ part, tokens }) =>
        new Array<number>(tokens.shape[0]).fill(dummies?.[index]?.has(part.modality) === true ? DUMMY_SEGMENT : part.modality))
      const joined = release(tf.concat2d(tensors.map(({ tokens }) => tokens), 0), ...tensors.map(({ tokens }) => tokens))
      return { x: takeFloats(joined), tokens: segments.length, segments: Uint8Array.from(segments) }
    })

  /** First token after the final norm when the part is alone in the sequence, at unit length. */
  const describePart = (part: SamplePart): Float32Array => takeFloats(tf.tidy(() => {
    let x = embedPart(part)
    for (const block of blocks) x = block.forward(x, { batch: 1, heads: size.heads, keyBias: null }, false).y
    const first = kernels.layerNorm(x.slice([0, 0], [1, D]), finalNorm.gamma, finalNorm.beta, finalNorm.epsilon)
    return first.div(first.norm())
  }))

  return {
    id: 'vilt',
    width: D,
    heads: size.heads,
    blocks,
    embeddingNorm: { tokens: 'text', addedAfter: textType },
    finalNorm,
    pooling: 'first',
    joinsFirstAndLast: false,
    weightsHash: source.hash,
    pooler,
    parameterCount: (config.vocab_size + config.max_position_embeddings + config.type_vocab_size + config.modality_type_vocab_size
      + side * side + 2 + patchLength + 1 + 4) * D + size.blocks * blockParameterCount(size),
    embed,
    describePart,
    describedWidth: () => D,
    dummyPart: (kind, modality, slot) => kind === 'text'
      ? { kind, modality, ids: emptyText }
      : { kind: 'pixels', modality, slot, pixels: new Float32Array(3 * config.image_size ** 2).fill(1), height: config.image_size, width: config.image_size },
    dispose: () => {
      disposeAll(words, positions, types, textGamma, textBeta, modalityTypes, classToken, projection, projectionBias, finalNorm.gamma, finalNorm.beta)
      blocks.forEach((block) => block.dispose())
    },
  }
}

/** [rows, columns] -> [columns, rows], both row-major. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!
  return result
}

/**
 * Bilinear interpolation with align_corners = true of the position grid [1 + side * side, D] (row 0 belongs to [CLS])
 * to `rows` x `columns`, as `torch.nn.functional.interpolate` does it for ViLT. Returns [rows * columns, D].
 */
export function interpolateGrid(grid: Float32Array, side: number, width: number, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns * width)
  const at = (row: number, column: number, d: number): number => grid[(1 + row * side + column) * width + d]!
  for (let r = 0; r < rows; r++) {
    const y = rows > 1 ? (r * (side - 1)) / (rows - 1) : 0
    const y0 = Math.floor(y)
    const y1 = Math.min(y0 + 1, side - 1)
    for (let c = 0; c < columns; c++) {
      const x = columns > 1 ? (c * (side - 1)) / (columns - 1) : 0
      const x0 = Math.floor(x)
      const x1 = Math.min(x0 + 1, side - 1)
      const offset = (r * columns + c) * width
      for (let d = 0; d < width; d++) {
        const top = at(y0, x0, d) * (1 - (x - x0)) + at(y0, x1, d) * (x - x0)
        const bottom = at(y1, x0, d) * (1 - (x - x0)) + at(y1, x1, d) * (x - x0)
        result[offset + d] = top * (1 - (y - y0)) + bottom * (y - y0)
      }
    }
  }
  return result
}

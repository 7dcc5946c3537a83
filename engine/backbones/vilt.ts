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
import { type Tensor1D, type Tensor2D, disposeAll, takeFloats } from '../compute/tensorflow.ts'
import { type Backbone, DUMMY_SEGMENT, type EmbeddedSample, type SamplePart, orderParts } from './backbone.ts'
import { count, parseModelConfig, patchFields, squareSide, transformerFields, transformerSizeOf, wordTableFields } from './encoders/config.ts'
import { stretchPositions } from './encoders/positions.ts'
import { blockParameterCount, loadTransformerBlocks } from './transformer-weights.ts'
import { createViltInput, viltInputNames as inputNames } from './vilt-input.ts'
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
  const vector = (name: string): Tensor1D => tf.tensor1d(source.read(name, [D]))
  const textLimit = Math.max(config.max_position_embeddings, options.textPositions ?? 0)
  const ownPositions = source.read(inputNames.positions, [config.max_position_embeddings, D])
  const table = (name: string, rows: number, stored = [rows, D]): Tensor2D => tf.tensor2d(source.read(name, stored), [rows, D])
  const input = createViltInput(compute, { width: D, patch, side, epsilon: size.epsilon, typeCount: config.modality_type_vocab_size, textLimit }, {
    words: table(inputNames.words, config.vocab_size),
    positions: tf.tensor2d(textLimit === config.max_position_embeddings ? ownPositions : stretchPositions(ownPositions, config.max_position_embeddings, D, textLimit), [textLimit, D]),
    types: table(inputNames.types, config.type_vocab_size),
    textGamma: vector(inputNames.textGamma),
    textBeta: vector(inputNames.textBeta),
    modalityTypes: table(inputNames.modalityTypes, config.modality_type_vocab_size),
    classToken: table(inputNames.classToken, 1, [1, 1, D]),
    gridPositions: table(inputNames.gridPositions, side * side + 1, [1, side * side + 1, D]),
    projection: tf.tensor2d(source.read(inputNames.projection, [D, 3, patch, patch]), [D, patchLength]),
    projectionBias: vector(inputNames.projectionBias),
  })
  const finalNorm = { gamma: vector('layernorm.weight'), beta: vector('layernorm.bias'), epsilon: config.layer_norm_eps }
  const blocks = loadTransformerBlocks(compute, source, size, true)
  const pooler = source.has('pooler.dense.weight')
    ? { weight: transpose(source.read('pooler.dense.weight', [D, D]), D, D), bias: source.read('pooler.dense.bias', [D]) }
    : null
  const emptyText = options.emptyText ?? Int32Array.of(101, 102)

  const embed = (samples: readonly (readonly SamplePart[])[], dummies?: readonly ReadonlySet<number>[]): EmbeddedSample[] => {
    const segments = samples.map((parts, index) => orderParts(parts).flatMap((part) =>
      new Array<number>(input.layer.tokensOf(part)).fill(dummies?.[index]?.has(part.modality) === true ? DUMMY_SEGMENT : part.modality)))
    const longest = Math.max(...segments.map(({ length }) => length))
    const values = takeFloats(input.layer.forward(samples, longest, input.layer.frozen, false).x)
    return segments.map((own, b) => ({ x: values.slice(b * longest * D, (b * longest + own.length) * D), tokens: own.length, segments: Uint8Array.from(own) }))
  }

  /** First token after the final norm when the part is alone in the sequence, at unit length. */
  const describePart = (part: SamplePart): Float32Array => takeFloats(tf.tidy(() => {
    let { x } = input.layer.forward([[part]], input.layer.tokensOf(part), input.layer.frozen, false)
    for (const block of blocks) x = block.forward(x, { batch: 1, heads: size.heads, keyBias: null }, false).y
    const first = kernels.layerNorm(x.slice([0, 0], [1, D]), finalNorm.gamma, finalNorm.beta, finalNorm.epsilon)
    return first.div(first.norm())
  }))

  return {
    id: 'vilt',
    width: D,
    heads: size.heads,
    blocks,
    embeddingNorm: { tokens: 'text', addedAfter: inputNames.modalityTypes },
    inputLayer: input.layer,
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
      disposeAll(...Object.values(input.frozen), finalNorm.gamma, finalNorm.beta)
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

/** CLIP's text tower: word and position tables, causal pre-LN blocks, final norm, the end-of-text token projected. */
import { z } from 'zod'
import type { Compute } from '../../compute/backend.ts'
import { MASKED_KEY_BIAS, release } from '../../compute/kernels.ts'
import { type Tensor1D, type Tensor2D, type Tensor4D, disposeAll } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'
import { keyBiasFor } from '../backbone.ts'
import { blockParameterCount, loadTransformerBlocks } from '../transformer-weights.ts'
import { type WeightSource, withPrefix } from '../weight-source.ts'
import { count, transformerFields, transformerSizeOf } from './config.ts'
import { blockStates } from './patches.ts'

const CLIP_EPSILON = 1e-5

export const clipTextFields = {
  ...transformerFields,
  vocab_size: count.default(49_408),
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  num_attention_heads: count.default(8),
  max_position_embeddings: count.default(77),
  hidden_act: transformerFields.hidden_act.unwrap().default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(CLIP_EPSILON),
  eos_token_id: z.int().default(49_407),
}
type Config = z.infer<z.ZodObject<typeof clipTextFields>>

export interface ClipTextTower {
  readonly parameterCount: number
  readonly width: number
  readonly positions: number
  /** States after the embedding and after each block, each [B*T, D], T the longest text; padded rows are meaningless. Throws TEXT_TOO_LONG. */
  hiddenStates(texts: readonly Int32Array[]): Tensor2D[]
  finalNorm(x: Tensor2D): Tensor2D
  /**
   * Which token stands for the text: its first end-of-text token; in configurations with the historic eos_token_id 2 the first
   * of its largest ids, as the library does to keep old results.
   */
  pooledIndex(ids: Int32Array): number
  /** Rows [B, D] -> the shared space [B, P], not normalised. */
  project(pooled: Tensor2D): Tensor2D
  dispose(): void
}

/** Loads the tower; its tensors stand under `text_model.` and `text_projection.`. */
export function loadClipText(compute: Compute, source: WeightSource, config: Config, projectionWidth: number): ClipTextTower {
  const { tf, kernels } = compute
  const size = transformerSizeOf(config)
  const { width: D } = size
  const own = withPrefix(source, 'text_model.')
  const limit = config.max_position_embeddings
  const words = tf.tensor2d(own.read('embeddings.token_embedding.weight', [config.vocab_size, D]), [config.vocab_size, D])
  const positions = tf.tensor2d(own.read('embeddings.position_embedding.weight', [limit, D]), [limit, D])
  const blocks = loadTransformerBlocks(compute, own, size, true, 'clip')
  const gamma: Tensor1D = tf.tensor1d(own.read('final_layer_norm.weight', [D]))
  const beta: Tensor1D = tf.tensor1d(own.read('final_layer_norm.bias', [D]))
  const projection = tf.tensor2d(source.read('text_projection.weight', [projectionWidth, D]), [projectionWidth, D])

  const embed = (ids: Int32Array, tokens: number): Tensor2D => {
    if (ids.length > limit) throw new AppError('TEXT_TOO_LONG', `A text has ${ids.length} tokens; this encoder reads at most ${limit}.`)
    if (ids.some((id) => id < 0 || id >= config.vocab_size)) throw new Error('token id outside the vocabulary')
    const padded = new Int32Array(tokens)
    padded.set(ids)
    return tf.tidy(() => words.gather(tf.tensor1d(padded, 'int32')).add<Tensor2D>(positions.slice([0, 0], [tokens, D])))
  }

  /** 0 on and below the diagonal, a large negative number above: no token sees a later one. */
  const causalBias = (tokens: number): Tensor4D => {
    const bias = new Float32Array(tokens * tokens)
    for (let query = 0; query < tokens; query++) bias.fill(MASKED_KEY_BIAS, query * tokens + query + 1, (query + 1) * tokens)
    return tf.tensor4d(bias, [1, 1, tokens, tokens])
  }

  return {
    width: D,
    positions: limit,
    parameterCount: (config.vocab_size + limit + 2 + projectionWidth) * D + size.blocks * blockParameterCount(size),
    hiddenStates: (texts) => {
      const lengths = texts.map((text) => text.length)
      const tokens = Math.max(...lengths)
      const embedded = texts.map((ids) => embed(ids, tokens))
      const shape = { batch: texts.length, heads: size.heads, keyBias: keyBiasFor(compute, lengths, tokens), scoreBias: causalBias(tokens) }
      const states = blockStates(blocks, release(tf.concat2d(embedded, 0), ...embedded), shape)
      disposeAll(shape.keyBias, shape.scoreBias)
      return states
    },
    finalNorm: (x) => kernels.layerNorm(x, gamma, beta, size.epsilon),
    pooledIndex: (ids) => config.eos_token_id === 2 ? ids.indexOf(ids.reduce((a, b) => Math.max(a, b))) : Math.max(ids.indexOf(config.eos_token_id), 0),
    project: (pooled) => kernels.matMul(pooled, projection, false, true),
    dispose: () => {
      disposeAll(words, positions, gamma, beta, projection)
      blocks.forEach((block) => block.dispose())
    },
  }
}

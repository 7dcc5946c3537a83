/** BERT-family text encoders (Devlin et al. 2019, arXiv:1810.04805): embeddings, post-LN blocks, pooler, mean-pooled sentence embedding. */
import { z } from 'zod'
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { type Tensor1D, type Tensor2D, type Tensor3D, disposeAll, takeFloats } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import { keyBiasFor } from './backbone.ts'
import { count, parseModelConfig, transformerFields, transformerSizeOf, wordTableFields } from './encoders/config.ts'
import type { TransformerBlock } from './transformer-block.ts'
import { blockParameterCount, loadTransformerBlocks } from './transformer-weights.ts'
import type { WeightSource } from './weight-source.ts'

const bertConfigSchema = z.object({
  model_type: z.literal('bert'),
  ...transformerFields,
  ...wordTableFields,
  max_position_embeddings: count.default(512),
  // Anything else changes what a token attends to.
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
})
export type BertConfig = Omit<z.infer<typeof bertConfigSchema>, 'position_embedding_type' | 'is_decoder'>

export interface BertModel {
  readonly config: BertConfig
  readonly blocks: TransformerBlock[]
  readonly weightsHash: string
  readonly parameterCount: number
  /** Token ids (no padding) -> embedding output [T, D] on the device; `typeIds` default to 0. Throws TEXT_TOO_LONG past the position table. */
  embedTokens(ids: Int32Array, typeIds?: Int32Array): Tensor2D
  /** LayerNorm of the embeddings, for tokens of other modalities that join the sequence. */
  embeddingNorm(x: Tensor2D): Tensor2D
  /** The frozen word table [vocabulary, D], whose scale other modalities' tokens are matched to. */
  readonly wordEmbeddings: Tensor2D
  /** Position table [positions, D] and token type table [types, D]. */
  readonly positionEmbeddings: Tensor2D
  readonly typeEmbeddings: Tensor2D
  /** Hidden states after the embedding and after each block, each [B, T, D]; padded rows are computed but meaningless. */
  hiddenStates(texts: readonly Int32Array[], typeIds?: readonly Int32Array[]): Tensor3D[]
  /** tanh(dense(first token)) of the last hidden state, [B, D]; null when the weights carry no pooler. */
  pool(lastHiddenState: Tensor3D): Tensor2D | null
  /** Mean over valid tokens of the last block's output, L2-normalised: the sentence embedding of all-MiniLM-L6-v2, [B * D]. */
  embedSentences(texts: readonly Int32Array[]): Float32Array
  dispose(): void
}

/** Parses a Hugging Face config.json of a BERT model; throws BACKBONE_CONFIG_UNSUPPORTED with the field that is wrong. */
export function parseBertConfig(config: unknown): BertConfig {
  return parseModelConfig(bertConfigSchema, config, 'This text encoder')
}

/** Loads a BERT model from its weight source; tensors stay on the device until `dispose`. */
export function loadBert(compute: Compute, source: WeightSource, config: BertConfig): BertModel {
  const { tf, kernels } = compute
  const D = config.hidden_size
  const size = transformerSizeOf(config)
  const table = (name: string, rows: number): Tensor2D => tf.tensor2d(source.read(`embeddings.${name}.weight`, [rows, D]), [rows, D])
  const words = table('word_embeddings', config.vocab_size)
  const positions = table('position_embeddings', config.max_position_embeddings)
  const types = table('token_type_embeddings', config.type_vocab_size)
  const gamma: Tensor1D = tf.tensor1d(source.read('embeddings.LayerNorm.weight', [D]))
  const beta: Tensor1D = tf.tensor1d(source.read('embeddings.LayerNorm.bias', [D]))
  const blocks = loadTransformerBlocks(compute, source, size, false)
  const pooler = source.has('pooler.dense.weight')
    ? { weight: tf.tensor2d(source.read('pooler.dense.weight', [D, D]), [D, D]), bias: tf.tensor1d(source.read('pooler.dense.bias', [D])) }
    : null

  const embeddingNorm = (x: Tensor2D): Tensor2D => kernels.layerNorm(x, gamma, beta, size.epsilon)
  const embedTokens = (ids: Int32Array, typeIds?: Int32Array): Tensor2D => {
    if (ids.length > config.max_position_embeddings) {
      throw new AppError('TEXT_TOO_LONG', `A text has ${ids.length} tokens; this encoder reads at most ${config.max_position_embeddings}.`)
    }
    if (ids.some((id) => id < 0 || id >= config.vocab_size)) throw new Error('token id outside the vocabulary')
    return tf.tidy(() => {
      const sum = words.gather(tf.tensor1d(ids, 'int32'))
        .add(types.gather(tf.tensor1d(typeIds ?? new Int32Array(ids.length), 'int32')))
        .add<Tensor2D>(positions.slice([0, 0], [ids.length, D])) // [T, D]
      return embeddingNorm(sum)
    })
  }

  const hiddenStates: BertModel['hiddenStates'] = (texts, typeIds) => {
    const tokens = Math.max(...texts.map((text) => text.length))
    const lengths = texts.map((text) => text.length)
    const batch = texts.length
    const keyBias = keyBiasFor(compute, lengths, tokens)
    // Padding takes id 0, as the tokeniser's [PAD]; its rows are masked as keys.
    const pad = (values: Int32Array): Int32Array => {
      const padded = new Int32Array(tokens)
      padded.set(values)
      return padded
    }
    const embedded = texts.map((text, b) => embedTokens(pad(text), typeIds === undefined ? undefined : pad(typeIds[b]!)))
    let x = release(tf.concat2d(embedded, 0), ...embedded) // [B*T, D]
    const states: Tensor3D[] = [x.reshape([batch, tokens, D])]
    for (const block of blocks) {
      x = release(block.forward(x, { batch, heads: size.heads, keyBias }, false).y, x)
      states.push(x.reshape([batch, tokens, D]))
    }
    disposeAll(x, keyBias)
    return states
  }

  const embedSentences = (texts: readonly Int32Array[]): Float32Array => {
    const states = hiddenStates(texts)
    const last = states.at(-1)!
    const [batch, tokens] = last.shape
    const weights = new Float32Array(batch * tokens)
    texts.forEach((text, b) => weights.fill(1 / text.length, b * tokens, b * tokens + text.length))
    const sentence = tf.tidy(() => {
      const mean = tf.matMul(tf.tensor3d(weights, [batch, 1, tokens]), last).reshape([batch, D])
      return mean.div(mean.norm(2, 1, true))
    })
    disposeAll(...states)
    return takeFloats(sentence)
  }

  return {
    config,
    blocks,
    weightsHash: source.hash,
    parameterCount: (config.vocab_size + config.max_position_embeddings + config.type_vocab_size + 2) * D + size.blocks * blockParameterCount(size),
    wordEmbeddings: words,
    positionEmbeddings: positions,
    typeEmbeddings: types,
    embedTokens,
    embeddingNorm,
    hiddenStates,
    pool: (last) => pooler && tf.tidy(() => {
      const first = last.slice([0, 0, 0], [-1, 1, -1]).reshape<Tensor2D>([last.shape[0], D])
      return tf.matMul(first, pooler.weight, false, true).add(pooler.bias).tanh() as Tensor2D
    }),
    embedSentences,
    dispose: () => {
      disposeAll(words, positions, types, gamma, beta, pooler?.weight, pooler?.bias)
      blocks.forEach((block) => block.dispose())
    },
  }
}

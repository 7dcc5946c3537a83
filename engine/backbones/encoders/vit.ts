/**
 * ViT (Dosovitskiy et al. 2021, arXiv:2010.11929) and DeiT (Touvron et al. 2021, arXiv:2012.12877) as Hugging Face builds them: patch tokens
 * behind a class token (DeiT: and a distillation token), pre-LN blocks, final norm, pooler. Images of another size than the one the model
 * was trained at get their position grid interpolated bicubically.
 */
import { z } from 'zod'
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import { type Tensor1D, type Tensor2D, disposeAll } from '../../compute/tensorflow.ts'
import type { TransformerBlock } from '../transformer-block.ts'
import { blockParameterCount, loadTransformerBlocks } from '../transformer-weights.ts'
import type { WeightSource } from '../weight-source.ts'
import { activationNames, createActivation } from './activations.ts'
import { count, parseModelConfig, patchFields, sidePair, transformerFields, transformerSizeOf } from './config.ts'
import { type Pixels, blockStates, fittedPositions, patchRows } from './patches.ts'

const vitConfigSchema = z.object({
  model_type: z.enum(['vit', 'deit']),
  ...transformerFields,
  ...patchFields,
  image_size: sidePair.default([224, 224]),
  patch_size: sidePair.default([16, 16]),
  pooler_output_size: count.nullish(),
  pooler_act: z.enum(activationNames).default('tanh'),
})
/** Sizes of images and patches as [height, width]. */
export type VitConfig = z.infer<typeof vitConfigSchema>

/** Parses a Hugging Face config.json of a ViT or DeiT model; throws BACKBONE_CONFIG_UNSUPPORTED with the field that is wrong. */
export function parseVitConfig(config: unknown): VitConfig {
  return parseModelConfig(vitConfigSchema, config, 'This image encoder')
}

export interface VitModel {
  readonly config: VitConfig
  readonly blocks: TransformerBlock[]
  readonly weightsHash: string
  readonly parameterCount: number
  /** Embedding output [T, D] of one image: class tokens, then patches in rows. */
  embedImage(image: Pixels): Tensor2D
  /** States after the embedding and after each block, each [B*T, D], for images of one size; before the final norm. */
  hiddenStates(images: readonly Pixels[]): Tensor2D[]
  /** The final norm, row by row. */
  finalNorm(x: Tensor2D): Tensor2D
  /** act(dense(x)) of final-normed class tokens [B, D], tanh and D wide unless the configuration says otherwise; null when the weights carry no pooler. */
  pool(first: Tensor2D): Tensor2D | null
  dispose(): void
}

/** Loads a ViT or DeiT from its weight source; tensors stay on the device until `dispose`. */
export function loadVit(compute: Compute, source: WeightSource, config: VitConfig): VitModel {
  const { tf, kernels } = compute
  const size = transformerSizeOf(config)
  const { width: D } = size
  const [patchHeight, patchWidth] = config.patch_size
  const grid = [Math.floor(config.image_size[0] / patchHeight), Math.floor(config.image_size[1] / patchWidth)] as const
  const places = grid[0] * grid[1]
  const patchLength = 3 * patchHeight * patchWidth
  const extra = config.model_type === 'deit' ? 2 : 1
  const classNames = ['embeddings.cls_token', 'embeddings.distillation_token'].slice(0, extra)
  const classTokens = tf.tidy(() => tf.concat2d(classNames.map((name) => tf.tensor2d(source.read(name, [1, 1, D]), [1, D])), 0))
  const positions = source.read('embeddings.position_embeddings', [1, extra + places, D])
  const projection = tf.tensor2d(source.read('embeddings.patch_embeddings.projection.weight', [D, 3, patchHeight, patchWidth]), [D, patchLength])
  const vector = (name: string): Tensor1D => tf.tensor1d(source.read(name, [D]))
  const projectionBias = vector('embeddings.patch_embeddings.projection.bias')
  const blocks = loadTransformerBlocks(compute, source, size, true)
  const norm = { gamma: vector('layernorm.weight'), beta: vector('layernorm.bias') }
  const poolerWidth = config.pooler_output_size ?? D
  const pooler = source.has('pooler.dense.weight')
    ? { weight: tf.tensor2d(source.read('pooler.dense.weight', [poolerWidth, D]), [poolerWidth, D]), bias: tf.tensor1d(source.read('pooler.dense.bias', [poolerWidth])) }
    : null
  const activatePooled = createActivation(compute, config.pooler_act)?.forward ?? kernels.gelu

  const embedImage = (image: Pixels): Tensor2D => tf.tidy(() => {
    const { patches, rows, columns } = patchRows(compute, image, config.patch_size)
    const content = kernels.addBias(kernels.matMul(patches, projection, false, true), projectionBias)
    const table = tf.tensor2d(fittedPositions(positions, extra, grid, D, rows, columns), [extra + rows * columns, D])
    return tf.concat2d([classTokens, content], 0).add<Tensor2D>(table)
  })

  return {
    config,
    blocks,
    weightsHash: source.hash,
    parameterCount: (extra + extra + places + patchLength + 1 + 2) * D + size.blocks * blockParameterCount(size),
    embedImage,
    hiddenStates: (images) => {
      const embedded = images.map(embedImage)
      const x = release(tf.concat2d(embedded, 0), ...embedded)
      return blockStates(blocks, x, { batch: images.length, heads: size.heads, keyBias: null })
    },
    finalNorm: (x) => kernels.layerNorm(x, norm.gamma, norm.beta, size.epsilon),
    pool: (first) => pooler && tf.tidy(() => activatePooled(kernels.matMul(first, pooler.weight, false, true), pooler.bias)),
    dispose: () => {
      disposeAll(classTokens, projection, projectionBias, norm.gamma, norm.beta, pooler?.weight, pooler?.bias)
      blocks.forEach((block) => block.dispose())
    },
  }
}

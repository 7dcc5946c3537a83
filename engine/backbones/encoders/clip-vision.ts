/** CLIP's image tower: patches without bias behind a class token, a norm before the blocks, the normed class token projected. */
import { z } from 'zod'
import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import { type Tensor1D, type Tensor2D, disposeAll } from '../../compute/tensorflow.ts'
import { blockParameterCount, loadTransformerBlocks } from '../transformer-weights.ts'
import { type WeightSource, withPrefix } from '../weight-source.ts'
import { patchFields, squareSide, transformerFields, transformerSizeOf } from './config.ts'
import { type Pixels, blockStates, fittedPositions, patchRows } from './patches.ts'

export const clipVisionFields = {
  ...transformerFields,
  image_size: patchFields.image_size,
  patch_size: squareSide.default(32),
  num_channels: patchFields.num_channels,
  hidden_act: transformerFields.hidden_act.unwrap().default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
}
type Config = z.infer<z.ZodObject<typeof clipVisionFields>>

export interface ClipVisionTower {
  readonly parameterCount: number
  readonly width: number
  /** States after the first norm and after each block, each [B*T, D], for images of one size. */
  hiddenStates(images: readonly Pixels[]): Tensor2D[]
  /** The norm of the class token, rows [B, D]. */
  finalNorm(first: Tensor2D): Tensor2D
  /** Rows [B, D] -> the shared space [B, P], not normalised. */
  project(pooled: Tensor2D): Tensor2D
  dispose(): void
}

/** Loads the tower; its tensors stand under `vision_model.` and `visual_projection.`. */
export function loadClipVision(compute: Compute, source: WeightSource, config: Config, projectionWidth: number): ClipVisionTower {
  const { tf, kernels } = compute
  const size = transformerSizeOf(config)
  const { width: D } = size
  const own = withPrefix(source, 'vision_model.')
  const patch = config.patch_size
  const side = Math.floor(config.image_size / patch)
  const classToken = tf.tensor2d(own.read('embeddings.class_embedding', [D]), [1, D])
  const projectionOfPatches = tf.tensor2d(own.read('embeddings.patch_embedding.weight', [D, 3, patch, patch]), [D, 3 * patch * patch])
  const positions = own.read('embeddings.position_embedding.weight', [1 + side * side, D])
  // "pre_layrnorm" is how the published weights spell it.
  const norms = ['pre_layrnorm', 'post_layernorm'].map((name): [Tensor1D, Tensor1D] => [tf.tensor1d(own.read(`${name}.weight`, [D])), tf.tensor1d(own.read(`${name}.bias`, [D]))])
  const [before, after] = norms as [[Tensor1D, Tensor1D], [Tensor1D, Tensor1D]]
  const blocks = loadTransformerBlocks(compute, own, size, true, 'clip')
  const projection = tf.tensor2d(source.read('visual_projection.weight', [projectionWidth, D]), [projectionWidth, D])

  const embed = (image: Pixels): Tensor2D => tf.tidy(() => {
    const { patches, rows, columns } = patchRows(compute, image, [patch, patch])
    const table = tf.tensor2d(fittedPositions(positions, 1, [side, side], D, rows, columns), [1 + rows * columns, D])
    const tokens = tf.concat2d([classToken, kernels.matMul(patches, projectionOfPatches, false, true)], 0).add<Tensor2D>(table)
    return kernels.layerNorm(tokens, ...before, size.epsilon)
  })

  return {
    width: D,
    parameterCount: (1 + 1 + side * side + 3 * patch * patch + 4 + projectionWidth) * D + size.blocks * blockParameterCount(size),
    hiddenStates: (images) => {
      const embedded = images.map(embed)
      return blockStates(blocks, release(tf.concat2d(embedded, 0), ...embedded), { batch: images.length, heads: size.heads, keyBias: null })
    },
    finalNorm: (first) => kernels.layerNorm(first, ...after, size.epsilon),
    project: (pooled) => kernels.matMul(pooled, projection, false, true),
    dispose: () => {
      disposeAll(classToken, projectionOfPatches, projection, ...norms.flat())
      blocks.forEach((block) => block.dispose())
    },
  }
}

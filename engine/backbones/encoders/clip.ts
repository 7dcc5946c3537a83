/**
 * CLIP (Radford et al. 2021, arXiv:2103.00020) as Hugging Face builds it: a causal text tower and an image tower, pre-LN blocks, each ending
 * in a projection without bias to one shared space.
 */
import { z } from 'zod'
import type { Compute } from '../../compute/backend.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import type { WeightSource } from '../weight-source.ts'
import { type ClipTextTower, clipTextFields, loadClipText } from './clip-text.ts'
import { type ClipVisionTower, clipVisionFields, loadClipVision } from './clip-vision.ts'
import { count, parseModelConfig } from './config.ts'

const clipConfigSchema = z.object({ projection_dim: count.default(512), logit_scale_init_value: z.number().default(2.6592) })
const textSchema = z.object(clipTextFields)
const visionSchema = z.object(clipVisionFields)
export interface ClipConfig {
  projectionWidth: number
  text: z.infer<typeof textSchema>
  vision: z.infer<typeof visionSchema>
}

/** Parses a Hugging Face config.json of a CLIP model; throws BACKBONE_CONFIG_UNSUPPORTED with the field that is wrong. */
export function parseClipConfig(config: unknown): ClipConfig {
  const root = (config ?? {}) as Record<string, unknown>
  // The library fills towers that the file leaves out with its own defaults, and so do the fields here.
  return {
    projectionWidth: clipConfigSchema.catch({ projection_dim: 512, logit_scale_init_value: 2.6592 }).parse(root).projection_dim,
    text: parseModelConfig(textSchema, root['text_config'] ?? {}, "CLIP's text tower"),
    vision: parseModelConfig(visionSchema, root['vision_config'] ?? {}, "CLIP's image tower"),
  }
}

export interface ClipModel {
  readonly config: ClipConfig
  readonly weightsHash: string
  readonly parameterCount: number
  readonly text: ClipTextTower
  readonly vision: ClipVisionTower
  /** exp(logit_scale) * image . text^T for unit vectors [I, P] and [T, P]; [I, T]. */
  logitsPerImage(images: Tensor2D, texts: Tensor2D): Tensor2D
  dispose(): void
}

/** Loads both towers; tensors stay on the device until `dispose`. */
export function loadClip(compute: Compute, source: WeightSource, config: ClipConfig): ClipModel {
  const { tf } = compute
  const text = loadClipText(compute, source, config.text, config.projectionWidth)
  const vision = loadClipVision(compute, source, config.vision, config.projectionWidth)
  const scale = Math.exp(source.read('logit_scale', [])[0]!)
  return {
    config, text, vision,
    weightsHash: source.hash,
    parameterCount: text.parameterCount + vision.parameterCount + 1,
    logitsPerImage: (images, texts) => tf.tidy(() => tf.matMul(images, texts, false, true).mul<Tensor2D>(scale)),
    dispose: () => {
      text.dispose()
      vision.dispose()
    },
  }
}

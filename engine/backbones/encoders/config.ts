/** The parts of a Hugging Face config.json that BERT, ViLT, ViT and CLIP share, and how a file that does not fit is refused. */
import { z } from 'zod'
import { AppError } from '../../domain/errors.ts'
import type { TransformerSize } from '../transformer-weights.ts'
import { activationNames } from './activations.ts'

export const count = z.int().positive()
/** Some libraries write a square size as a pair. */
export const squareSide = z.union([count, z.tuple([count, count]).refine(([height, width]) => height === width, 'Only square sizes are supported.').transform(([side]) => side)])
/** One side for both axes, or height and width; always read as a pair. */
export const sidePair = z.union([z.tuple([count, count]), count.transform((side): [number, number] => [side, side])])

/** Sizes of a transformer. Defaults are those of the library's base configurations: its files leave out what equals them. */
export const transformerFields = {
  hidden_size: count.default(768),
  num_hidden_layers: count.default(12),
  num_attention_heads: count.default(12),
  intermediate_size: count.default(3072),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_act: z.enum(activationNames).default('gelu'),
}

export const wordTableFields = {
  vocab_size: count.default(30_522),
  type_vocab_size: count.default(2),
}

export const patchFields = {
  image_size: squareSide.default(224),
  patch_size: squareSide.default(16),
  num_channels: z.literal(3).default(3),
  qkv_bias: z.boolean().default(true),
}

type TransformerConfig = { [K in keyof typeof transformerFields]: z.output<(typeof transformerFields)[K]> }

/** Parses one configuration; throws BACKBONE_CONFIG_UNSUPPORTED with the field that is wrong. `what` is how messages call the model. */
export function parseModelConfig<S extends z.ZodType<TransformerConfig>>(schema: S, config: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(config)
  if (!parsed.success) throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', `${what} is not supported: ${z.prettifyError(parsed.error)}`)
  const { hidden_size: width, num_attention_heads: heads } = parsed.data
  if (width % heads !== 0) throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', `${what} is not supported: its width ${width} cannot be shared by ${heads} heads.`)
  return parsed.data
}

/** Sizes of the blocks that such a configuration describes. */
export function transformerSizeOf(config: TransformerConfig & { qkv_bias?: boolean }): TransformerSize {
  return {
    width: config.hidden_size, heads: config.num_attention_heads, feedForward: config.intermediate_size,
    blocks: config.num_hidden_layers, epsilon: config.layer_norm_eps, activation: config.hidden_act,
    hasQkvBias: config.qkv_bias !== false,
  }
}

/**
 * The names and sizes of ViLT as its authors published it (.ckpt, timm's vision transformer): query, key and value in one map, no config.json.
 * Mapped as Hugging Face's own conversion does it, with its layer norm epsilon.
 */
import { AppError } from '../../domain/errors.ts'
import type { TensorFile } from '../files/tensor-file.ts'
import type { WeightSource } from '../weight-source.ts'

const PROBE = 'transformer.blocks.0.attn.qkv.weight'
/** Width of one head in every published vision transformer of this kind. */
const HEAD_WIDTH = 64

export function isOriginalVilt(file: TensorFile): boolean {
  return file.entries.has(PROBE)
}

const fixedNames: Record<string, string> = {
  'embeddings.token_type_embeddings.weight': 'token_type_embeddings.weight',
  'embeddings.cls_token': 'transformer.cls_token',
  'embeddings.position_embeddings': 'transformer.pos_embed',
  'embeddings.patch_embeddings.projection.weight': 'transformer.patch_embed.proj.weight',
  'embeddings.patch_embeddings.projection.bias': 'transformer.patch_embed.proj.bias',
  'layernorm.weight': 'transformer.norm.weight',
  'layernorm.bias': 'transformer.norm.bias',
}
const blockNames: [RegExp, string][] = [
  [/^layernorm_before\./, 'norm1.'], [/^layernorm_after\./, 'norm2.'],
  [/^attention\.output\.dense\./, 'attn.proj.'], [/^intermediate\.dense\./, 'mlp.fc1.'], [/^output\.dense\./, 'mlp.fc2.'],
]
const joined = ['query', 'key', 'value'] as const

/** Where a tensor of our naming lies: its name there, and which third of it when query, key and value share one. */
function placeOf(name: string): { name: string; third: number | null } {
  const text = /^embeddings\.text_embeddings\.(.+)$/.exec(name)
  if (text !== null) return { name: `text_embeddings.${text[1]!}`, third: null }
  const block = /^encoder\.layer\.(\d+)\.(.+)$/.exec(name)
  if (block === null) return { name: fixedNames[name] ?? name, third: null }
  const [, index, rest] = block as unknown as [string, string, string]
  const attention = /^attention\.attention\.(query|key|value)\.(weight|bias)$/.exec(rest)
  if (attention !== null) return { name: `transformer.blocks.${index}.attn.qkv.${attention[2]!}`, third: joined.indexOf(attention[1] as (typeof joined)[number]) }
  const [pattern, replacement] = blockNames.find(([candidate]) => candidate.test(rest)) ?? [/^/, '']
  return { name: `transformer.blocks.${index}.${rest.replace(pattern, replacement)}`, third: null }
}

/** The published tensors under the names that our loader asks for. */
export function originalViltSource(source: WeightSource): WeightSource {
  let last: { name: string; values: Float32Array } | null = null
  return {
    hash: source.hash,
    has: (name) => source.has(placeOf(name).name),
    read: (name, shape) => {
      const place = placeOf(name)
      if (place.third === null) return source.read(place.name, shape)
      const [rows, ...rest] = shape
      // The three parts are asked for one after the other: the map is read once.
      if (last?.name !== place.name) last = { name: place.name, values: source.read(place.name, [3 * rows!, ...rest]) }
      const length = last.values.length / 3
      return last.values.slice(place.third * length, (place.third + 1) * length)
    },
  }
}

/** The config.json that Hugging Face's conversion would have written, from the shapes alone. Throws BACKBONE_CONFIG_UNSUPPORTED. */
export function configOfOriginalVilt(file: TensorFile): Record<string, unknown> {
  const shapeOf = (name: string): readonly number[] => {
    const entry = file.entries.get(name)
    if (entry === undefined) throw new AppError('WEIGHTS_TENSOR_MISSING', `The weights hold no tensor "${name}".`)
    return entry.shape
  }
  const [width, , patch] = shapeOf('transformer.patch_embed.proj.weight') as [number, number, number]
  const side = Math.sqrt(shapeOf('transformer.pos_embed')[1]! - 1)
  if (!Number.isInteger(side)) throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', 'The position table of these weights is not a square.')
  if (width % HEAD_WIDTH !== 0) throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', `A width of ${width} cannot be cut into heads of ${HEAD_WIDTH}; put a config.json beside the weights.`)
  let blocks = 0
  while (file.entries.has(`transformer.blocks.${blocks}.attn.qkv.weight`)) blocks++
  return {
    model_type: 'vilt', hidden_size: width, num_hidden_layers: blocks, num_attention_heads: width / HEAD_WIDTH,
    intermediate_size: shapeOf('transformer.blocks.0.mlp.fc1.weight')[0], layer_norm_eps: 1e-12, hidden_act: 'gelu',
    vocab_size: shapeOf('text_embeddings.word_embeddings.weight')[0], max_position_embeddings: shapeOf('text_embeddings.position_embeddings.weight')[0],
    type_vocab_size: shapeOf('text_embeddings.token_type_embeddings.weight')[0], modality_type_vocab_size: shapeOf('token_type_embeddings.weight')[0],
    image_size: side * patch, patch_size: patch, num_channels: 3, qkv_bias: file.entries.has('transformer.blocks.0.attn.qkv.bias'),
  }
}

/** Tiny models with seeded random weights in the folders that Hugging Face and ViLT's authors would write. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeSafetensors } from '../../../../engine/backbones/safetensors.ts'
import type { HostTensor } from '../../../../engine/backbones/files/tensor-file.ts'
import { createRng } from '../../../../engine/compute/rng.ts'

type Shapes = Record<string, number[]>
const [D, F, BLOCKS] = [64, 48, 2]
const VOCABULARY = 140

export const viltConfig = {
  model_type: 'vilt', hidden_size: D, num_hidden_layers: BLOCKS, num_attention_heads: 1, intermediate_size: F, vocab_size: VOCABULARY, max_position_embeddings: 12,
  type_vocab_size: 2, modality_type_vocab_size: 2, image_size: 32, patch_size: 16, num_channels: 3, qkv_bias: true, hidden_act: 'gelu', layer_norm_eps: 1e-12,
}
export const bertConfig = { model_type: 'bert', hidden_size: D, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: F, vocab_size: VOCABULARY, max_position_embeddings: 16, type_vocab_size: 2, hidden_act: 'gelu', layer_norm_eps: 1e-12 }
export const vitConfig = { model_type: 'vit', hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: F, image_size: 32, patch_size: 16, num_channels: 3, qkv_bias: true, hidden_act: 'gelu', layer_norm_eps: 1e-12 }
const preprocessor = (type: string) => ({ image_processor_type: type, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], size: type.startsWith('Vilt') ? { shortest_edge: 32 } : { height: 32, width: 32 }, size_divisor: 16, resample: 3 })

const linear = (name: string, out: number, input: number): Shapes => ({ [`${name}.weight`]: [out, input], [`${name}.bias`]: [out] })
const norm = (name: string, width: number): Shapes => ({ [`${name}.weight`]: [width], [`${name}.bias`]: [width] })

function blocks(count: number, width: number, style: 'vit' | 'bert'): Shapes {
  const attention = style === 'vit' ? 'attention.attention' : 'attention.self'
  return Object.assign({}, ...Array.from({ length: count }, (_, i) => {
    const at = `encoder.layer.${i}.`
    return {
      ...linear(`${at}${attention}.query`, width, width), ...linear(`${at}${attention}.key`, width, width), ...linear(`${at}${attention}.value`, width, width),
      ...linear(`${at}attention.output.dense`, width, width), ...linear(`${at}intermediate.dense`, F, width), ...linear(`${at}output.dense`, width, F),
      ...norm(`${at}${style === 'vit' ? 'layernorm_before' : 'attention.output.LayerNorm'}`, width), ...norm(`${at}${style === 'vit' ? 'layernorm_after' : 'output.LayerNorm'}`, width),
    }
  })) as Shapes
}
const textTables = (prefix: string, positions: number): Shapes => ({
  [`${prefix}word_embeddings.weight`]: [VOCABULARY, D], [`${prefix}position_embeddings.weight`]: [positions, D], [`${prefix}token_type_embeddings.weight`]: [2, D], ...norm(`${prefix}LayerNorm`, D),
})

export const viltShapes: Shapes = {
  ...textTables('embeddings.text_embeddings.', 12), 'embeddings.token_type_embeddings.weight': [2, D], 'embeddings.cls_token': [1, 1, D], 'embeddings.position_embeddings': [1, 5, D],
  'embeddings.patch_embeddings.projection.weight': [D, 3, 16, 16], 'embeddings.patch_embeddings.projection.bias': [D],
  ...blocks(BLOCKS, D, 'vit'), ...norm('layernorm', D), ...linear('pooler.dense', D, D),
}
export const bertShapes: Shapes = { ...textTables('embeddings.', 16), ...blocks(1, D, 'bert') }
export const vitShapes: Shapes = {
  'embeddings.cls_token': [1, 1, 32], 'embeddings.position_embeddings': [1, 5, 32], 'embeddings.patch_embeddings.projection.weight': [32, 3, 16, 16], 'embeddings.patch_embeddings.projection.bias': [32],
  ...blocks(1, 32, 'vit'), ...norm('layernorm', 32),
}

export function randomTensors(shapes: Shapes, seed = 7): Record<string, HostTensor> {
  const random = createRng(seed)
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, {
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 0.2 + (/norm[^.]*\.weight$/i.test(name) ? 1 : 0)),
  }]))
}

/** [CLS] is 101 and [SEP] 102, as in bert-base-uncased. */
const vocabulary = Array.from({ length: VOCABULARY }, (_, id) =>
  ({ 0: '[PAD]', 100: '[UNK]', 101: '[CLS]', 102: '[SEP]', 103: '[MASK]', 104: 'glare', 105: 'at', 106: 'night', 107: 'no', 108: 'complaints', 109: 'today', 110: '.' } as Record<number, string>)[id] ?? `[unused${id}]`)

/** Writes a folder; `extra` replaces or adds files, null leaves one out. */
export function writeFolder(dir: string, config: object, tensors: Record<string, HostTensor>, extra: Record<string, string | Uint8Array | null> = {}): string {
  mkdirSync(dir, { recursive: true })
  const type = { vilt: 'ViltImageProcessor', vit: 'ViTImageProcessor' }[(config as { model_type: string }).model_type]
  const files: Record<string, string | Uint8Array | null> = {
    'config.json': JSON.stringify(config), 'model.safetensors': encodeSafetensors(tensors, { format: 'pt' }),
    ...(type === undefined ? {} : { 'preprocessor_config.json': JSON.stringify(preprocessor(type)) }),
    ...(type === 'ViTImageProcessor' ? {} : { 'vocab.txt': `${vocabulary.join('\n')}\n` }),
    ...extra,
  }
  for (const [name, content] of Object.entries(files)) if (content !== null) writeFileSync(join(dir, name), content)
  return dir
}

/** The same ViLT under the names of its authors: one map for query, key and value. */
export function originalViltTensors(tensors: Record<string, HostTensor>): Record<string, HostTensor> {
  const renamed: Record<string, HostTensor> = {}
  const names: [RegExp, string][] = [
    [/^embeddings\.text_embeddings\./, 'text_embeddings.'], [/^embeddings\.token_type_embeddings/, 'token_type_embeddings'], [/^embeddings\.cls_token/, 'transformer.cls_token'],
    [/^embeddings\.position_embeddings/, 'transformer.pos_embed'], [/^embeddings\.patch_embeddings\.projection/, 'transformer.patch_embed.proj'], [/^layernorm\./, 'transformer.norm.'],
    [/^encoder\.layer\.(\d+)\.layernorm_before/, 'transformer.blocks.$1.norm1'], [/^encoder\.layer\.(\d+)\.layernorm_after/, 'transformer.blocks.$1.norm2'],
    [/^encoder\.layer\.(\d+)\.attention\.output\.dense/, 'transformer.blocks.$1.attn.proj'], [/^encoder\.layer\.(\d+)\.intermediate\.dense/, 'transformer.blocks.$1.mlp.fc1'],
    [/^encoder\.layer\.(\d+)\.output\.dense/, 'transformer.blocks.$1.mlp.fc2'],
  ]
  for (const [name, tensor] of Object.entries(tensors)) {
    const part = /^encoder\.layer\.(\d+)\.attention\.attention\.query\.(weight|bias)$/.exec(name)
    if (part !== null) {
      const three = ['query', 'key', 'value'].map((kind) => tensors[name.replace('query', kind)]!)
      renamed[`transformer.blocks.${part[1]!}.attn.qkv.${part[2]!}`] = { shape: [3 * D, ...tensor.shape.slice(1)], values: Float32Array.from(three.flatMap(({ values }) => [...values])) }
    } else if (!/\.attention\.attention\.(key|value)\./.test(name)) {
      const [pattern, replacement] = names.find(([candidate]) => candidate.test(name)) ?? [/^/, '']
      renamed[name.replace(pattern, replacement)] = tensor
    }
  }
  return renamed
}

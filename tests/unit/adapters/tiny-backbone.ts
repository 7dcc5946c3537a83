/** A tiny joined backbone with seeded random weights: two image slots of 4 grid tokens, 2 post-LN blocks of width 16. */
import type { Sample } from '../../../engine/adapters/network.ts'
import type { ModalitySpec } from '../../../engine/adapters/network.ts'
import type { Backbone, SamplePart } from '../../../engine/backbones/backbone.ts'
import { loadBert } from '../../../engine/backbones/bert.ts'
import { createMmbt } from '../../../engine/backbones/mmbt-join.ts'
import { randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import type { Compute } from '../../../engine/compute/backend.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { type Rng, createRng } from '../../../engine/compute/rng.ts'

export const tinyModalities: ModalitySpec[] = [{ name: 'text', kind: 'text', slots: [] }, { name: 'image', kind: 'image', slots: [0, 1] }]
export const TINY_PATTERNS = [1, 2, 3] as const
const GRID_DEPTH = 24
const GRID_TOKENS = 4

export function createTinyBackbone(compute: Compute): Backbone {
  const random = createRng(3)
  const bert = loadBert(compute, randomWeightSource(random, 'tiny', 0.2), {
    model_type: 'bert', vocab_size: 200, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 32,
    max_position_embeddings: 16, type_vocab_size: 2, layer_norm_eps: 1e-12, hidden_act: 'gelu',
  })
  return createMmbt(compute, {
    bert, random, gridDepth: GRID_DEPTH, gridTokens: GRID_TOKENS, gridHash: 'tiny', gridParameterCount: 0,
    dummyGrid: new Float32Array(GRID_TOKENS * GRID_DEPTH).fill(1),
  })
}

/** Samples with texts of 3 to 7 tokens and one or two images; each label is 1 when the first word id is even. */
export function createTinySamples(count: number, random: Rng = createRng(5)): { samples: Sample[]; labels: Float32Array } {
  const samples: Sample[] = []
  const labels: number[] = []
  for (let i = 0; i < count; i++) {
    const words = Array.from({ length: 1 + random.integer(5) }, () => 110 + random.integer(80))
    const parts: SamplePart[] = [{ kind: 'text', modality: 0, ids: Int32Array.of(101, ...words, 102) }]
    for (const slot of i % 3 === 0 ? [0] : [0, 1]) {
      parts.push({ kind: 'grid', modality: 1, slot, features: normalArray(random, GRID_TOKENS * GRID_DEPTH, 1), count: GRID_TOKENS })
    }
    samples.push(parts)
    const even = words[0]! % 2 === 0 ? 1 : 0
    labels.push(even, 1 - even, random.integer(2))
  }
  return { samples, labels: Float32Array.from(labels) }
}

/** A backbone of random weights and a batch of random tokens at one of the benchmark's sizes. */
import type { PrefixEntry } from '../../engine/adapters/network.ts'
import type { Backbone } from '../../engine/backbones/backbone.ts'
import { blockParameterCount, loadTransformerBlocks } from '../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../engine/backbones/weight-source.ts'
import type { Compute } from '../../engine/compute/backend.ts'
import { type RandomSource, normalArray } from '../../engine/compute/random-source.ts'
import type { TrainingBatch } from '../../engine/training/optimise/training-model.ts'
import { type BenchSize, mixedPatterns } from './sizes.ts'

export const benchModalities = [{ name: 'text', kind: 'text' as const, slots: [] }, { name: 'image', kind: 'image' as const, slots: [0] }]

export function createBenchBackbone(compute: Compute, size: BenchSize, random: RandomSource): Backbone {
  const { tf } = compute
  const { width: D, preNorm } = size
  const epsilon = 1e-12
  const blocks = loadTransformerBlocks(compute, randomWeightSource(random, 'bench'), { ...size, epsilon }, preNorm)
  const unused = (): never => { throw new Error('the benchmark starts from tokens') }
  return {
    id: size.name, width: D, heads: size.heads, blocks, weightsHash: 'bench', pooler: null, parameterCount: size.blocks * blockParameterCount({ ...size, epsilon }), joinsFirstAndLast: false,
    finalNorm: preNorm ? { gamma: tf.ones([D]), beta: tf.zeros([D]), epsilon } : null,
    pooling: preNorm ? 'first' : 'modality-mean',
    embed: unused, dummyPart: (kind, modality) => ({ kind: 'text', modality, ids: new Int32Array(kind === 'text' ? 2 : 1) }),
    describePart: unused, describedWidth: () => D, dispose: () => undefined,
  }
}

/** Mixed: what is missing is left out of the sequence. `cached`: the entries carry the frozen output of block 0. */
export function createBenchBatch(size: BenchSize, random: RandomSource, isMixed: boolean, isCached: boolean): TrainingBatch & { entries: PrefixEntry[] } {
  const D = size.width
  const patterns = isMixed ? mixedPatterns(size.batch) : new Array<number>(size.batch).fill(3)
  const entries = patterns.map((presence): PrefixEntry => {
    const [text, image] = [presence & 1 ? size.textTokens : 0, presence & 2 ? size.imageTokens : 0]
    const tokens = text + image
    return {
      presence, tokens,
      segments: Uint8Array.from({ length: tokens }, (_, t) => (t < text ? 0 : 1)),
      x: normalArray(random, tokens * D, 1),
      blockOutput: isCached ? normalArray(random, tokens * D, 1) : null,
    }
  })
  const labels = Float32Array.from({ length: size.batch * size.classes }, () => (random.uniform() < 0.3 ? 1 : 0))
  return { entries, labels, known: null }
}

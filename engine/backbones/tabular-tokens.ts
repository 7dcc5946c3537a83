/**
 * Tables for backbones that read text and images: a table enters as one more token behind the others, its vector (modalities/tabular.ts)
 * brought to the token width by a fixed seeded projection with orthonormal columns, as the joined backbone does with image grids, and scaled to the
 * size of the backbone's own tokens. Nothing is trained, so the token belongs to the cached prefix. The table's missing stand-in is the
 * average training patient: a vector of zeros.
 */
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { createRng } from '../compute/rng.ts'
import type { Tensor2D } from '../compute/tensorflow.ts'
import { TABULAR_WIDTH } from '../modalities/tabular.ts'
import { type Backbone, DUMMY_SEGMENT, type EmbeddedSample, type InputLayer, type SamplePart, type TabularPart } from './backbone.ts'
import { orthonormalColumns } from './mmbt-join.ts'

const projectionSeed = 20240818

/** The same backbone, able to read tabular parts. Owns nothing: disposing stays with the inner one. */
export function withTabularTokens(compute: Compute, backbone: Backbone): Backbone {
  const D = backbone.width
  const columns = Math.min(TABULAR_WIDTH, D)
  const projection = orthonormalColumns(createRng(projectionSeed), D, columns) // [D, columns]
  const size = tokenSize(backbone)
  const tokenOf = ({ features }: TabularPart): Float32Array => Float32Array.from({ length: D }, (_, d) => {
    let sum = 0
    for (let k = 0; k < columns; k++) sum += projection[d * columns + k]! * features[k]!
    return sum * size
  })
  const tablesOf = (sample: readonly SamplePart[]): TabularPart[] => sample.filter(isTable).sort((a, b) => a.slot - b.slot)
  const isTable = (part: SamplePart): part is TabularPart => part.kind === 'tabular'
  /** Tables' tokens stay frozen: constants in rows that the inner layer leaves at zero. */
  const withTables = (inner: InputLayer): InputLayer => ({
    ...inner,
    tokensOf: (part) => (isTable(part) ? 1 : inner.tokensOf(part)),
    forward: (samples, tokens, tensors, keep) => {
      const pass = inner.forward(samples.map((sample) => sample.filter((part) => !isTable(part))), tokens, tensors, keep)
      const rows = new Float32Array(samples.length * tokens * D)
      samples.forEach((sample, b) => {
        const own = sample.reduce((sum, part) => sum + (isTable(part) ? 0 : inner.tokensOf(part)), 0)
        tablesOf(sample).forEach((part, position) => rows.set(tokenOf(part), (b * tokens + own + position) * D))
      })
      const constants = compute.tf.tensor2d(rows, [samples.length * tokens, D])
      return { ...pass, x: release(pass.x.add<Tensor2D>(constants), pass.x, constants) }
    },
  })

  return {
    ...backbone,
    ...(backbone.inputLayer === undefined ? {} : { inputLayer: withTables(backbone.inputLayer) }),
    embed: (samples, dummies) => {
      const rest = samples.map((sample, index) => ({ index, parts: sample.filter((part) => !isTable(part)) })).filter(({ parts }) => parts.length > 0)
      const embedded = backbone.embed(rest.map(({ parts }) => parts), rest.map(({ index }) => dummies?.[index] ?? new Set<number>()))
      const embeddedOf = new Map(rest.map(({ index }, position) => [index, embedded[position]!]))
      return samples.map((sample, index): EmbeddedSample => {
        const own = embeddedOf.get(index) ?? { x: new Float32Array(), tokens: 0, segments: new Uint8Array() }
        const tables = tablesOf(sample)
        const x = new Float32Array((own.tokens + tables.length) * D)
        x.set(own.x)
        tables.forEach((part, position) => x.set(tokenOf(part), (own.tokens + position) * D))
        const segments = tables.map((part) => (dummies?.[index]?.has(part.modality) === true ? DUMMY_SEGMENT : part.modality))
        return { x, tokens: own.tokens + tables.length, segments: Uint8Array.from([...own.segments, ...segments]) }
      })
    },
    dummyPart: (kind, modality, slot) => (kind === 'tabular' ? { kind, modality, slot, features: new Float32Array(TABULAR_WIDTH) } : backbone.dummyPart(kind, modality, slot)),
    describePart: (part) => (isTable(part) ? part.features : backbone.describePart(part)),
    describedWidth: (kind) => (kind === 'tabular' ? TABULAR_WIDTH : backbone.describedWidth(kind)),
  }
}

/** Root mean square length of the backbone's tokens, from its own stand-ins: what a table's token of unit length is scaled to. */
function tokenSize(backbone: Backbone): number {
  const kind = backbone.describedWidth('text') > 0 ? 'text' : 'image'
  const [sample] = backbone.embed([[backbone.dummyPart(kind, 0, 0)]])
  return Math.sqrt(sample!.x.reduce((sum, value) => sum + value * value, 0) / sample!.tokens)
}

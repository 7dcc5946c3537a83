/** The frozen part of a network that is computed once for each sample and pattern: embedding, stand-ins for what is missing, blocks under the first trained part. */
import { type Backbone, type EmbeddedSample, type SamplePart, keyBiasFor } from '../backbones/backbone.ts'
import type { BlockShape } from '../backbones/transformer-block.ts'
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { type Tensor2D, takeFloats } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import type { MissingInput } from './method.ts'
import { type ModalitySpec, type PrefixEntry, type Sample, presenceOf } from './network.ts'
import type { Pooling } from './pooling.ts'

/** How many samples the frozen prefix is computed for at once. */
const PREFIX_BATCH = 8

export interface PrefixOptions {
  compute: Compute
  backbone: Backbone
  pooling: Pooling
  modalities: readonly ModalitySpec[]
  missingInput: MissingInput
  /** Lowest block with trained parts; the block count when there are none. */
  firstBlock: number
  /** Whether that block's frozen output can be cached too. */
  cachesBlockOutput: boolean
  /** The input layer is trained: entries carry the parts instead of their tokens. Needs `firstBlock` 0. */
  keepsSource?: boolean
}

/** Rows of equal padding length from rows of different lengths: [B * tokens, D]. */
export function padRows(compute: Compute, rows: readonly Float32Array[], tokens: number, width: number): Tensor2D {
  const { tf } = compute
  // Joined on the device: TensorFlow reads the rows where they lie, and no copy of the batch waits for the garbage collector.
  return tf.tidy(() => {
    const pieces = rows.flatMap((row) => {
      const own = tf.tensor2d(row, [row.length / width, width])
      return own.shape[0] === tokens ? [own] : [own, tf.zeros([tokens - own.shape[0], width]) as Tensor2D]
    })
    return pieces.length === 1 ? pieces[0]! : tf.concat2d(pieces, 0)
  })
}

/** Makes `Network.computePrefix` for a transformer. */
export function createPrefixComputer(options: PrefixOptions): (samples: readonly Sample[], withBlockOutput: boolean) => PrefixEntry[] {
  const { compute, backbone, pooling, modalities, firstBlock } = options
  const { width: D, blocks, heads } = backbone
  const standIn = (part: SamplePart): SamplePart => (options.missingInput === 'zeros' ? zeroed(part) : part)
  const pad = (rows: readonly Float32Array[], tokens: number): Tensor2D => padRows(compute, rows, tokens, D)

  const embed = (samples: readonly Sample[]): { embedded: EmbeddedSample[]; sources: Sample[] } => {
    const completed = samples.map((sample) => {
      const presence = presenceOf(sample)
      if (presence === 0) throw new AppError('TRAINING_INPUT_EMPTY', 'A patient has none of the chosen modalities.')
      if (options.missingInput === 'left-out') return { parts: sample, dummies: new Set<number>() }
      const missing = modalities.map((spec, modality) => ({ spec, modality })).filter(({ modality }) => !((presence >> modality) & 1))
      const dummyParts = missing.flatMap(({ spec, modality }) =>
        (spec.kind === 'text' ? [0] : spec.slots).map((slot) => standIn(backbone.dummyPart(spec.kind, modality, slot))))
      return { parts: [...sample, ...dummyParts], dummies: new Set(missing.map(({ modality }) => modality)) }
    })
    const sources = completed.map(({ parts }) => parts)
    return { sources, embedded: backbone.embed(sources, completed.map(({ dummies }) => dummies)) }
  }

  /** Host copies of each sample's valid rows; frees x. */
  const unpad = (x: Tensor2D, lengths: readonly number[], tokens: number): Float32Array[] => {
    const values = takeFloats(x)
    return lengths.map((length, b) => values.slice(b * tokens * D, (b * tokens + length) * D))
  }
  /** Pooled vectors of x on the host, row by row; frees x. */
  const poolOnce = (x: Tensor2D, batch: readonly { tokens: number; segments: Uint8Array }[], tokens: number): Float32Array => {
    const pass = pooling.forward(x, batch, tokens)
    pass.discard()
    x.dispose()
    return takeFloats(pass.features)
  }

  const prefixOfBatch = (samples: readonly Sample[], withBlockOutput: boolean): PrefixEntry[] => {
    const { embedded, sources } = embed(samples)
    const base = embedded.map(({ tokens, segments }, i) => ({ presence: presenceOf(samples[i]!), tokens, segments }))
    if (options.keepsSource === true) return base.map((entry, i) => ({ ...entry, x: new Float32Array(), blockOutput: null, source: sources[i]! }))
    // A backbone without common blocks (separate towers) has its features pooled at once.
    if (firstBlock === 0 && blocks.length > 0 && !withBlockOutput) return base.map((entry, i) => ({ ...entry, x: embedded[i]!.x, blockOutput: null }))
    const lengths = embedded.map(({ tokens }) => tokens)
    const longest = Math.max(...lengths)
    const shape: BlockShape = { batch: lengths.length, heads, keyBias: keyBiasFor(compute, lengths, longest) }
    const pooledEmbeddings = backbone.joinsFirstAndLast && firstBlock > 0 ? poolOnce(pad(embedded.map(({ x }) => x), longest), base, longest) : null
    let x = pad(embedded.map((sample) => sample.x), longest)
    for (const block of blocks.slice(0, firstBlock)) x = release(block.forward(x, shape, false).y, x)
    if (firstBlock === blocks.length) {
      // Nothing trained below the head: one pooled vector is all that is needed of a sample.
      const values = poolOnce(x, base, longest)
      pooledEmbeddings?.forEach((value, i) => { values[i] = (values[i]! + value) / 2 })
      shape.keyBias?.dispose()
      return base.map(({ presence }, i) => ({ presence, tokens: 1, segments: new Uint8Array(), x: values.slice(i * D, (i + 1) * D), blockOutput: null }))
    }
    const output = withBlockOutput ? unpad(blocks[firstBlock]!.forward(x, shape, false).y, lengths, longest) : null
    const inputs = unpad(x, lengths, longest)
    shape.keyBias?.dispose()
    return base.map((entry, i) => {
      // The head of some backbones also reads the pooled embedding, which lies below the cut: it travels as one more row.
      const rows = pooledEmbeddings === null ? inputs[i]! : appendRow(inputs[i]!, pooledEmbeddings.subarray(i * D, (i + 1) * D))
      return { ...entry, x: rows, blockOutput: output?.[i] ?? null }
    })
  }

  return (samples, withBlockOutput) => {
    const entries: PrefixEntry[] = []
    for (let start = 0; start < samples.length; start += PREFIX_BATCH) {
      entries.push(...prefixOfBatch(samples.slice(start, start + PREFIX_BATCH), withBlockOutput && options.cachesBlockOutput))
    }
    return entries
  }
}

function appendRow(rows: Float32Array, row: Float32Array): Float32Array {
  const joined = new Float32Array(rows.length + row.length)
  joined.set(rows)
  joined.set(row, rows.length)
  return joined
}

/** The stand-in of a missing modality with every number 0; an empty text has no numbers and stays. */
function zeroed(part: SamplePart): SamplePart {
  if (part.kind === 'pixels') return { ...part, pixels: new Float32Array(part.pixels.length) }
  if (part.kind === 'grid' || part.kind === 'tabular') return { ...part, features: new Float32Array(part.features.length) }
  return part
}

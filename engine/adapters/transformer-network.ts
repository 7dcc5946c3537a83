/**
 * A frozen backbone with adapters beside some of its blocks and the trained head on top, as one network.
 * Blocks under the first adapter are part of the cached prefix; the gradient stops at the first adapter.
 */
import { type Backbone, type EmbeddedSample, type SamplePart, keyBiasFor } from '../backbones/backbone.ts'
import { type BlockShape, type SavedBlock } from '../backbones/transformer-block.ts'
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import type { Gradients, ParameterSet } from '../compute/parameters.ts'
import { type Tensor2D, disposeAll, takeFloats } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import type { Head } from './head.ts'
import type { MoraLayer, MoraPass } from './mora/layer.ts'
import type { MissingInput } from './method.ts'
import type { ForwardPass, ModalitySpec, Network, PrefixEntry, Sample } from './network.ts'
import { presenceOf } from './network.ts'
import { createPooling } from './pooling.ts'

/** Trained parts beside blocks; `firstBlock` equals the block count when there are none. */
export interface BlockAdapter {
  readonly firstBlock: number
  beside(block: number): MoraLayer | null
}

export interface TransformerNetworkOptions {
  compute: Compute
  backbone: Backbone
  parameters: ParameterSet
  adapter: BlockAdapter
  head: Head
  modalities: readonly ModalitySpec[]
  missingInput: MissingInput
}

/** How many samples the frozen prefix is computed for at once. */
const PREFIX_BATCH = 8

export function createTransformerNetwork(options: TransformerNetworkOptions): Network {
  const { compute, backbone, parameters, adapter, head, modalities } = options
  const { tf } = compute
  const { width: D, blocks, heads } = backbone
  const pooling = createPooling(compute, backbone)

  const standIn = (part: SamplePart): SamplePart => (options.missingInput === 'zeros' ? zeroed(part) : part)

  const embed = (samples: readonly Sample[]): EmbeddedSample[] => {
    const completed = samples.map((sample) => {
      const presence = presenceOf(sample)
      if (presence === 0) throw new AppError('TRAINING_INPUT_EMPTY', 'A patient has none of the chosen modalities.')
      if (options.missingInput === 'left-out') return { parts: sample, dummies: new Set<number>() }
      const missing = modalities.map((spec, modality) => ({ spec, modality })).filter(({ modality }) => !((presence >> modality) & 1))
      const dummyParts = missing.flatMap(({ spec, modality }) =>
        (spec.kind === 'text' ? [0] : spec.slots).map((slot) => standIn(backbone.dummyPart(spec.kind, modality, slot))))
      return { parts: [...sample, ...dummyParts], dummies: new Set(missing.map(({ modality }) => modality)) }
    })
    return backbone.embed(completed.map(({ parts }) => parts), completed.map(({ dummies }) => dummies))
  }

  const pad = (rows: readonly Float32Array[], tokens: number): Tensor2D => {
    const joined = new Float32Array(rows.length * tokens * D)
    rows.forEach((row, b) => joined.set(row, b * tokens * D))
    return tf.tensor2d(joined, [rows.length * tokens, D])
  }
  const shapeOf = (lengths: readonly number[], tokens: number): BlockShape =>
    ({ batch: lengths.length, heads, keyBias: keyBiasFor(compute, lengths, tokens) })
  /** Host copies of each sample's valid rows; frees x. */
  const unpad = (x: Tensor2D, lengths: readonly number[], tokens: number): Float32Array[] => {
    const values = takeFloats(x)
    return lengths.map((length, b) => values.slice(b * tokens * D, (b * tokens + length) * D))
  }

  /** Pooled vectors of x on the host; frees x. */
  const poolOnce = (x: Tensor2D, batch: readonly { tokens: number; segments: Uint8Array }[], tokens: number): Float32Array => {
    const pass = pooling.forward(x, batch, tokens)
    pass.discard()
    x.dispose()
    return takeFloats(pass.features)
  }

  /** Pooled hidden state where training begins; frozen, so no gradient flows into it. Keeps x. */
  const poolFirst = (x: Tensor2D, batch: readonly { tokens: number; segments: Uint8Array }[], tokens: number): Tensor2D => {
    const pass = pooling.forward(x, batch, tokens)
    pass.discard()
    return pass.features
  }

  const prefixOfBatch = (samples: readonly Sample[], withBlockOutput: boolean): PrefixEntry[] => {
    const embedded = embed(samples)
    const base = embedded.map(({ tokens, segments }, i) => ({ presence: presenceOf(samples[i]!), tokens, segments }))
    const first = adapter.firstBlock
    if (first === 0 && !withBlockOutput) return base.map((entry, i) => ({ ...entry, x: embedded[i]!.x, blockOutput: null }))
    const lengths = embedded.map(({ tokens }) => tokens)
    const longest = Math.max(...lengths)
    const shape = shapeOf(lengths, longest)
    let x = pad(embedded.map((sample) => sample.x), longest)
    for (const block of blocks.slice(0, first)) x = release(block.forward(x, shape, false).y, x)
    if (first === blocks.length) {
      // Nothing trained below the head: one pooled vector is all that is needed of a sample.
      const values = poolOnce(x, base, longest)
      if (backbone.joinsFirstAndLast) {
        const embeddings = poolOnce(pad(embedded.map((sample) => sample.x), longest), base, longest)
        embeddings.forEach((value, i) => { values[i] = (values[i]! + value) / 2 })
      }
      shape.keyBias?.dispose()
      return base.map(({ presence }, i) => ({ presence, tokens: 1, segments: new Uint8Array(), x: values.slice(i * D, (i + 1) * D), blockOutput: null }))
    }
    const output = withBlockOutput ? unpad(blocks[first]!.forward(x, shape, false).y, lengths, longest) : null
    const inputs = unpad(x, lengths, longest)
    shape.keyBias?.dispose()
    return base.map((entry, i) => ({ ...entry, x: inputs[i]!, blockOutput: output?.[i] ?? null }))
  }

  const presenceTensor = (batch: readonly PrefixEntry[]): Tensor2D =>
    tf.tensor2d(batch.flatMap(({ presence }) => modalities.map((_, m) => (presence >> m) & 1)), [batch.length, modalities.length], 'float32')

  const forward = (batch: readonly PrefixEntry[], keep: boolean): ForwardPass => {
    if (adapter.firstBlock === blocks.length) return headPass(batch, keep)
    const lengths = batch.map(({ tokens }) => tokens)
    const longest = Math.max(...lengths)
    const shape = shapeOf(lengths, longest)
    const presence = presenceTensor(batch)
    const saved = new Map<number, SavedBlock>()
    const passes = new Map<number, MoraPass>()
    let x = pad(batch.map((entry) => entry.x), longest)
    const firstFeatures = backbone.joinsFirstAndLast ? poolFirst(x, batch, longest) : null
    for (let i = adapter.firstBlock; i < blocks.length; i++) {
      const isFirst = i === adapter.firstBlock
      const cached = isFirst && batch.every(({ blockOutput }) => blockOutput !== null) ? batch.map(({ blockOutput }) => blockOutput!) : null
      const frozen = cached === null ? blocks[i]!.forward(x, shape, keep && !isFirst) : { y: pad(cached, longest), saved: null }
      if (frozen.saved !== null) saved.set(i, frozen.saved)
      const pass = adapter.beside(i)?.forward(x, presence)
      x.dispose()
      x = frozen.y
      if (pass === undefined) continue
      x = release(frozen.y.add<Tensor2D>(pass.delta), frozen.y, pass.delta)
      if (keep) passes.set(i, pass)
      else pass.discard()
    }
    const pooled = pooling.forward(x, batch, longest)
    x.dispose()
    const features = firstFeatures === null ? pooled.features
      : release(tf.tidy(() => pooled.features.add(firstFeatures).mul<Tensor2D>(0.5)), pooled.features, firstFeatures)
    presence.dispose()
    const output = release(head.forward(features), features)
    if (!keep) {
      output.discard()
      pooled.discard()
      shape.keyBias?.dispose()
      return { logits: output.logits, backward: null }
    }
    const backward = (dLogits: Tensor2D): Gradients => {
      const gradients: Gradients = new Map()
      const dFeatures = output.backward(dLogits, gradients)
      const dPooled = backbone.joinsFirstAndLast ? release(dFeatures.mul<Tensor2D>(0.5), dFeatures) : dFeatures
      let dy = release(pooled.backward(dPooled), dPooled) // [B*T, D]
      for (let i = blocks.length - 1; i >= adapter.firstBlock; i--) {
        const needsInput = i > adapter.firstBlock
        const dBeside = passes.get(i)?.backward(dy, gradients, needsInput) ?? null
        if (!needsInput) break
        dy = release(blocks[i]!.backward(dy, saved.get(i)!, shape), dy)
        if (dBeside !== null) dy = release(dy.add<Tensor2D>(dBeside), dy, dBeside)
      }
      disposeAll(dy, shape.keyBias)
      return gradients
    }
    return { logits: output.logits, backward }
  }

  const headPass = (batch: readonly PrefixEntry[], keep: boolean): ForwardPass => {
    const features = pad(batch.map(({ x }) => x), 1)
    const output = release(head.forward(features), features)
    if (!keep) {
      output.discard()
      return { logits: output.logits, backward: null }
    }
    return {
      logits: output.logits,
      backward: (dLogits) => {
        const gradients: Gradients = new Map()
        output.backward(dLogits, gradients).dispose()
        return gradients
      },
    }
  }

  return {
    parameters,
    frozenParameterCount: backbone.parameterCount,
    computePrefix: (samples, withBlockOutput) => {
      const entries: PrefixEntry[] = []
      for (let start = 0; start < samples.length; start += PREFIX_BATCH) {
        entries.push(...prefixOfBatch(samples.slice(start, start + PREFIX_BATCH), withBlockOutput))
      }
      return entries
    },
    forward,
    dispose: () => parameters.dispose(),
  }
}

/** The stand-in of a missing modality with every number 0; an empty text has no numbers and stays. */
function zeroed(part: SamplePart): SamplePart {
  if (part.kind === 'pixels') return { ...part, pixels: new Float32Array(part.pixels.length) }
  if (part.kind === 'grid') return { ...part, features: new Float32Array(part.features.length) }
  return part
}

/** From prefix entries to the pooled features that the head reads, through everything below the head, and back. */
import { type Backbone, keyBiasFor } from '../backbones/backbone.ts'
import { type Compute, keepingOf } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { keptBytes } from '../compute/memory.ts'
import type { Gradients } from '../compute/parameters.ts'
import { type Tensor2D, type Tensor3D, disposeAll } from '../compute/tensorflow.ts'
import type { NetworkAdapter } from './adapter.ts'
import type { MissingInput } from './method.ts'
import type { ModalitySpec, PrefixEntry } from './network.ts'
import { type PoolingPass, createPooling } from './pooling.ts'
import { padRows } from './prefix.ts'
import { createBatchView, disposeView } from './sites/batch-view.ts'
import { runChain } from './stages/chain.ts'
import type { Sequence, Stage } from './stages/stage.ts'

export interface FeaturePass {
  /** [B, D]; belongs to the caller. */
  features: Tensor2D
  /** dL/dfeatures [B, D], which it frees -> gradients of what is trained. Only in passes with `keep`, where it must run once. */
  backward(dFeatures: Tensor2D, gradients: Gradients): void
}

export interface FeatureComputer {
  /** `stages` take the place of the adapter's own, and of its changes before and after them where `isBare`. */
  compute(batch: readonly PrefixEntry[], keep: boolean, stages: readonly Stage[], isBare?: boolean): FeaturePass
  isAnythingTrained(): boolean
}

export interface FeatureOptions {
  compute: Compute
  backbone: Backbone
  adapter: NetworkAdapter
  modalities: readonly ModalitySpec[]
  missingInput: MissingInput
}

export function createFeatureComputer({ compute, backbone, adapter, modalities, missingInput }: FeatureOptions): FeatureComputer {
  const { tf } = compute
  const { width: D, heads } = backbone
  const feedForward = backbone.blocks[0]?.weights.expandWeight.shape[1] ?? 0
  const finalNorm = adapter.finalNorm ?? null
  const input = adapter.input ?? null
  if (finalNorm !== null && backbone.pooling !== 'first') throw new Error('a trained final norm acts on first-token pooling only')
  const pooling = createPooling(compute, finalNorm === null ? backbone : { ...backbone, finalNorm: null })
  const takesCached = adapter.stages[0]?.takesCached ?? false
  const textModality = modalities.findIndex(({ kind }) => kind === 'text')
  const dummyText = textModality === -1 || missingInput === 'left-out' ? null : backbone.dummyPart('text', textModality, 0)
  const dummyTextTokens = dummyText?.kind === 'text' ? dummyText.ids.length : 0

  /** Text stands first in every sequence, its stand-in included. */
  const textTokensOf = ({ presence, segments }: PrefixEntry): number =>
    textModality !== -1 && (presence >> textModality) & 1 ? segments.reduce((count, segment) => count + (segment === textModality ? 1 : 0), 0) : dummyTextTokens
  const presenceTensor = (batch: readonly PrefixEntry[]): Tensor2D =>
    tf.tensor2d(batch.flatMap(({ presence }) => modalities.map((_, m) => (presence >> m) & 1)), [batch.length, modalities.length], 'float32')

  const computeFeatures: FeatureComputer['compute'] = (batch, keep, stages, isBare = false) => {
    const lengths = batch.map(({ tokens }) => tokens)
    const longest = Math.max(...lengths)
    const view = createBatchView(compute, batch.map(({ presence }) => presence), longest)
    const tokens = input?.forward(batch, longest, keep) ?? null
    const sequence: Sequence = {
      x: tokens?.x ?? padRows(compute, batch.map(({ x, tokens: own }) => x.subarray(0, own * D)), longest, D),
      shape: { batch: batch.length, heads, keyBias: keyBiasFor(compute, lengths, longest) },
      view, presence: presenceTensor(batch), textTokens: batch.map(textTokensOf), promptTokens: 0,
    }
    const isInputTrained = input?.isTrained() ?? false
    const embedding = isBare ? null : adapter.embedding?.forward(sequence, { keep, needsInput: isInputTrained, cached: null, firstOnly: false }) ?? null
    const embedded = embedding?.sequence ?? sequence
    const isEmbeddingTrained = adapter.embedding?.isTrained() ?? false
    const needsInput = isEmbeddingTrained || isInputTrained
    const first = backbone.joinsFirstAndLast ? firstFeatures(batch, embedded.x, longest) : null
    const cached = takesCached && batch.every(({ blockOutput }) => blockOutput !== null)
      ? padRows(compute, batch.map(({ blockOutput }) => blockOutput!), longest, D) : null
    const keeping = keepingOf(compute, keptBytes(batch.length * longest, { width: D, feedForward, blocks: backbone.blocks.length }, adapter.firstBlock))
    const chain = runChain(stages, embedded, { keep, needsInput, cached, firstOnly: backbone.pooling === 'first', keeping })
    embedded.x.dispose()
    if (embedding !== null) sequence.x.dispose()
    const last = poolLast(batch, chain.sequence, longest)
    const features = first === null ? last.features : release(tf.tidy(() => last.features.add(first.features).mul<Tensor2D>(0.5)), last.features, first.features)
    const freeInput = (): void => {
      disposeAll(sequence.presence, sequence.shape.keyBias)
      disposeView(view)
    }
    if (!keep) {
      last.discard()
      first?.discard()
      chain.discard()
      embedding?.discard()
      freeInput()
    }
    /** dL/dembedded -> gradients of what stands at the input; frees it. */
    const backwardInput = (dEmbedded: Tensor2D, gradients: Gradients): void => {
      const dx = embedding === null ? dEmbedded : release(embedding.backward(dEmbedded, gradients), dEmbedded)
      if (dx === null || tokens === null || !isInputTrained) tokens?.discard()
      else tokens.backward(dx, gradients)
      dx?.dispose()
    }
    const backward = (dFeatures: Tensor2D, gradients: Gradients): void => {
      const dPooled = first === null ? dFeatures : release(dFeatures.mul<Tensor2D>(0.5), dFeatures)
      const dEmbedded = chain.backward(last.backward(dPooled, gradients), gradients)
      if (dEmbedded === null) {
        first?.discard()
        embedding?.discard()
        tokens?.discard()
      } else {
        const dJoined = first === null ? null : first.backward(dPooled)
        backwardInput(dJoined === null ? dEmbedded : release(dEmbedded.add<Tensor2D>(dJoined), dEmbedded, dJoined), gradients)
      }
      dPooled.dispose()
      freeInput()
    }
    return { features, backward }
  }

  /** The pooled first hidden state: of the embeddings as they are here, or as they came with the entries from below the cut (prefix.ts). */
  const firstFeatures = (batch: readonly PrefixEntry[], x: Tensor2D, tokens: number): Pick<PoolingPass, 'features' | 'discard' | 'backward'> => {
    if (adapter.firstBlock === 0) return pooling.forward(x, batch, tokens)
    const features = padRows(compute, batch.map((entry) => entry.x.subarray(entry.tokens * D)), 1, D)
    return { features, discard: () => {}, backward: () => { throw new Error('what came with the entries is frozen') } }
  }

  /** Pools the last hidden state over each sample's own tokens and applies a trained final norm. */
  const poolLast = (batch: readonly PrefixEntry[], { x, view, promptTokens: P, isFirstOnly }: Sequence, longest: number) => {
    const B = batch.length
    const tokens = isFirstOnly === true ? 1 : longest
    const own = P === 0 ? x : release(tf.tidy(() => x.reshape<Tensor3D>([B, P + tokens, D]).slice([0, P, 0], [B, tokens, D]).reshape<Tensor2D>([B * tokens, D])), x)
    const pass = release(pooling.forward(own, batch, tokens), own)
    const norm = finalNorm?.forward(pass.features, { ...view, tokens: 1 }) ?? null
    const discard = (): void => {
      pass.discard()
      norm?.discard()
      if (norm !== null) pass.features.dispose()
    }
    const backward = (dFeatures: Tensor2D, gradients: Gradients): Tensor2D => {
      const dMean = norm === null ? dFeatures : release(norm.backward(dFeatures, pass.features, gradients, true)!, pass.features)
      const dOwn = pass.backward(dMean) // [B*T, D]
      if (norm !== null) dMean.dispose()
      if (P === 0) return dOwn
      return release(tf.tidy(() => dOwn.reshape<Tensor3D>([B, tokens, D]).pad([[0, 0], [P, 0], [0, 0]]).reshape<Tensor2D>([B * (P + tokens), D])), dOwn)
    }
    return { features: norm === null ? pass.features : norm.y, discard, backward }
  }

  return {
    compute: computeFeatures,
    isAnythingTrained: () => adapter.stages.some((stage) => stage.isTrained()) || (adapter.embedding?.isTrained() ?? false) || (input?.isTrained() ?? false) || (finalNorm?.isTrained() ?? false),
  }
}

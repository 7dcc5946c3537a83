/**
 * A frozen backbone with trained parts beside, inside or in front of its blocks and the trained head on top, as one network.
 * Blocks under the first trained part belong to the cached prefix; the gradient stops at the lowest part that is trained.
 */
import { type Backbone, keyBiasFor } from '../backbones/backbone.ts'
import { type Compute, keepingOf } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import { keptBytes } from '../compute/memory.ts'
import type { Gradients, ParameterSet } from '../compute/parameters.ts'
import { type Tensor2D, type Tensor3D, disposeAll, takeFloats } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import { createFrozenFeatures } from './frozen-features.ts'
import type { Head } from './head.ts'
import { createMergedStages } from './merged-stages.ts'
import type { MissingInput } from './method.ts'
import type { ForwardPass, ModalitySpec, Network, PrefixEntry, Serving } from './network.ts'
import { type PoolingPass, createPooling } from './pooling.ts'
import { createPrefixComputer, padRows } from './prefix.ts'
import { createBatchView, disposeView } from './sites/batch-view.ts'
import type { TokenMap } from './sites/token-map.ts'
import { runChain } from './stages/chain.ts'
import type { Sequence, Stage } from './stages/stage.ts'

/** Where a method puts its trained parts. */
export interface NetworkAdapter {
  /** Lowest block with trained parts; the block count when only the head is trained. */
  readonly firstBlock: number
  /** Trained parts on the embedded tokens; needs `firstBlock` 0. */
  readonly embedding?: Stage | null
  /** From there to the last block, in order, with whatever stands in front of blocks. Empty when only the head is trained. */
  readonly stages: readonly Stage[]
  /** Takes the place of the backbone's final norm. */
  readonly finalNorm?: TokenMap | null
  /** Gradients of the blocks' own weights are formed; absent: no. */
  readonly trainsWeights?: boolean
  /** What a block keeps for the way back, in units of what a frozen one keeps; absent: 1. */
  readonly keptFactor?: number
  /** Whose weights answer for a pattern; absent: always 'trained'. */
  serving?(presence: number): Serving
}

export interface TransformerNetworkOptions {
  compute: Compute
  backbone: Backbone
  parameters: ParameterSet
  adapter: NetworkAdapter
  head: Head
  modalities: readonly ModalitySpec[]
  missingInput: MissingInput
}

export function createTransformerNetwork(options: TransformerNetworkOptions): Network {
  const { compute, backbone, parameters, adapter, head, modalities, missingInput } = options
  const { tf } = compute
  const { width: D, blocks, heads } = backbone
  const size = { width: D, feedForward: blocks[0]?.weights.expandBias.shape[0] ?? 0, blocks: blocks.length }
  const isHeadOnly = adapter.firstBlock === blocks.length
  const finalNorm = adapter.finalNorm ?? null
  if (finalNorm !== null && (backbone.pooling !== 'first' || isHeadOnly)) throw new Error('a trained final norm acts on first-token pooling only')
  const pooling = createPooling(compute, finalNorm === null ? backbone : { ...backbone, finalNorm: null })
  const takesCached = adapter.stages[0]?.takesCached ?? false
  const computePrefix = createPrefixComputer({
    compute, backbone, pooling, modalities, missingInput, firstBlock: adapter.firstBlock, cachesBlockOutput: takesCached,
  })
  const textModality = modalities.findIndex(({ kind }) => kind === 'text')
  const dummyText = textModality === -1 || missingInput === 'left-out' ? null : backbone.dummyPart('text', textModality, 0)
  const dummyTextTokens = dummyText?.kind === 'text' ? dummyText.ids.length : 0

  /** Text stands first in every sequence, its stand-in included. */
  const textTokensOf = ({ presence, segments }: PrefixEntry): number =>
    textModality !== -1 && (presence >> textModality) & 1 ? segments.reduce((count, segment) => count + (segment === textModality ? 1 : 0), 0) : dummyTextTokens
  const presenceTensor = (batch: readonly PrefixEntry[]): Tensor2D =>
    tf.tensor2d(batch.flatMap(({ presence }) => modalities.map((_, m) => (presence >> m) & 1)), [batch.length, modalities.length], 'float32')

  const refuseUntrained = (batch: readonly PrefixEntry[]): void => {
    if (adapter.serving === undefined) return
    for (const presence of new Set(batch.map((entry) => entry.presence))) {
      if (adapter.serving(presence) !== 'refused') continue
      const names = modalities.filter((_, m) => (presence >> m) & 1).map(({ name }) => name)
      throw new AppError('METHOD_COMBINATION_UNTRAINED', `No patient with only ${names.join(' and ')} was trained on, and the run has no fallback for them.`)
    }
  }

  /** Drops the gradients of what the present phase leaves as it is. */
  const keepTrained = (gradients: Gradients): Gradients => {
    for (const { name, isTrained } of parameters.all) {
      if (isTrained) continue
      gradients.get(name)?.dispose()
      gradients.delete(name)
    }
    return gradients
  }

  const merged = createMergedStages(parameters, adapter.stages, adapter.serving !== undefined)
  const frozenFeatures = createFrozenFeatures(parameters, (entry) => takeFloats(computeFeatures([entry], false).features))
  const isAnythingBelowTrained = (): boolean =>
    adapter.stages.some((stage) => stage.isTrained()) || (adapter.embedding?.isTrained() ?? false) || (finalNorm?.isTrained() ?? false)

  const forward = (batch: readonly PrefixEntry[], keep: boolean): ForwardPass => {
    if (keep) merged.forget()
    else refuseUntrained(batch)
    if (isHeadOnly) return headPass(batch.map(({ x }) => x), keep)
    if (!isAnythingBelowTrained()) return headPass(batch.map((entry) => frozenFeatures.of(entry)), keep)
    const pass = computeFeatures(batch, keep)
    const output = release(head.forward(pass.features), pass.features)
    if (!keep) {
      output.discard()
      return { logits: output.logits, backward: null }
    }
    return {
      logits: output.logits,
      backward: (dLogits) => {
        const gradients: Gradients = new Map()
        pass.backward(output.backward(dLogits, gradients), gradients)
        return keepTrained(gradients)
      },
    }
  }

  /** Everything below the head: features [B, D] for the caller; `backward` (passes with `keep` only) frees dFeatures and what was kept. */
  const computeFeatures = (batch: readonly PrefixEntry[], keep: boolean): { features: Tensor2D; backward(dFeatures: Tensor2D, gradients: Gradients): void } => {
    const lengths = batch.map(({ tokens }) => tokens)
    const longest = Math.max(...lengths)
    const view = createBatchView(compute, batch.map(({ presence }) => presence), longest)
    const input: Sequence = {
      x: padRows(compute, batch.map(({ x, tokens }) => x.subarray(0, tokens * D)), longest, D),
      shape: { batch: batch.length, heads, keyBias: keyBiasFor(compute, lengths, longest) },
      view, presence: presenceTensor(batch), textTokens: batch.map(textTokensOf), promptTokens: 0,
    }
    const embedding = adapter.embedding?.forward(input, { keep, needsInput: false, cached: null, firstOnly: false }) ?? null
    const embedded = embedding?.sequence ?? input
    const first = backbone.joinsFirstAndLast ? firstFeatures(batch, embedded.x, longest) : null
    const isEmbeddingTrained = adapter.embedding?.isTrained() ?? false
    const cached = takesCached && batch.every(({ blockOutput }) => blockOutput !== null)
      ? padRows(compute, batch.map(({ blockOutput }) => blockOutput!), longest, D) : null
    const stages = (keep ? null : merged.for(view.patterns, batch.length)) ?? adapter.stages
    const chain = runChain(stages, embedded, { keep, needsInput: isEmbeddingTrained, cached, firstOnly: backbone.pooling === 'first', keeping: keepingOf(compute, keptBytes(batch.length * longest, size, adapter.firstBlock)) })
    embedded.x.dispose()
    if (embedding !== null) input.x.dispose()
    const last = poolLast(batch, chain.sequence, longest)
    const features = first === null ? last.features : release(tf.tidy(() => last.features.add(first.features).mul<Tensor2D>(0.5)), last.features, first.features)
    const freeInput = (): void => {
      disposeAll(input.presence, input.shape.keyBias)
      disposeView(view)
    }
    if (!keep) {
      last.discard()
      first?.discard()
      chain.discard()
      embedding?.discard()
      freeInput()
    }
    const backward = (dFeatures: Tensor2D, gradients: Gradients): void => {
      const dPooled = first === null ? dFeatures : release(dFeatures.mul<Tensor2D>(0.5), dFeatures)
      const dEmbedded = chain.backward(last.backward(dPooled, gradients), gradients)
      if (dEmbedded === null || embedding === null) {
        first?.discard()
        embedding?.discard()
      } else {
        const dJoined = first === null ? null : first.backward(dPooled)
        const dx = dJoined === null ? dEmbedded : release(dEmbedded.add<Tensor2D>(dJoined), dEmbedded, dJoined)
        embedding.backward(dx, gradients)
        dx.dispose()
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

  /** The head alone over features [D] of each sample. */
  const headPass = (rows: readonly Float32Array[], keep: boolean): ForwardPass => {
    const features = padRows(compute, rows, 1, D)
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
        return keepTrained(gradients)
      },
    }
  }

  return {
    parameters,
    frozenParameterCount: backbone.parameterCount,
    prefixKey: adapter.firstBlock === blocks.length ? `pooled ${options.missingInput} ${JSON.stringify(modalities)}` : undefined,
    load: {
      firstBlock: adapter.firstBlock, cachesBlockOutput: takesCached, trainsInside: adapter.stages.some((stage) => !stage.takesCached),
      trainsWeights: adapter.trainsWeights ?? false, keptFactor: adapter.keptFactor ?? 1,
    },
    computePrefix,
    forward,
    beginPhase: (phase) => {
      for (const parameter of parameters.all) parameter.isTrained = phase === null || phase.trains(parameter)
    },
    serving: (presence) => adapter.serving?.(presence) ?? 'trained',
    dispose: () => {
      merged.forget()
      parameters.dispose()
    },
  }
}

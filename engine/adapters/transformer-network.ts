/**
 * A frozen backbone with trained parts beside, inside or in front of its blocks and the trained head on top, as one network.
 * Blocks under the first trained part belong to the cached prefix; the gradient stops at the lowest part that is trained.
 */
import type { Backbone } from '../backbones/backbone.ts'
import type { Compute } from '../compute/backend.ts'
import { release } from '../compute/kernels.ts'
import type { Gradients, ParameterSet } from '../compute/parameters.ts'
import { type Tensor2D, takeFloats } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import type { NetworkAdapter } from './adapter.ts'
import { createFeatureComputer } from './features.ts'
import { createFrozenFeatures } from './frozen-features.ts'
import type { Head } from './head.ts'
import { createMergedStages } from './merged-stages.ts'
import type { MissingInput } from './method.ts'
import type { ForwardPass, ModalitySpec, Network, PrefixEntry } from './network.ts'
import { createPooling } from './pooling.ts'
import { createPrefixComputer, padRows } from './prefix.ts'

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
  const { width: D, blocks } = backbone
  const isHeadOnly = adapter.firstBlock === blocks.length
  const takesCached = adapter.stages[0]?.takesCached ?? false
  const features = createFeatureComputer({ compute, backbone, adapter, modalities, missingInput })
  const serving = (presence: number) => adapter.serving?.(presence) ?? 'trained'

  const refuseUntrained = (batch: readonly PrefixEntry[]): void => {
    for (const presence of new Set(batch.map((entry) => entry.presence))) {
      if (serving(presence) !== 'refused') continue
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

  const inside = adapter.stages.flatMap((stage) => stage.inside ?? [])
  const merged = createMergedStages(parameters, adapter.stages, adapter.serving !== undefined)
  const frozenFeatures = createFrozenFeatures(parameters, (entry) => takeFloats(features.compute([entry], false, adapter.stages).features))

  /** The head over features [B, D], which it frees; `below` turns dL/dfeatures, which belongs to it, into gradients under the head. */
  const headPass = (x: Tensor2D, keep: boolean, below: (dFeatures: Tensor2D, gradients: Gradients) => void): ForwardPass => {
    const output = release(head.forward(x), x)
    if (!keep) {
      output.discard()
      return { logits: output.logits, backward: null }
    }
    return {
      logits: output.logits,
      backward: (dLogits) => {
        const gradients: Gradients = new Map()
        below(output.backward(dLogits, gradients), gradients)
        return keepTrained(gradients)
      },
    }
  }
  /** The head over features [D] on the host, one for each sample. */
  const headAlone = (rows: readonly Float32Array[], keep: boolean): ForwardPass => headPass(padRows(compute, rows, 1, D), keep, (dFeatures) => dFeatures.dispose())

  /** Samples that the method's own parts do not answer for go through the base; the order of rows is the batch's. */
  const predict = (batch: readonly PrefixEntry[]): Tensor2D => {
    const through = (rows: readonly PrefixEntry[], isBase: boolean): Tensor2D => {
      const stages = isBase ? adapter.fallback! : merged.for([...new Set(rows.map(({ presence }) => presence))], rows.length) ?? adapter.stages
      return features.compute(rows, false, stages, isBase).features
    }
    const isBase = batch.map(({ presence }) => adapter.fallback !== undefined && serving(presence) === 'base')
    if (!isBase.includes(true) || !isBase.includes(false)) return through(batch, isBase[0]!)
    const order = [...batch.keys()].sort((a, b) => Number(isBase[a]) - Number(isBase[b]) || a - b)
    const place = Int32Array.from(order.keys()).sort((a, b) => order[a]! - order[b]!)
    const ownCount = isBase.filter((flag) => !flag).length
    const rows = order.map((i) => batch[i]!)
    const [own, base] = [through(rows.slice(0, ownCount), false), through(rows.slice(ownCount), true)]
    return release(tf.tidy(() => tf.concat2d([own, base], 0).gather<Tensor2D>(tf.tensor1d(place, 'int32'))), own, base)
  }

  return {
    parameters,
    frozenParameterCount: backbone.parameterCount - (adapter.replacedCount ?? 0),
    prefixKey: isHeadOnly ? `pooled ${missingInput} ${JSON.stringify(modalities)}` : undefined,
    statistics: adapter.statistics,
    load: {
      firstBlock: adapter.firstBlock, cachesBlockOutput: takesCached, trainsInside: adapter.stages.some((stage) => !stage.takesCached),
      wholeBlocks: inside.every((kind) => kind === 'whole') ? inside.length : 0, trainsWeights: adapter.trainsWeights ?? false, keptFactor: adapter.keptFactor ?? 1,
    },
    computePrefix: createPrefixComputer({
      compute, backbone, modalities, missingInput, pooling: createPooling(compute, backbone), firstBlock: adapter.firstBlock, cachesBlockOutput: takesCached,
      keepsSource: adapter.input != null,
    }),
    forward: (batch, keep) => {
      if (keep) {
        merged.forget()
        adapter.noteTrained?.(batch.map(({ presence }) => presence))
      } else refuseUntrained(batch)
      if (isHeadOnly) return headAlone(batch.map(({ x }) => x), keep)
      if (!features.isAnythingTrained()) return headAlone(batch.map((entry) => frozenFeatures.of(entry)), keep)
      if (!keep) return headPass(predict(batch), false, (dFeatures) => dFeatures.dispose())
      const pass = features.compute(batch, true, adapter.stages)
      return headPass(pass.features, true, (dFeatures, gradients) => pass.backward(dFeatures, gradients))
    },
    beginPhase: (phase) => {
      for (const parameter of parameters.all) parameter.isTrained = phase === null || phase.trains(parameter)
    },
    serving,
    dispose: () => {
      merged.forget()
      parameters.dispose()
    },
  }
}

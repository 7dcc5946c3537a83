import type { Backbone } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import type { ParameterSet } from '../../compute/parameters.ts'
import type { ModalitySpec } from '../network.ts'
import { createBaseNetwork } from '../sites/base-network.ts'
import { adaptBlock } from '../sites/block-sites.ts'
import { addForCombinations, combinationsOf, createServing } from '../sites/combinations.ts'
import { type ScaleShift, withScaleShift } from '../sites/scale-shift.ts'
import { adaptedBlockStage } from '../stages/block-stages.ts'
import { embeddingStage } from '../stages/embedding-stage.ts'
import type { NetworkAdapter } from '../adapter.ts'
import type { SsfConfig } from './config.ts'

/** Puts a scale and shift after every linear layer and norm of the backbone, one pair for each combination of modalities. */
export function injectSsf(compute: Compute, parameters: ParameterSet, backbone: Backbone, config: SsfConfig, modalities: readonly ModalitySpec[]): NetworkAdapter {
  const combinations = combinationsOf(modalities, config.training)
  const sets: ScaleShift[] = []
  const addSet = (name: string, width: number): ScaleShift => {
    const add = (kind: string, value: number) =>
      addForCombinations(parameters, modalities, combinations, `${name}.${kind}`, [width], () => new Float32Array(width).fill(value))
    const set = { gamma: add('gamma', 1), beta: add('beta', 0) }
    sets.push(set)
    return set
  }
  const { embeddingNorm, finalNorm, width: D } = backbone
  const base = createBaseNetwork(compute, parameters, backbone, config)
  const embedding = config.sites === 'all' && embeddingNorm !== undefined
    ? embeddingStage(compute, embeddingNorm, base.readInput, addSet('embeddings.LayerNorm', D), D) : null
  const stages = backbone.blocks.map((block, index) => adaptedBlockStage(adaptBlock(compute, block, index, backbone.heads, {
    linear: (frozen) => withScaleShift(compute, base.linear(frozen), frozen.parts, frozen.parts.map(({ name, width }) => addSet(name, width))),
    norm: (frozen) => withScaleShift(compute, base.norm(frozen), [{ name: frozen.name, width: D, scale: 1 }], [addSet(frozen.name, D)]),
  })))
  const final = finalNorm === null ? null
    : withScaleShift(compute, base.norm({ ...finalNorm, name: 'layernorm' }), [{ name: 'layernorm', width: D, scale: 1 }], [addSet('layernorm', D)])
  return {
    // The outputs of the linear layers are kept for gamma's gradient, about as much again as a frozen block keeps.
    firstBlock: 0, input: base.input, embedding, stages, finalNorm: final, keptFactor: 2, trainsWeights: base.trainsWeights, replacedCount: base.count(),
    serving: createServing(config, combinations, sets.flatMap(({ gamma, beta }) => [{ choice: gamma, start: 1 }, { choice: beta, start: 0 }])),
  }
}

/**
 * Trained numbers of one combination's set: scale and shift on the 4 D + F + D outputs of a block's linear layers and its two norms,
 * and on the norms outside the blocks.
 */
export function ssfParameterCount(blocks: number, width: number, feedForward: number, outerNorms: number): number {
  return blocks * 2 * (7 * width + feedForward) + outerNorms * 2 * width
}

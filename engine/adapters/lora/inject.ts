import type { Backbone } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import type { ParameterSet } from '../../compute/parameters.ts'
import type { RandomSource } from '../../compute/random-source.ts'
import type { ModalitySpec } from '../network.ts'
import type { Choice } from '../sites/batch-view.ts'
import { createBaseNetwork } from '../sites/base-network.ts'
import { adaptBlock } from '../sites/block-sites.ts'
import { addForCombinations, combinationsOf, createServing } from '../sites/combinations.ts'
import type { FrozenLinear } from '../sites/linear-map.ts'
import { type LowRank, withLowRank } from '../sites/low-rank.ts'
import { adaptedBlockStage } from '../stages/block-stages.ts'
import type { NetworkAdapter } from '../adapter.ts'
import type { LoraConfig } from './config.ts'

type Target = LoraConfig['targets'][number]

/** Which target a part of a linear map is, from the end of its name. */
function targetOf(name: string): Target {
  if (/\.(query|key|value)$/.test(name)) return name.slice(name.lastIndexOf('.') + 1) as Target
  if (name.endsWith('attention.output.dense')) return 'output'
  return name.endsWith('intermediate.dense') ? 'expand' : 'contract'
}

/** Puts low-rank updates beside the chosen linear layers of every block: one for all, or one for each combination of modalities. */
export function injectLora(
  compute: Compute, parameters: ParameterSet, random: RandomSource, backbone: Backbone, config: LoraConfig, modalities: readonly ModalitySpec[],
): NetworkAdapter {
  const { rank: R } = config
  const combinations = config.by === 'combination' ? combinationsOf(modalities, config.training) : []
  const base = createBaseNetwork(compute, parameters, backbone, config.by === 'combination' ? config : { ...config, base: 'head' })
  const ups: Choice[] = []
  const add = (name: string, shape: number[], initial: () => Float32Array): Choice => config.by === 'combination'
    ? addForCombinations(parameters, modalities, combinations, name, shape, initial)
    : parameters.add(name, initial(), shape, 'adapter')
  const updateOf = (name: string, inputs: number, outputs: number): LowRank => {
    // As torch initialises a linear layer (Kaiming uniform with a = sqrt 5), which PEFT and the reference use for A.
    const bound = 1 / Math.sqrt(inputs)
    const down = add(`${name}.lora_A`, [inputs, R], () => Float32Array.from({ length: inputs * R }, () => (2 * random.uniform() - 1) * bound))
    const up = add(`${name}.lora_B`, [R, outputs], () => new Float32Array(R * outputs))
    ups.push(up)
    return { down, up, rank: R }
  }
  const linear = (frozen: FrozenLinear, inputs: number) => {
    const inner = base.linear(frozen)
    const updates = frozen.parts.map(({ name, width }) => (config.targets.includes(targetOf(name)) ? updateOf(name, inputs, width) : null))
    return updates.every((update) => update === null) ? inner : withLowRank(compute, inner, inputs, frozen.parts, updates, config.alpha / R)
  }
  const stages = backbone.blocks.map((block, index) => adaptedBlockStage(adaptBlock(compute, block, index, backbone.heads, { linear, norm: base.norm })))
  const finalNorm = base.trainsWeights && backbone.finalNorm !== null ? base.norm({ ...backbone.finalNorm, name: 'layernorm' }) : null
  return {
    firstBlock: 0, input: base.input, stages, finalNorm, trainsWeights: base.trainsWeights, replacedCount: base.count(),
    ...(config.by === 'combination' ? { serving: createServing(config, combinations, ups.map((choice) => ({ choice, start: 0 }))) } : {}),
  }
}

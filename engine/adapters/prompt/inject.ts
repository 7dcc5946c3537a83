import type { Backbone } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import type { ParameterSet } from '../../compute/parameters.ts'
import { type RandomSource, normalArray } from '../../compute/random-source.ts'
import type { ModalitySpec } from '../network.ts'
import { adaptBlock } from '../sites/block-sites.ts'
import { addForCombinations, combinationsOf } from '../sites/combinations.ts'
import { createKeyValuePrompt } from '../sites/key-value-prompt.ts'
import { adaptedBlockStage, frozenBlockStage } from '../stages/block-stages.ts'
import { promptStage } from '../stages/prompt-stage.ts'
import type { Stage } from '../stages/stage.ts'
import type { NetworkAdapter } from '../adapter.ts'
import type { PromptConfig } from './config.ts'
import { createTrainedFlags } from './trained-flags.ts'

/** Spread of new prompts. The published code draws uniformly from +-1 here and there; our reference numbers start from N(0, 0.1). */
const INITIAL_DEVIATION = 0.1

/** Puts one prompt for each combination of present modalities in front of each chosen block; chosen blocks beyond the last are left out. */
export function injectPrompts(
  compute: Compute, parameters: ParameterSet, random: RandomSource, backbone: Backbone, config: PromptConfig, modalities: readonly ModalitySpec[],
): NetworkAdapter {
  const { width: D, blocks, heads } = backbone
  const P = config.length
  const chosen = [...new Set(config.blocks)].filter((block) => block < blocks.length).sort((a, b) => a - b)
  if (chosen.length === 0) throw new Error(`none of the prompted blocks exists: the backbone has ${blocks.length}`)
  const combinations = combinationsOf(modalities, 'joint')
  const firstBlock = chosen[0]!
  const stages = blocks.flatMap((block, index): Stage[] => {
    if (index < firstBlock) return []
    if (!chosen.includes(index)) return [frozenBlockStage(block, null)]
    const prompts = addForCombinations(parameters, modalities, combinations, `prompt.${index}`, [P, D], () => normalArray(random, P * D, INITIAL_DEVIATION))
    return config.level === 'input'
      ? [promptStage(compute, prompts, P, D), frozenBlockStage(block, null)]
      : [adaptedBlockStage(adaptBlock(compute, block, index, heads, { prompt: createKeyValuePrompt(compute, prompts, P, D) }))]
  })
  const flags = createTrainedFlags(combinations)
  return {
    firstBlock, stages, statistics: flags,
    noteTrained: (patterns) => flags.mark(patterns),
    serving: (presence) => (flags.has(presence) ? 'trained' : config.untrained === 'base' ? 'base' : 'refused'),
    // Prompts that nobody trained are random numbers: such samples go through the backbone without any.
    fallback: blocks.slice(firstBlock).map((block) => frozenBlockStage(block, null)),
  }
}

/** Trained numbers of the prompts: combinations x blocks x P D. */
export function promptParameterCount(combinations: number, blocks: number, length: number, width: number): number {
  return combinations * blocks * length * width
}

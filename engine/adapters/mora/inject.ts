import type { Backbone } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import type { ParameterSet } from '../../compute/parameters.ts'
import type { RandomSource } from '../../compute/random-source.ts'
import { adaptedBlockStage, frozenBlockStage } from '../stages/block-stages.ts'
import type { NetworkAdapter } from '../adapter.ts'
import { adaptBlock } from '../sites/block-sites.ts'
import type { ModalitySpec } from '../network.ts'
import type { MoraConfig } from './config.ts'
import { type MoraLayer, createMoraLayer } from './layer.ts'

/** Places one MoRA layer beside each chosen block, or beside its attention. */
export function injectMora(
  compute: Compute, parameters: ParameterSet, random: RandomSource, backbone: Backbone, config: MoraConfig, modalities: readonly ModalitySpec[],
): NetworkAdapter {
  const { width, blocks, heads } = backbone
  const chosen = [...new Set(config.blocks)].sort((a, b) => a - b)
  const beyond = chosen.find((block) => block >= blocks.length)
  if (beyond !== undefined) throw new Error(`block ${beyond} does not exist: the backbone has ${blocks.length}`)
  const layers = new Map<number, MoraLayer>(chosen.map((block) =>
    [block, createMoraLayer(compute, parameters, random, block, width, config.rank, modalities.map(({ name }) => name))]))
  const firstBlock = chosen[0]!
  const stages = blocks.slice(firstBlock).map((block, i) => {
    const layer = layers.get(firstBlock + i) ?? null
    return config.beside === 'block' || layer === null ? frozenBlockStage(block, layer)
      : adaptedBlockStage(adaptBlock(compute, block, firstBlock + i, heads, { besideAttention: layer }))
  })
  return { firstBlock, stages }
}

import type { Compute } from '../../compute/backend.ts'
import type { ParameterSet } from '../../compute/parameters.ts'
import type { RandomSource } from '../../compute/random-source.ts'
import type { BlockAdapter } from '../transformer-network.ts'
import type { ModalitySpec } from '../network.ts'
import type { MoraConfig } from './config.ts'
import { type MoraLayer, createMoraLayer } from './layer.ts'

/** Places one MoRA layer beside each chosen block of a backbone with `blockCount` blocks of the given width. */
export function injectMora(
  compute: Compute, parameters: ParameterSet, random: RandomSource, width: number, blockCount: number,
  config: MoraConfig, modalities: readonly ModalitySpec[],
): BlockAdapter {
  const chosen = [...new Set(config.blocks)].sort((a, b) => a - b)
  const beyond = chosen.find((block) => block >= blockCount)
  if (beyond !== undefined) throw new Error(`block ${beyond} does not exist: the backbone has ${blockCount}`)
  const layers = new Map<number, MoraLayer>(chosen.map((block) =>
    [block, createMoraLayer(compute, parameters, random, block, width, config.rank, modalities.map(({ name }) => name))]))
  return { firstBlock: chosen[0]!, beside: (block) => layers.get(block) ?? null }
}

/**
 * The base of methods with one set for each combination of modalities (METHODS 2): either the backbone as it was loaded, under a head that
 * the first stage trains, or, as Reza et al. 2023 (arXiv:2310.03986, section 3.1) do it, a trained copy of the whole network. What the copy
 * holds belongs to the group `base`: the first stage trains it, every later one finds it frozen.
 */
import type { Backbone } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import type { ParameterSet } from '../../compute/parameters.ts'
import type { Tensor } from '../../compute/tensorflow.ts'
import { type BaseChoice, trainsBaseNetwork } from '../../domain/method-settings.ts'
import type { NamedNorm } from './block-sites.ts'
import { type FrozenLinear, frozenLinearMap } from './linear-map.ts'
import { normMap } from './norm-map.ts'
import { copyOwnWeights, everyInput } from './own-weights.ts'
import type { TokenMap } from './token-map.ts'
import type { TrainedInput } from './trained-input.ts'

/** Names of the base's tensors begin with this: they lie in a file of their own in a checkpoint. */
export const basePrefix = 'base.'

export interface BaseSettings {
  training: 'two-stage' | 'joint'
  base: BaseChoice
  baseRate: number
}

export interface BaseNetwork {
  linear(frozen: FrozenLinear): TokenMap
  norm(frozen: NamedNorm): TokenMap
  readonly input: TrainedInput | null
  readonly trainsWeights: boolean
  count(): number
  /** The tensor of the input layer of that name as it is now; null for a backbone without such a layer. */
  readInput(name: string): Tensor | null
}

export function createBaseNetwork(compute: Compute, parameters: ParameterSet, backbone: Backbone, settings: BaseSettings): BaseNetwork {
  if (!trainsBaseNetwork(settings, backbone.id)) {
    return {
      linear: (frozen) => frozenLinearMap(compute, frozen), norm: (frozen) => normMap(compute, frozen), input: null, trainsWeights: false, count: () => 0,
      readInput: (name) => backbone.inputLayer?.frozen.get(name) ?? null,
    }
  }
  const copies = copyOwnWeights(compute, parameters, backbone, {
    linearWeights: true, linearBiases: true, normGains: true, normOffsets: true, input: everyInput, rateFactor: settings.baseRate,
  }, 'base', basePrefix)
  return { ...copies, trainsWeights: true, readInput: (name) => copies.input?.read(name) ?? backbone.inputLayer?.frozen.get(name) ?? null }
}

/** Trained copies of the backbone's own tensors, for methods that move them instead of adding to them. The loaded backbone stays as it is. */
import type { Backbone, InputRole } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import type { Parameter, ParameterSet } from '../../compute/parameters.ts'
import { type Tensor, takeFloats } from '../../compute/tensorflow.ts'
import type { NetworkAdapter } from '../adapter.ts'
import { adaptedBlockStage } from '../stages/block-stages.ts'
import { type NamedNorm, adaptBlock } from './block-sites.ts'
import { type FrozenLinear, trainedLinearMap } from './linear-map.ts'
import { normMap } from './norm-map.ts'
import type { TokenMap } from './token-map.ts'
import { type TrainedInput, trainInput } from './trained-input.ts'

/** Which tensors of every block, of the norm after the last and of the input layer get a trained copy. */
export interface OwnWeights {
  linearWeights: boolean
  linearBiases: boolean
  normGains: boolean
  /** The offsets of norms: biases too. */
  normOffsets: boolean
  /** The kinds of input tensors; none, or a backbone without a trainable input layer: cached tokens are read. */
  input: ReadonlySet<InputRole>
  /** Learning rate of the copies in units of the run's. */
  rateFactor: number
}

export const everyInput: ReadonlySet<InputRole> = new Set(['table', 'weight', 'bias', 'norm-gain', 'norm-offset'])
export const noInput: ReadonlySet<InputRole> = new Set()

/** Makers of the copies; they start from the frozen values. */
export interface OwnWeightCopies {
  linear(frozen: FrozenLinear): TokenMap
  norm(frozen: NamedNorm): TokenMap
  readonly input: TrainedInput | null
  /** Numbers copied so far. */
  count(): number
}

export function copyOwnWeights(compute: Compute, parameters: ParameterSet, backbone: Backbone, which: OwnWeights, group: Parameter['group'], prefix = ''): OwnWeightCopies {
  const { tf } = compute
  let count = 0
  const copy = (name: string, values: Tensor): Parameter => {
    const parameter = parameters.add(`${prefix}${name}`, takeFloats(values.clone()), [...values.shape], group)
    parameter.rateFactor = which.rateFactor
    count += values.size
    return parameter
  }
  /** The slices of a joint tensor at the model's own scale, as one copy for each part. */
  const copyParts = (kind: 'weight' | 'bias', frozen: FrozenLinear): Parameter[] => {
    const pieces = tf.tidy(() => tf.split(frozen[kind] as Tensor, frozen.parts.map(({ width }) => width), -1).map((piece, i) => piece.div(frozen.parts[i]!.scale)))
    const copies = pieces.map((piece, i) => copy(`${frozen.parts[i]!.name}.${kind}`, piece))
    pieces.forEach((piece) => piece.dispose())
    return copies
  }
  return {
    count: () => count,
    input: backbone.inputLayer === undefined ? null : trainInput(backbone.inputLayer, which.input, copy),
    linear: (frozen) => trainedLinearMap(compute, frozen, {
      weights: which.linearWeights ? copyParts('weight', frozen) : null,
      biases: which.linearBiases ? copyParts('bias', frozen) : null,
    }),
    norm: (frozen) => normMap(compute, frozen,
      which.normGains ? copy(`${frozen.name}.weight`, frozen.gamma) : null, which.normOffsets ? copy(`${frozen.name}.bias`, frozen.beta) : null),
  }
}

/** Puts the copies in place of the frozen tensors. */
export function injectOwnWeights(compute: Compute, parameters: ParameterSet, backbone: Backbone, which: OwnWeights): NetworkAdapter {
  const copies = copyOwnWeights(compute, parameters, backbone, which, 'adapter')
  const { linear, norm, input } = copies
  const changes = { ...(which.linearWeights || which.linearBiases ? { linear } : {}), norm }
  const stages = backbone.blocks.map((block, index) => adaptedBlockStage(adaptBlock(compute, block, index, backbone.heads, changes)))
  const finalNorm = backbone.finalNorm === null ? null : norm({ ...backbone.finalNorm, name: 'layernorm' })
  return { firstBlock: 0, input, stages, finalNorm, trainsWeights: which.linearWeights, replacedCount: copies.count() }
}

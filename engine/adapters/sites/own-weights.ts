/** Trained copies of the backbone's own tensors, for methods that move them instead of adding to them. The loaded backbone stays as it is. */
import type { Backbone } from '../../backbones/backbone.ts'
import type { Compute } from '../../compute/backend.ts'
import type { Parameter, ParameterSet } from '../../compute/parameters.ts'
import { type Tensor, takeFloats } from '../../compute/tensorflow.ts'
import { adaptedBlockStage } from '../stages/block-stages.ts'
import type { NetworkAdapter } from '../transformer-network.ts'
import { type NamedNorm, adaptBlock } from './block-sites.ts'
import { type FrozenLinear, trainedLinearMap } from './linear-map.ts'
import { normMap } from './norm-map.ts'
import type { TokenMap } from './token-map.ts'

/** Which tensors of every block, and of the norm after the last, get a trained copy. */
export interface OwnWeights {
  linearWeights: boolean
  linearBiases: boolean
  normGains: boolean
  /** The offsets of norms: biases too. */
  normOffsets: boolean
  /** Learning rate of the copies in units of the run's. */
  rateFactor: number
}

/** Puts the copies in place of the frozen tensors; they start from their values. Embeddings and image encoder stay frozen: their output is cached. */
export function injectOwnWeights(compute: Compute, parameters: ParameterSet, backbone: Backbone, which: OwnWeights): NetworkAdapter {
  const { tf } = compute
  const copy = (name: string, values: Tensor): Parameter => {
    const parameter = parameters.add(name, takeFloats(values.clone()), [...values.shape], 'adapter')
    parameter.rateFactor = which.rateFactor
    return parameter
  }
  /** The slices of a joint tensor at the model's own scale, as one copy for each part. */
  const copyParts = (kind: 'weight' | 'bias', frozen: FrozenLinear): Parameter[] => {
    const pieces = tf.tidy(() => tf.split(frozen[kind] as Tensor, frozen.parts.map(({ width }) => width), -1).map((piece, i) => piece.div(frozen.parts[i]!.scale)))
    const copies = pieces.map((piece, i) => copy(`${frozen.parts[i]!.name}.${kind}`, piece))
    pieces.forEach((piece) => piece.dispose())
    return copies
  }
  const linear = (frozen: FrozenLinear): TokenMap => trainedLinearMap(compute, frozen, {
    weights: which.linearWeights ? copyParts('weight', frozen) : null,
    biases: which.linearBiases ? copyParts('bias', frozen) : null,
  })
  const norm = (frozen: NamedNorm): TokenMap => normMap(compute, frozen,
    which.normGains ? copy(`${frozen.name}.weight`, frozen.gamma) : null, which.normOffsets ? copy(`${frozen.name}.bias`, frozen.beta) : null)
  const changes = { ...(which.linearWeights || which.linearBiases ? { linear } : {}), norm }
  const stages = backbone.blocks.map((block, index) => adaptedBlockStage(adaptBlock(compute, block, index, backbone.heads, changes)))
  return { firstBlock: 0, stages, trainsWeights: which.linearWeights, finalNorm: backbone.finalNorm === null ? null : norm({ ...backbone.finalNorm, name: 'layernorm' }) }
}

import type { TransformerBlock } from '../../backbones/transformer-block.ts'
import type { Compute } from '../../compute/backend.ts'
import type { MoraLayer } from '../mora/layer.ts'
import { type AdaptedBlock, createAdaptedBlock } from './adapted-block.ts'
import type { KeyValuePrompt } from './key-value-prompt.ts'
import { type FrozenLinear, frozenLinearMap } from './linear-map.ts'
import { type FrozenNorm, normMap } from './norm-map.ts'
import type { TokenMap } from './token-map.ts'

/** Names below `encoder.layer.<i>`, as Hugging Face writes them for BERT (post-LN) and ViT or ViLT (pre-LN): checkpoints use them. */
const feedForwardNames = { output: 'attention.output.dense', expand: 'intermediate.dense', contract: 'output.dense' }
const postNormNames = { ...feedForwardNames, attention: 'attention.self', norm1: 'attention.output.LayerNorm', norm2: 'output.LayerNorm' }
const preNormNames = { ...feedForwardNames, attention: 'attention.attention', norm1: 'layernorm_before', norm2: 'layernorm_after' }

/** A frozen layer norm with its name, [D]. */
export interface NamedNorm extends FrozenNorm {
  readonly name: string
}

/** What a method makes of the places of a block; absent: they stay frozen. */
export interface SiteChanges {
  /** `inputs` is the width of x. The joint query-key-value map has three parts, the others one. */
  linear?(frozen: FrozenLinear, inputs: number): TokenMap
  norm?(frozen: NamedNorm): TokenMap
  besideAttention?: MoraLayer
  prompt?: KeyValuePrompt
}

/** Block `index` of a backbone with a method's changes at its sites. */
export function adaptBlock(compute: Compute, block: TransformerBlock, index: number, heads: number, changes: SiteChanges): AdaptedBlock {
  const { weights: w, preNorm, epsilon } = block
  const names = preNorm ? preNormNames : postNormNames
  const full = (name: string): string => `encoder.layer.${index}.${name}`
  const D = w.outputWeight.shape[0]
  const queryScale = 1 / Math.sqrt(D / heads)
  const linear = (name: string, weight: FrozenLinear['weight'], bias: FrozenLinear['bias']): TokenMap =>
    changeLinear({ weight, bias, parts: [{ name: full(name), width: weight.shape[1], scale: 1 }] })
  const changeLinear = (frozen: FrozenLinear): TokenMap => changes.linear?.(frozen, frozen.weight.shape[0]) ?? frozenLinearMap(compute, frozen)
  const norm = (name: string, gamma: FrozenNorm['gamma'], beta: FrozenNorm['beta']): TokenMap => {
    const frozen = { name: full(name), gamma, beta, epsilon }
    return changes.norm?.(frozen) ?? normMap(compute, frozen)
  }
  return createAdaptedBlock(compute, {
    preNorm,
    epsilon,
    activation: block.activation,
    besideAttention: changes.besideAttention ?? null,
    prompt: changes.prompt ?? null,
    maps: {
      norm1: norm(names.norm1, w.norm1Gamma, w.norm1Beta),
      qkv: changeLinear({
        weight: w.qkvWeight, bias: w.qkvBias,
        parts: (['query', 'key', 'value'] as const).map((part) => ({ name: full(`${names.attention}.${part}`), width: D, scale: part === 'query' ? queryScale : 1 })),
      }),
      output: linear(names.output, w.outputWeight, w.outputBias),
      norm2: norm(names.norm2, w.norm2Gamma, w.norm2Beta),
      expand: linear(names.expand, w.expandWeight, w.expandBias),
      contract: linear(names.contract, w.contractWeight, w.contractBias),
    },
  })
}

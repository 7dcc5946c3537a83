import type { Compute } from '../compute/backend.ts'
import type { Tensor1D, Tensor2D } from '../compute/tensorflow.ts'
import { type ActivationName, createActivation } from './encoders/activations.ts'
import { type BlockWeights, type TransformerBlock, createTransformerBlock } from './transformer-block.ts'
import type { WeightSource } from './weight-source.ts'

export interface TransformerSize {
  width: number
  heads: number
  feedForward: number
  blocks: number
  epsilon: number
  /** The exact GELU when left out. */
  activation?: ActivationName
  /** False when query, key and value maps have no bias (some ViT); true when left out. */
  hasQkvBias?: boolean
}

/** Tensor names of one block below its prefix, as Hugging Face writes them. */
interface BlockNames {
  query: string
  key: string
  value: string
  attentionOutput: string
  norm1: string
  expand: string
  contract: string
  norm2: string
}

const bertNames: BlockNames = {
  query: 'attention.self.query', key: 'attention.self.key', value: 'attention.self.value',
  attentionOutput: 'attention.output.dense', norm1: 'attention.output.LayerNorm',
  expand: 'intermediate.dense', contract: 'output.dense', norm2: 'output.LayerNorm',
}

const vitNames: BlockNames = {
  ...bertNames,
  query: 'attention.attention.query', key: 'attention.attention.key', value: 'attention.attention.value',
  norm1: 'layernorm_before', norm2: 'layernorm_after',
}

const clipNames: BlockNames = {
  query: 'self_attn.q_proj', key: 'self_attn.k_proj', value: 'self_attn.v_proj',
  attentionOutput: 'self_attn.out_proj', norm1: 'layer_norm1',
  expand: 'mlp.fc1', contract: 'mlp.fc2', norm2: 'layer_norm2',
}

/** ViT and DeiT as version 5 of the library calls their parts in memory; its files keep the older names, a state dict saved by hand does not. */
const recentVitNames: BlockNames = {
  query: 'attention.q_proj', key: 'attention.k_proj', value: 'attention.v_proj', attentionOutput: 'attention.o_proj',
  norm1: 'layernorm_before', expand: 'mlp.fc1', contract: 'mlp.fc2', norm2: 'layernorm_after',
}

/**
 * Loads the blocks `encoder.layer.0..N-1` of a BERT (post-LN) or ViT/ViLT (pre-LN) model, or `encoder.layers.0..N-1` of a CLIP tower (pre-LN);
 * those of a ViT may also stand under the recent names, `layers.0..N-1`.
 */
export function loadTransformerBlocks(compute: Compute, source: WeightSource, size: TransformerSize, preNorm: boolean, naming?: 'clip'): TransformerBlock[] {
  const [list, names] = naming === 'clip' ? ['encoder.layers', clipNames] as const : blockNamesIn(source, preNorm)
  const activation = createActivation(compute, size.activation ?? 'gelu')
  return Array.from({ length: size.blocks }, (_, index) =>
    createTransformerBlock(compute.kernels, loadBlock(compute, source, `${list}.${index}`, names, size), preNorm, size.epsilon, activation))
}

function blockNamesIn(source: WeightSource, preNorm: boolean): readonly [list: string, names: BlockNames] {
  if (!preNorm) return ['encoder.layer', bertNames]
  const isRecent = !source.has(`encoder.layer.0.${vitNames.query}.weight`) && source.has(`layers.0.${recentVitNames.query}.weight`)
  return isRecent ? ['layers', recentVitNames] : ['encoder.layer', vitNames]
}

/** Parameters of one block: four D x D maps, two D x F maps, their biases and two norms. */
export function blockParameterCount(size: TransformerSize): number {
  const { width: D, feedForward: F } = size
  return 4 * (D * D + D) + (D * F + F) + (F * D + D) + 4 * D - (size.hasQkvBias === false ? 3 * D : 0)
}

function loadBlock(compute: Compute, source: WeightSource, prefix: string, names: BlockNames, size: TransformerSize): BlockWeights {
  const { tf } = compute
  const { width: D, feedForward: F } = size
  const vector = (name: string, length: number): Tensor1D => tf.tensor1d(source.read(`${prefix}.${name}`, [length]))
  const qkvVector = (name: string): Tensor1D => (size.hasQkvBias === false ? tf.zeros([D]) : vector(`${name}.bias`, D))
  /** PyTorch keeps [out, in]; the blocks multiply from the right with [in, out]. */
  const matrix = (name: string, inputs: number, outputs: number): Tensor2D =>
    tf.tidy(() => tf.tensor2d(source.read(`${prefix}.${name}.weight`, [outputs, inputs]), [outputs, inputs]).transpose())
  // Dividing the query weights once replaces scaling B*H*T*T scores in every pass.
  const queryScale = 1 / Math.sqrt(D / size.heads)
  return {
    qkvWeight: tf.tidy(() => tf.concat2d([
      matrix(names.query, D, D).mul<Tensor2D>(queryScale), matrix(names.key, D, D), matrix(names.value, D, D),
    ], 1)), // [D, 3D]
    qkvBias: tf.tidy(() => tf.concat1d([
      qkvVector(names.query).mul<Tensor1D>(queryScale), qkvVector(names.key), qkvVector(names.value),
    ])),
    outputWeight: matrix(names.attentionOutput, D, D),
    outputBias: vector(`${names.attentionOutput}.bias`, D),
    norm1Gamma: vector(`${names.norm1}.weight`, D),
    norm1Beta: vector(`${names.norm1}.bias`, D),
    expandWeight: matrix(names.expand, D, F),
    expandBias: vector(`${names.expand}.bias`, F),
    contractWeight: matrix(names.contract, F, D),
    contractBias: vector(`${names.contract}.bias`, D),
    norm2Gamma: vector(`${names.norm2}.weight`, D),
    norm2Beta: vector(`${names.norm2}.bias`, D),
  }
}

/**
 * A frozen block composed of kernels that every backend has. The forward pass keeps only what is dear to compute again (query/key/value, the
 * two sums that enter the norms, the values before GELU); norms and attention probabilities are computed again on the way back.
 */
import { type Kernels, release } from '../compute/kernels.ts'
import type { Tensor2D, Tensor3D, Tensor4D } from '../compute/tensorflow.ts'
import { type Activation, type BlockPass, type BlockShape, type BlockWeights, type SavedTensors, disposeSaved } from './transformer-block.ts'

export function createComposedPass(kernels: Kernels, w: BlockWeights, preNorm: boolean, epsilon: number, activation?: Activation): BlockPass<SavedTensors> {
  const { forward: activate, gradient: activationGradient } = activation ?? { forward: kernels.gelu, gradient: kernels.geluGradient }

  /** Scaled products of queries and keys [B, H, T, T], with the score bias when there is one. */
  const scoresOf = (q: Tensor4D, k: Tensor4D, shape: BlockShape): Tensor4D => {
    const scores = kernels.batchMatMul(q, k, false, true)
    return shape.scoreBias === undefined ? scores : release(scores.add<Tensor4D>(shape.scoreBias), scores)
  }

  const attend = (input: Tensor2D, shape: BlockShape): { q: Tensor4D; k: Tensor4D; v: Tensor4D; context: Tensor2D } => {
    const product = kernels.matMul(input, w.qkvWeight) // [M, 3D]
    const [q, k, v] = release(kernels.splitQueryKeyValue(product, w.qkvBias, shape.batch, shape.heads), product) // [B, H, T, d]
    const scores = scoresOf(q, k, shape) // [B, H, T, T]
    const probabilities = release(kernels.softmax(scores, shape.keyBias), scores)
    const perHead = release(kernels.batchMatMul(probabilities, v), probabilities) // [B, H, T, d]
    return { q, k, v, context: release(kernels.joinHeads(perHead), perHead) }
  }

  /** residual + context Wo + bo; frees context. */
  const project = (context: Tensor2D, residual: Tensor2D): Tensor2D => {
    const product = release(kernels.matMul(context, w.outputWeight), context)
    return release(kernels.addBiasResidual(product, w.outputBias, residual), product)
  }

  /** The hidden layer before its bias, which the GELU kernels add on the fly. */
  const expand = (input: Tensor2D): Tensor2D => kernels.matMul(input, w.expandWeight) // [M, F]

  /** residual + gelu(hidden + b1) W2 + b2; keeps hidden. */
  const contract = (hidden: Tensor2D, residual: Tensor2D): Tensor2D => {
    const activated = activate(hidden, w.expandBias)
    const product = release(kernels.matMul(activated, w.contractWeight), activated)
    return release(kernels.addBiasResidual(product, w.contractBias, residual), product)
  }

  /** Gradient of the feed-forward part with respect to its input, without the residual. */
  const feedForwardBackward = (dy: Tensor2D, hidden: Tensor2D): Tensor2D => {
    const dActivated = kernels.matMul(dy, w.contractWeight, false, true) // [M, F]
    const dHidden = release(activationGradient(dActivated, hidden, w.expandBias), dActivated, hidden)
    return release(kernels.matMul(dHidden, w.expandWeight, false, true), dHidden)
  }

  /** Gradient of attention (with its output projection) with respect to its input, without the residual; frees q, k, v. */
  const attentionBackward = (dy: Tensor2D, saved: SavedTensors, shape: BlockShape): Tensor2D => {
    const { q, k, v } = saved
    const dContext = kernels.matMul(dy, w.outputWeight, false, true)
    const dPerHead = release(kernels.splitHeads(dContext, shape.batch, shape.heads), dContext)
    const scores = scoresOf(q, k, shape)
    const probabilities = release(kernels.softmax(scores, shape.keyBias), scores)
    const dv = kernels.batchMatMul(probabilities, dPerHead, true, false)
    const dProbabilities = release(kernels.batchMatMul(dPerHead, v, false, true), dPerHead, v)
    const dScores = release(kernels.softmaxGradient(dProbabilities, probabilities), dProbabilities, probabilities)
    const dq = release(kernels.batchMatMul(dScores, k), k)
    const dk = release(kernels.batchMatMul(dScores, q, true, false), dScores, q)
    const dQkv = release(kernels.joinQueryKeyValue(dq, dk, dv), dq, dk, dv)
    return release(kernels.matMul(dQkv, w.qkvWeight, false, true), dQkv)
  }

  const forwardPre: BlockPass<SavedTensors>['forward'] = (x, shape, keep) => {
    const normed = kernels.layerNorm(x, w.norm1Gamma, w.norm1Beta, epsilon)
    const { q, k, v, context } = release(attend(normed, shape), normed)
    const u = project(context, x)
    const normedU = kernels.layerNorm(u, w.norm2Gamma, w.norm2Beta, epsilon)
    const hidden = release(expand(normedU), normedU)
    const y = contract(hidden, u)
    const saved: SavedTensors = { q, k, v, norm1Input: x.clone(), norm2Input: u, hidden }
    if (keep) return { y, saved }
    disposeSaved(saved)
    return { y, saved: null }
  }

  const backwardPre: BlockPass<SavedTensors>['backward'] = (dy, saved, shape) => {
    const dNormedU = feedForwardBackward(dy, saved.hidden)
    const du = release(kernels.layerNormGradient(dNormedU, saved.norm2Input, w.norm2Gamma, epsilon, dy), dNormedU, saved.norm2Input)
    const dNormed = attentionBackward(du, saved, shape)
    return release(kernels.layerNormGradient(dNormed, saved.norm1Input, w.norm1Gamma, epsilon, du), dNormed, saved.norm1Input, du)
  }

  const forwardPost: BlockPass<SavedTensors>['forward'] = (x, shape, keep) => {
    const { q, k, v, context } = attend(x, shape)
    const norm1Input = project(context, x)
    const u = kernels.layerNorm(norm1Input, w.norm1Gamma, w.norm1Beta, epsilon)
    const hidden = expand(u)
    const norm2Input = release(contract(hidden, u), u)
    const y = kernels.layerNorm(norm2Input, w.norm2Gamma, w.norm2Beta, epsilon)
    const saved: SavedTensors = { q, k, v, norm1Input, norm2Input, hidden }
    if (keep) return { y, saved }
    disposeSaved(saved)
    return { y, saved: null }
  }

  const backwardPost: BlockPass<SavedTensors>['backward'] = (dy, saved, shape) => {
    const dSum = release(kernels.layerNormGradient(dy, saved.norm2Input, w.norm2Gamma, epsilon), saved.norm2Input)
    const duFeed = feedForwardBackward(dSum, saved.hidden)
    const du = release(duFeed.add<Tensor2D>(dSum), duFeed, dSum)
    const dSum1 = release(kernels.layerNormGradient(du, saved.norm1Input, w.norm1Gamma, epsilon), du, saved.norm1Input)
    const dAttention = attentionBackward(dSum1, saved, shape)
    return release(dAttention.add<Tensor2D>(dSum1), dAttention, dSum1)
  }

  const [forward, backward] = preNorm ? [forwardPre, backwardPre] : [forwardPost, backwardPost]
  return {
    forward: (x, shape, keep) => {
      const pass = forward(x, shape, keep)
      return shape.firstOnly === true ? { ...pass, y: release(firstRows(pass.y, shape.batch), pass.y) } : pass
    },
    backward: (dy, saved, shape) => {
      if (shape.firstOnly !== true) return backward(dy, saved, shape)
      const all = spreadFirstRows(dy, saved.norm2Input.shape[0])
      return release(backward(all, saved, shape), all)
    },
  }
}

/** [B*T, D] -> row 0 of each sample [B, D]. */
function firstRows(x: Tensor2D, batch: number): Tensor2D {
  const [rows, D] = x.shape
  const samples = x.reshape<Tensor3D>([batch, rows / batch, D])
  const first = release(samples.slice([0, 0, 0], [batch, 1, D]), samples)
  return release(first.reshape<Tensor2D>([batch, D]), first)
}

/** [B, D] -> [rows, D], zero in all but row 0 of each sample. */
function spreadFirstRows(x: Tensor2D, rows: number): Tensor2D {
  const [batch, D] = x.shape
  const samples = x.reshape<Tensor3D>([batch, 1, D])
  const padded = release(samples.pad<Tensor3D>([[0, 0], [0, rows / batch - 1], [0, 0]]), samples)
  return release(padded.reshape<Tensor2D>([rows, D]), padded)
}

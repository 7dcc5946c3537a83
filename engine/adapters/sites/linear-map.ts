import type { Compute } from '../../compute/backend.ts'
import { release } from '../../compute/kernels.ts'
import type { Gradients, Parameter } from '../../compute/parameters.ts'
import type { Tensor, Tensor1D, Tensor2D } from '../../compute/tensorflow.ts'
import type { FusedMap, TokenMap } from './token-map.ts'

/**
 * One named slice of a linear map's outputs. Query, key and value are three parts of one product; the frozen query slice is divided by
 * sqrt(head width), which `scale` says, so that trained tensors can keep the size that the model's own layer has.
 */
export interface LinearPart {
  readonly name: string
  readonly width: number
  readonly scale: number
}

export interface FrozenLinear {
  /** [D, E] */
  readonly weight: Tensor2D
  /** [E] */
  readonly bias: Tensor1D
  /** In the order of the columns. */
  readonly parts: readonly LinearPart[]
}

/** y = x W + b over frozen tensors; keeps nothing. */
export function frozenLinearMap(compute: Compute, { weight, bias }: FrozenLinear): TokenMap {
  const { kernels } = compute
  return {
    readsInput: false,
    isCheap: false,
    isTrained: () => false,
    fused: fusedLinear(compute, () => weight.clone(), () => bias.clone(), null),
    fold: () => ({ weight: weight.clone(), bias: bias.clone() }),
    forward: (x) => {
      const product = kernels.matMul(x, weight)
      return {
        y: release(kernels.addBias(product, bias), product),
        backward: (dy, _x, _gradients, needsInput) => (needsInput ? kernels.matMul(dy, weight, false, true) : null),
        discard: () => {},
      }
    },
  }
}

/** What of a linear map is trained, one tensor for each part; null: the frozen one stays. Weights are [D, part width]. */
export interface TrainedLinear {
  weights: readonly Parameter[] | null
  biases: readonly Parameter[] | null
}

/** y = x W + b with trained weight, bias or both (full fine-tuning; BitFit, Ben Zaken et al. 2022, arXiv:2106.10199). */
export function trainedLinearMap(compute: Compute, frozen: FrozenLinear, trained: TrainedLinear): TokenMap {
  const { tf, kernels } = compute
  const { parts } = frozen
  /** The parts side by side, each at the frozen map's scale. */
  const join = (parameters: readonly Parameter[], axis: number): Tensor => {
    if (parameters.length === 1 && parts[0]!.scale === 1) return parameters[0]!.value.clone()
    return tf.tidy(() => tf.concat(parameters.map(({ value }, i) => (parts[i]!.scale === 1 ? value : value.mul(parts[i]!.scale))), axis))
  }
  /** Splits a joined gradient into those of the parts; frees it. */
  const split = (parameters: readonly Parameter[], joined: Tensor, axis: number, gradients: Gradients): void => {
    const pieces = parameters.length === 1 ? [joined.clone()] : tf.split(joined, parts.map(({ width }) => width), axis)
    joined.dispose()
    parameters.forEach(({ name, isTrained }, i) => {
      const { scale } = parts[i]!
      if (isTrained) gradients.set(name, scale === 1 ? pieces[i]! : release(pieces[i]!.mul(scale), pieces[i]!))
      else pieces[i]!.dispose()
    })
  }
  const trains = (parameters: readonly Parameter[] | null): parameters is readonly Parameter[] =>
    parameters !== null && parameters.some(({ isTrained }) => isTrained)

  const weightNow = (): Tensor2D => (trained.weights === null ? frozen.weight.clone() : join(trained.weights, 1)) as Tensor2D
  const biasNow = (): Tensor1D => (trained.biases === null ? frozen.bias.clone() : join(trained.biases, 0)) as Tensor1D

  const whole = fusedLinear(compute, weightNow, biasNow, {
    isTrained: () => trains(trained.biases),
    write: (bias, gradients) => split(trained.biases!, bias, 0, gradients),
  })

  return {
    fold: () => ({ weight: weightNow(), bias: biasNow() }),
    get readsInput() { return trains(trained.weights) },
    isCheap: false,
    isTrained: () => trains(trained.weights) || trains(trained.biases),
    // The kernel for whole blocks forms no gradients of matrices.
    get fused() { return trains(trained.weights) ? null : whole },
    forward: (x) => {
      const weight = weightNow()
      const bias = biasNow()
      const product = kernels.matMul(x, weight)
      const y = release(kernels.addBias(product, bias), product, bias)
      return {
        y,
        discard: () => weight.dispose(),
        backward: (dy, input, gradients, needsInput) => {
          if (trains(trained.weights)) split(trained.weights, kernels.matMul(input!, dy, true, false), 1, gradients)
          if (trains(trained.biases)) split(trained.biases, dy.sum(0), 0, gradients)
          return release(needsInput ? kernels.matMul(dy, weight, false, true) : null, weight)
        },
      }
    },
  }
}

/** A linear map for the kernel for whole blocks; `trainedBias` takes dL/dbias [E] and frees it. */
function fusedLinear(
  compute: Compute, weight: () => Tensor2D, bias: () => Tensor1D, trainedBias: { isTrained(): boolean; write(dBias: Tensor1D, gradients: Gradients): void } | null,
): FusedMap {
  const { tf } = compute
  return {
    byPattern: false,
    hasUpdate: false,
    trains: () => ({ vectors: trainedBias?.isTrained() ?? false, update: false }),
    weight,
    vectors: (patterns) => ({ offset: tf.tidy(() => bias().reshape<Tensor2D>([1, -1]).tile<Tensor2D>([patterns.length, 1])), factor: null }),
    update: () => null,
    write: ({ vectors }, _patterns, gradients) => {
      if (trainedBias?.isTrained() === true) trainedBias.write(vectors!.offset.sum<Tensor1D>(0), gradients)
    },
  }
}

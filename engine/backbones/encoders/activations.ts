/** The activations that BERT, ViT and CLIP configurations may name in `hidden_act`, with gradients for their input. */
import type { Compute } from '../../compute/backend.ts'
import type { Tensor, Tensor2D } from '../../compute/tensorflow.ts'
import type { Activation } from '../transformer-block.ts'

/**
 * `gelu` is the exact form with the error function (`gelu_python` too); `quick_gelu` is v * sigmoid(1.702 v) (Hendrycks and Gimpel 2016,
 * arXiv:1606.08415, section 2) and `silu` or `swish` the same with a slope of 1. `gelu_new`, `gelu_fast`, `gelu_accurate`, `gelu_python_tanh` and
 * `gelu_pytorch_tanh` are one tanh approximation under five names. The others are the reference library's `ACT2FN` but for `prelu` and `xielu`, which
 * bring trained numbers of their own and are refused. Constants as there: `leaky_relu` has a slope of 0.01, `gelu_10` is cut at -10 and 10.
 */
export const activationNames = [
  'gelu', 'gelu_python', 'quick_gelu', 'silu', 'swish', 'gelu_new', 'gelu_fast', 'gelu_accurate', 'gelu_python_tanh', 'gelu_pytorch_tanh', 'relu', 'tanh',
  'gelu_10', 'hardswish', 'laplace', 'leaky_relu', 'linear', 'mish', 'relu2', 'relu6', 'sigmoid', 'sqrtsoftplus',
] as const
export type ActivationName = (typeof activationNames)[number]

const QUICK_SLOPE = 1.702
const TANH_SCALE = Math.sqrt(2 / Math.PI)
const TANH_CUBIC = 0.044715
const LEAK = 0.01
// Ma et al. 2022 (arXiv:2209.10655), appendix B: mean and spread that come closest to the squared ReLU.
const LAPLACE_CENTRE = 0.707107
const LAPLACE_SPREAD = 0.282095 * Math.SQRT2
/** Below it a slope would be 0 / 0. */
const SMALLEST_ROOT = 1e-18

/** The activation over the backend's operations; undefined for the exact GELU, which the kernels have in fused form. */
export function createActivation(compute: Compute, name: ActivationName): Activation | undefined {
  const { tf, kernels } = compute
  const above = (v: Tensor2D, limit: number): Tensor => v.greater(limit).cast('float32')
  /** log(1 + e^v) without overflow. */
  const softplus = (v: Tensor2D): Tensor => tf.relu(v).add(tf.log1p(tf.exp(v.abs().neg())))
  const laplaceArgument = (v: Tensor2D): Tensor => v.sub(LAPLACE_CENTRE).div(LAPLACE_SPREAD)
  switch (name) {
    case 'gelu':
    case 'gelu_python': return undefined
    case 'tanh': return elementwise(compute, (v) => tf.tanh(v), (v) => tf.sub(1, tf.tanh(v).square()))
    case 'relu': return elementwise(compute, (v) => tf.relu(v), (v) => above(v, 0))
    case 'relu2': return elementwise(compute, (v) => tf.relu(v).square(), (v) => tf.relu(v).mul(2))
    case 'relu6': return elementwise(compute, (v) => tf.clipByValue(v, 0, 6), (v) => above(v, 0).mul(v.less(6).cast('float32')))
    case 'leaky_relu': return elementwise(compute, (v) => tf.maximum(v, v.mul(LEAK)), (v) => above(v, 0).mul(1 - LEAK).add(LEAK))
    case 'linear': return elementwise(compute, (v) => v.clone(), (v) => tf.onesLike(v))
    case 'sigmoid': return elementwise(compute, (v) => tf.sigmoid(v), (v) => { const s = tf.sigmoid(v); return s.mul(tf.sub(1, s)) })
    case 'hardswish': return elementwise(compute, (v) => v.mul(tf.clipByValue(v.add(3), 0, 6)).div(6), (v) =>
      above(v, 3).add(above(v, -3).mul(tf.sub(1, above(v, 3))).mul(v.mul(2).add(3)).div(6)))
    case 'mish': return elementwise(compute, (v) => v.mul(tf.tanh(softplus(v))), (v) => {
      const t = tf.tanh(softplus(v))
      return t.add(v.mul(tf.sigmoid(v)).mul(tf.sub(1, t.square())))
    })
    case 'sqrtsoftplus': return elementwise(compute, (v) => softplus(v).sqrt(), (v) => tf.sigmoid(v).div(softplus(v).sqrt().maximum(SMALLEST_ROOT).mul(2)))
    case 'laplace': return elementwise(compute, (v) => tf.erf(laplaceArgument(v)).add(1).mul(0.5), (v) => tf.exp(laplaceArgument(v).square().neg()).div(LAPLACE_SPREAD * Math.sqrt(Math.PI)))
    case 'gelu_10': return elementwise(compute, (v) => tf.clipByValue(kernels.gelu(v), -10, 10), (v) => kernels.geluGradient(v.less(10).cast<Tensor2D>('float32'), v))
    case 'quick_gelu': return sigmoidGated(compute, QUICK_SLOPE)
    case 'silu':
    case 'swish': return sigmoidGated(compute, 1)
    case 'gelu_new':
    case 'gelu_fast':
    case 'gelu_accurate':
    case 'gelu_python_tanh':
    case 'gelu_pytorch_tanh': {
      const inner = (v: Tensor2D): Tensor => tf.tanh(v.add(v.mul(v).mul(v).mul(TANH_CUBIC)).mul(TANH_SCALE))
      return elementwise(compute, (v) => v.mul(0.5).mul(inner(v).add(1)), (v) => {
        const t = inner(v)
        const slope = v.square().mul(3 * TANH_CUBIC).add(1).mul(TANH_SCALE)
        return t.add(1).mul(0.5).add(v.mul(0.5).mul(tf.sub(1, t.square())).mul(slope))
      })
    }
  }
}

/** From the function and its slope, both of v = x + bias. */
function elementwise({ tf }: Compute, value: (v: Tensor2D) => Tensor, slope: (v: Tensor2D) => Tensor): Activation {
  return {
    forward: (x, bias) => tf.tidy(() => value(x.add<Tensor2D>(bias)) as Tensor2D),
    gradient: (dy, x, bias) => tf.tidy(() => dy.mul<Tensor2D>(slope(x.add<Tensor2D>(bias)))),
  }
}

/** v * sigmoid(slope v). */
function sigmoidGated(compute: Compute, slope: number): Activation {
  const { tf } = compute
  return elementwise(compute, (v) => v.mul(tf.sigmoid(v.mul(slope))), (v) => {
    const s = tf.sigmoid(v.mul(slope))
    // d/dv v s(av) = s + a v s (1 - s)
    return s.add(v.mul(slope).mul(s).mul(tf.sub(1, s)))
  })
}

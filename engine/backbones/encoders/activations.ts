/** The activations that published BERT, ViT and CLIP configurations name in `hidden_act`, with gradients for their input. */
import type { Compute } from '../../compute/backend.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import type { Activation } from '../transformer-block.ts'

/**
 * `gelu` is the exact form with the error function (`gelu_python` too); `quick_gelu` is v * sigmoid(1.702 v) (Hendrycks and Gimpel 2016,
 * arXiv:1606.08415, section 2) and `silu` or `swish` the same with a slope of 1. `gelu_new`, `gelu_fast`, `gelu_accurate`, `gelu_python_tanh` and
 * `gelu_pytorch_tanh` are one tanh approximation under five names.
 */
export const activationNames = [
  'gelu', 'gelu_python', 'quick_gelu', 'silu', 'swish', 'gelu_new', 'gelu_fast', 'gelu_accurate', 'gelu_python_tanh', 'gelu_pytorch_tanh', 'relu', 'tanh',
] as const
export type ActivationName = (typeof activationNames)[number]

const QUICK_SLOPE = 1.702
const TANH_SCALE = Math.sqrt(2 / Math.PI)
const TANH_CUBIC = 0.044715

/** The activation over the backend's operations; undefined for the exact GELU, which the kernels have in fused form. */
export function createActivation(compute: Compute, name: ActivationName): Activation | undefined {
  const { tf } = compute
  switch (name) {
    case 'gelu':
    case 'gelu_python': return undefined
    case 'tanh': return {
      forward: (x, bias) => tf.tidy(() => tf.tanh(x.add<Tensor2D>(bias))),
      gradient: (dy, x, bias) => tf.tidy(() => dy.mul<Tensor2D>(tf.sub(1, tf.tanh(x.add<Tensor2D>(bias)).square()))),
    }
    case 'relu': return {
      forward: (x, bias) => tf.tidy(() => tf.relu(x.add<Tensor2D>(bias))),
      gradient: (dy, x, bias) => tf.tidy(() => dy.mul<Tensor2D>(x.add(bias).greater(0).cast('float32'))),
    }
    case 'quick_gelu': return sigmoidGated(compute, QUICK_SLOPE)
    case 'silu':
    case 'swish': return sigmoidGated(compute, 1)
    case 'gelu_new':
    case 'gelu_fast':
    case 'gelu_accurate':
    case 'gelu_python_tanh':
    case 'gelu_pytorch_tanh': return {
      forward: (x, bias) => tf.tidy(() => {
        const v = x.add<Tensor2D>(bias)
        const inner = tf.tanh(v.add(v.mul(v).mul(v).mul(TANH_CUBIC)).mul(TANH_SCALE))
        return v.mul(0.5).mul<Tensor2D>(inner.add(1))
      }),
      gradient: (dy, x, bias) => tf.tidy(() => {
        const v = x.add<Tensor2D>(bias)
        const t = tf.tanh(v.add(v.mul(v).mul(v).mul(TANH_CUBIC)).mul(TANH_SCALE))
        const slope = v.square().mul(3 * TANH_CUBIC).add(1).mul(TANH_SCALE)
        return dy.mul<Tensor2D>(t.add(1).mul(0.5).add(v.mul(0.5).mul(tf.sub(1, t.square())).mul(slope)))
      }),
    }
  }
}

/** v * sigmoid(slope v) for v = x + bias. */
function sigmoidGated({ tf }: Compute, slope: number): Activation {
  return {
    forward: (x, bias) => tf.tidy(() => {
      const v = x.add<Tensor2D>(bias)
      return v.mul<Tensor2D>(tf.sigmoid(v.mul(slope)))
    }),
    gradient: (dy, x, bias) => tf.tidy(() => {
      const v = x.add<Tensor2D>(bias)
      const s = tf.sigmoid(v.mul(slope))
      // d/dv v s(av) = s + a v s (1 - s)
      return dy.mul<Tensor2D>(s.add(v.mul(slope).mul(s).mul(tf.sub(1, s))))
    }),
  }
}

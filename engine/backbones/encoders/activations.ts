/** The activations that published BERT, ViT and CLIP configurations name in `hidden_act`, with gradients for their input. */
import type { Compute } from '../../compute/backend.ts'
import type { Tensor2D } from '../../compute/tensorflow.ts'
import type { Activation } from '../transformer-block.ts'

/**
 * `gelu` is the exact form with the error function; `quick_gelu` is v * sigmoid(1.702 v) (Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2);
 * `gelu_new` and `gelu_pytorch_tanh` are the same tanh approximation under two names.
 */
export const activationNames = ['gelu', 'quick_gelu', 'gelu_new', 'gelu_pytorch_tanh', 'relu'] as const
export type ActivationName = (typeof activationNames)[number]

const QUICK_SLOPE = 1.702
const TANH_SCALE = Math.sqrt(2 / Math.PI)
const TANH_CUBIC = 0.044715

/** The activation over the backend's operations; undefined for the exact GELU, which the kernels have in fused form. */
export function createActivation(compute: Compute, name: ActivationName): Activation | undefined {
  const { tf } = compute
  switch (name) {
    case 'gelu': return undefined
    case 'relu': return {
      forward: (x, bias) => tf.tidy(() => tf.relu(x.add<Tensor2D>(bias))),
      gradient: (dy, x, bias) => tf.tidy(() => dy.mul<Tensor2D>(x.add(bias).greater(0).cast('float32'))),
    }
    case 'quick_gelu': return {
      forward: (x, bias) => tf.tidy(() => {
        const v = x.add<Tensor2D>(bias)
        return v.mul<Tensor2D>(tf.sigmoid(v.mul(QUICK_SLOPE)))
      }),
      gradient: (dy, x, bias) => tf.tidy(() => {
        const v = x.add<Tensor2D>(bias)
        const s = tf.sigmoid(v.mul(QUICK_SLOPE))
        // d/dv v s(av) = s + a v s (1 - s)
        return dy.mul<Tensor2D>(s.add(v.mul(QUICK_SLOPE).mul(s).mul(tf.sub(1, s))))
      }),
    }
    case 'gelu_new':
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

/**
 * ResNet-50 v1 (He et al. 2016, arXiv:1512.03385) up to its last 7 x 7 x 2048 feature grid, frozen.
 * Keras/Caffe weights: stride on the first convolution of a stage, convolution biases, batch norm with epsilon 1e-3, input BGR 0..255 minus
 * the channel means. Batch norms are folded into the convolutions when loading.
 */
import type { Compute } from '../compute/backend.ts'
import { type Tensor1D, type Tensor4D, takeFloats } from '../compute/tensorflow.ts'
import type { LayersWeights } from './tfjs-layers-weights.ts'

export const RESNET_INPUT_SIDE = 224
export const RESNET_GRID_TOKENS = 49
export const RESNET_GRID_DEPTH = 2048
/** Blue, green, red means of ImageNet as Caffe's models subtract them. */
const CHANNEL_MEANS_BGR = [103.939, 116.779, 123.68] as const
const NORM_EPSILON = 1e-3

interface Stage {
  name: string
  units: string
  width: number
  stride: number
}

const stages: readonly Stage[] = [
  { name: '2', units: 'abc', width: 64, stride: 1 },
  { name: '3', units: 'abcd', width: 128, stride: 2 },
  { name: '4', units: 'abcdef', width: 256, stride: 2 },
  { name: '5', units: 'abc', width: 512, stride: 2 },
]

export interface Resnet50 {
  readonly weightsHash: string
  readonly parameterCount: number
  /** images: [B, 224, 224, 3] values from `prepareResnetImage`, row-major -> [B, 49, 2048] grid features. */
  gridFeatures(images: Float32Array, batch: number): Float32Array
  dispose(): void
}

/** RGB bytes [224, 224, 3] -> the model's input: BGR minus the channel means. */
export function prepareResnetImage(rgb: Uint8Array): Float32Array {
  const pixels = RESNET_INPUT_SIDE * RESNET_INPUT_SIDE
  if (rgb.length !== 3 * pixels) throw new Error(`expected ${3 * pixels} bytes, got ${rgb.length}`)
  const values = new Float32Array(rgb.length)
  for (let i = 0; i < rgb.length; i += 3) {
    values[i] = rgb[i + 2]! - CHANNEL_MEANS_BGR[0]
    values[i + 1] = rgb[i + 1]! - CHANNEL_MEANS_BGR[1]
    values[i + 2] = rgb[i]! - CHANNEL_MEANS_BGR[2]
  }
  return values
}

interface Convolution {
  filter: Tensor4D
  bias: Tensor1D
  stride: number
  padding: 'valid' | 'same'
}

export function loadResnet50(compute: Compute, weights: LayersWeights): Resnet50 {
  const { tf } = compute
  const convolutions = new Map<string, Convolution>()
  let parameterCount = 0
  const load = (name: string, norm: string, size: number, inputs: number, outputs: number, stride: number): void => {
    const kernel = weights.read(`${name}/kernel`, [size, size, inputs, outputs])
    const [bias, gamma, beta, mean, variance] = [`${name}/bias`, `${norm}/gamma`, `${norm}/beta`, `${norm}/moving_mean`, `${norm}/moving_variance`]
      .map((tensor) => weights.read(tensor, [outputs])) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array]
    const scale = gamma.map((g, c) => g / Math.sqrt(variance[c]! + NORM_EPSILON))
    convolutions.set(name, {
      filter: tf.tensor4d(kernel.map((value, i) => value * scale[i % outputs]!), [size, size, inputs, outputs]),
      bias: tf.tensor1d(bias.map((b, c) => (b - mean[c]!) * scale[c]! + beta[c]!)),
      stride,
      padding: size === 3 ? 'same' : 'valid',
    })
    parameterCount += kernel.length + outputs
  }

  load('conv1', 'bn_conv1', 7, 3, 64, 2)
  let inputs = 64
  for (const { name, units, width, stride } of stages) {
    for (const unit of units) {
      const branch = `${name}${unit}_branch`
      const unitStride = unit === 'a' ? stride : 1
      load(`res${branch}2a`, `bn${branch}2a`, 1, inputs, width, unitStride)
      load(`res${branch}2b`, `bn${branch}2b`, 3, width, width, 1)
      load(`res${branch}2c`, `bn${branch}2c`, 1, width, 4 * width, 1)
      if (unit === 'a') load(`res${branch}1`, `bn${branch}1`, 1, inputs, 4 * width, unitStride)
      inputs = 4 * width
    }
  }

  const convolve = (x: Tensor4D, name: string): Tensor4D => {
    const { filter, bias, stride, padding } = convolutions.get(name)!
    return tf.conv2d(x, filter, stride, padding).add<Tensor4D>(bias)
  }

  return {
    weightsHash: weights.hash,
    parameterCount,
    gridFeatures: (images, batch) => {
      const grid = tf.tidy(() => {
        const input = tf.tensor4d(images, [batch, RESNET_INPUT_SIDE, RESNET_INPUT_SIDE, 3])
        const first = tf.relu(convolve(tf.pad4d(input, [[0, 0], [3, 3], [3, 3], [0, 0]]), 'conv1')) // [B, 112, 112, 64]
        // Zero padding before the maximum is right only because the values are not negative after ReLU.
        let x = tf.maxPool(tf.pad4d(first, [[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 2, 'valid') // [B, 56, 56, 64]
        for (const { name, units } of stages) {
          for (const unit of units) {
            const current = x
            x = tf.tidy(() => {
              const branch = `res${name}${unit}_branch`
              const a = tf.relu(convolve(current, `${branch}2a`))
              const b = tf.relu(convolve(a, `${branch}2b`))
              const shortcut = unit === 'a' ? convolve(current, `${branch}1`) : current
              return tf.relu(convolve(b, `${branch}2c`).add<Tensor4D>(shortcut))
            })
            current.dispose()
          }
        }
        return x // [B, 7, 7, 2048]
      })
      return takeFloats(grid)
    },
    dispose: () => {
      for (const { filter, bias } of convolutions.values()) {
        filter.dispose()
        bias.dispose()
      }
    },
  }
}

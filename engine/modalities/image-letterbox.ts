/**
 * Input of the embedded ResNet-50 (Keras/Caffe weights): the whole image, aspect ratio kept, padded to a square.
 * Stretching, as ImageNet pipelines do, would turn round lesions oval; cropping would cut the periphery of a fundus.
 */
import type { RgbImage } from './image-decode.ts'
import { resample, type Reduction } from './image-resample.ts'

export const RESNET_SIZE = 224
// Channel means of the training images in B, G, R order, subtracted without further scaling.
const MEAN_BGR = [103.939, 116.779, 123.68] as const

export interface LetterboxedImage {
  /** RGB bytes [224, 224, 3] for looking at; padding holds the rounded channel means. */
  pixels: Uint8Array
  /** B, G, R minus the channel means [224, 224, 3]; exactly 0 on the padding. */
  values: Float32Array
  /** 1 where there is image, 0 on the padding [224, 224]. */
  validMask: Uint8Array
  /** The image inside the square, in pixels. */
  left: number
  top: number
  width: number
  height: number
}

/** Longer side to 224, aspect ratio kept. */
export const letterboxReduction: Reduction = {
  filter: 'bilinear',
  size: ({ width, height }) => {
    const scaled = (side: number) => Math.max(1, Math.round((side * RESNET_SIZE) / Math.max(width, height)))
    return { width: scaled(width), height: scaled(height) }
  },
}

/** Longer side to 224 (bilinear, antialiased), centred; the odd pixel of padding goes right or below. `change` acts on the reduced image, before the padding. */
export function letterboxForResnet(image: RgbImage, change: (resized: RgbImage) => RgbImage = (resized) => resized): LetterboxedImage {
  const size = letterboxReduction.size(image)
  const inner = change(resample(image, size.width, size.height, letterboxReduction.filter))
  const left = Math.floor((RESNET_SIZE - inner.width) / 2)
  const top = Math.floor((RESNET_SIZE - inner.height) / 2)
  const values = new Float32Array(RESNET_SIZE * RESNET_SIZE * 3)
  const pixels = new Uint8Array(values.length)
  const validMask = new Uint8Array(RESNET_SIZE * RESNET_SIZE)
  const [meanBlue, meanGreen, meanRed] = MEAN_BGR
  const padding = [Math.round(meanRed), Math.round(meanGreen), Math.round(meanBlue)]
  if (inner.width < RESNET_SIZE || inner.height < RESNET_SIZE) {
    for (let i = 0; i < pixels.length; i += 1) pixels[i] = padding[i % 3]!
  }
  for (let y = 0; y < inner.height; y += 1) {
    const targetRow = (top + y) * RESNET_SIZE + left
    validMask.fill(1, targetRow, targetRow + inner.width)
    let source = y * inner.width * 3
    let target = targetRow * 3
    for (let x = 0; x < inner.width; x += 1, source += 3, target += 3) {
      const red = inner.pixels[source]!
      const green = inner.pixels[source + 1]!
      const blue = inner.pixels[source + 2]!
      pixels[target] = red
      pixels[target + 1] = green
      pixels[target + 2] = blue
      values[target] = blue - meanBlue
      values[target + 1] = green - meanGreen
      values[target + 2] = red - meanRed
    }
  }
  return { pixels, values, validMask, left, top, width: inner.width, height: inner.height }
}

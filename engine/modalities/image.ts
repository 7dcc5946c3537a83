/**
 * RGB bytes -> model input, one processor for each family of backbones. Sizes and rounding follow the Hugging Face
 * processors (PIL backend) that prepared the pre-training images; `letterbox` is for the embedded ResNet-50.
 */
import { AppError } from '../domain/errors.ts'
import type { RgbImage } from './image-decode.ts'
import { resample, type Reduction, type ResampleFilter } from './image-resample.ts'

/** Order of the float values: rows of pixels [H, W, 3] (TensorFlow) or planes [3, H, W] (PyTorch). */
export type ImageLayout = 'hwc' | 'chw'

/** How a pre-trained image model wants its pictures. Channel values are in RGB order. */
export type ImageProcessorConfig = {
  resample: ResampleFilter
  /** Factor from bytes to the unit of `mean` and `std`, usually 1/255. */
  rescaleFactor: number
  mean: readonly [number, number, number]
  std: readonly [number, number, number]
} & (
  | { kind: 'vilt'; shortestEdge: number; longestEdge: number; sizeDivisor: number }
  | { kind: 'vit'; width: number; height: number }
  | { kind: 'clip'; shortestEdge: number; cropWidth: number; cropHeight: number }
)

/** One image ready for a model. */
export interface PreparedImage {
  width: number
  height: number
  /** Resized RGB bytes [height, width, 3]. */
  pixels: Uint8Array
  /** Normalised values in the requested layout. */
  values: Float32Array
}

/** Refuses what the model cannot take (AppError IMAGE_SHAPE_UNSUPPORTED); `name` is how messages call the file. */
export type ImageProcessor = (image: RgbImage, layout?: ImageLayout, name?: string) => PreparedImage

const HALVES = [0.5, 0.5, 0.5] as const
export const viltConfig: ImageProcessorConfig = {
  kind: 'vilt', shortestEdge: 384, longestEdge: 639, sizeDivisor: 32,
  resample: 'bicubic', rescaleFactor: 1 / 255, mean: HALVES, std: HALVES,
}
export const vitConfig: ImageProcessorConfig = {
  kind: 'vit', width: 224, height: 224, resample: 'bilinear', rescaleFactor: 1 / 255, mean: HALVES, std: HALVES,
}
export const clipConfig: ImageProcessorConfig = {
  kind: 'clip', shortestEdge: 224, cropWidth: 224, cropHeight: 224, resample: 'bicubic', rescaleFactor: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711],
}

/** A processor for one configuration; its value tables are computed once. */
export function createImageProcessor(config: ImageProcessorConfig): ImageProcessor {
  const normaliseImage = createNormaliser(config)
  return (image, layout = 'hwc', name = 'The image') => {
    const resized = resizeFor(image, config, name)
    return { ...resized, values: normaliseImage(resized, layout) }
  }
}

/** The last step alone, for images that were resized before: bytes to values in the requested layout. */
export function createNormaliser(config: ImageProcessorConfig): (resized: RgbImage, layout: ImageLayout) => Float32Array {
  const lookUp = valueTables(config)
  return (resized, layout) => normalise(resized, lookUp, layout)
}

/**
 * Size a ViLT image gets: shorter side to `shortestEdge`, longer side at most `longestEdge`, both floored to a multiple
 * of `sizeDivisor` (the aspect ratio is not kept exactly). Either number may come out as 0: too narrow for one patch.
 */
export function viltSize(
  width: number,
  height: number,
  limits: { shortestEdge: number; longestEdge: number; sizeDivisor: number },
): { width: number; height: number } {
  const { shortestEdge, longestEdge, sizeDivisor } = limits
  let scale = shortestEdge / Math.min(height, width)
  let newHeight = height < width ? shortestEdge : scale * height
  let newWidth = height < width ? scale * width : shortestEdge
  if (Math.max(newHeight, newWidth) > longestEdge) {
    scale = longestEdge / Math.max(newHeight, newWidth)
    newHeight *= scale
    newWidth *= scale
  }
  const floor = (value: number) => Math.floor(Math.trunc(value + 0.5) / sizeDivisor) * sizeDivisor
  return { width: floor(newWidth), height: floor(newHeight) }
}

/** The first step of a processor, for pictures that can be reduced where they are decoded; the processor then finds them in their size. */
export function reductionOf(config: ImageProcessorConfig): Reduction {
  return {
    filter: config.resample,
    size: (image) => {
      const wanted = sizeFor(image, config)
      // A size that the processor would change once more, or refuse, is left to it.
      const isFinal = wanted.width > 0 && wanted.height > 0 && JSON.stringify(sizeFor(wanted, config)) === JSON.stringify(wanted)
      return isFinal ? wanted : { width: image.width, height: image.height }
    },
  }
}

/** Size of the whole picture before any crop; 0 where nothing would be left. */
function sizeFor({ width, height }: { width: number; height: number }, config: ImageProcessorConfig): { width: number; height: number } {
  if (config.kind === 'vit') return { width: config.width, height: config.height }
  if (config.kind === 'vilt') return viltSize(width, height, config)
  const longer = Math.trunc((config.shortestEdge * Math.max(width, height)) / Math.min(width, height))
  if (longer > config.shortestEdge * 256) return { width: 0, height: 0 }
  return width <= height ? { width: config.shortestEdge, height: longer } : { width: longer, height: config.shortestEdge }
}

function resizeFor(image: RgbImage, config: ImageProcessorConfig, name: string): RgbImage {
  const { width, height } = sizeFor(image, config)
  if (width === 0 || height === 0) {
    const why = config.kind === 'vilt' ? `: not one patch of ${config.sizeDivisor} pixels would be left` : ''
    throw new AppError('IMAGE_SHAPE_UNSUPPORTED', `${name} is ${image.width} x ${image.height} pixels, too long and narrow for this backbone${why}.`)
  }
  const resized = resample(image, width, height, config.resample)
  return config.kind === 'clip' ? crop(resized, config.cropWidth, config.cropHeight) : resized
}

// Centre crop, odd remainders to the right and below. Processor configs are checked to crop no more than the resized side.
function crop(image: RgbImage, width: number, height: number): RgbImage {
  const left = Math.floor((image.width - width) / 2)
  const top = Math.floor((image.height - height) / 2)
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y += 1) {
    const start = ((top + y) * image.width + left) * 3
    pixels.set(image.pixels.subarray(start, start + width * 3), y * width * 3)
  }
  return { pixels, width, height }
}

// A byte has 256 values: the float32 result of each is computed once per channel, in the reference's order of rounding.
function valueTables(config: ImageProcessorConfig): Float32Array[] {
  return [0, 1, 2].map((channel) => {
    const mean = Math.fround(config.mean[channel]!)
    const std = Math.fround(config.std[channel]!)
    return Float32Array.from({ length: 256 }, (_, byte) =>
      Math.fround(Math.fround(Math.fround(byte * config.rescaleFactor) - mean) / std),
    )
  })
}

function normalise(image: RgbImage, lookUp: readonly Float32Array[], layout: ImageLayout): Float32Array {
  const { pixels } = image
  const values = new Float32Array(pixels.length)
  const plane = image.width * image.height
  const [red, green, blue] = [lookUp[0]!, lookUp[1]!, lookUp[2]!]
  if (layout === 'chw') {
    for (let i = 0, source = 0; i < plane; i += 1, source += 3) {
      values[i] = red[pixels[source]!]!
      values[plane + i] = green[pixels[source + 1]!]!
      values[2 * plane + i] = blue[pixels[source + 2]!]!
    }
    return values
  }
  for (let i = 0; i < pixels.length; i += 3) {
    values[i] = red[pixels[i]!]!
    values[i + 1] = green[pixels[i + 1]!]!
    values[i + 2] = blue[pixels[i + 2]!]!
  }
  return values
}

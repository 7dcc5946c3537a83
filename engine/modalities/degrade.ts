import sharp from 'sharp'
import { createRng } from '../compute/rng.ts'
import type { Degradation } from '../domain/degradation.ts'
import type { RgbImage } from './image-decode.ts'

/** Side that blur levels are meant at. */
const referenceSide = 224

/** A copy of the picture as it was taken, blurred; any other degradation leaves it alone. */
export async function blurImage<T extends RgbImage>(image: T, degradation: Degradation | undefined): Promise<T> {
  if (degradation?.kind !== 'blur') return image
  return { ...image, pixels: await blur(image, (degradation.level * Math.max(image.width, image.height)) / referenceSide) }
}

/**
 * A copy of the picture at the size that the model reads, with noise; any other degradation leaves it alone. Noise on the picture as it was
 * taken would be averaged away by the reduction in size: of 10 % at 2048 pixels less than 1 % reaches the model. `name` (the content hash) seeds it.
 */
export function addNoise<T extends RgbImage>(resized: T, degradation: Degradation | undefined, name: string): T {
  if (degradation?.kind !== 'noise') return resized
  const random = createRng(1).fork(`noise ${name}`)
  const deviation = degradation.level * 255
  return { ...resized, pixels: Uint8Array.from(resized.pixels, (value) => Math.max(0, Math.min(255, Math.round(value + random.normal() * deviation)))) }
}

/** The first words of a text; any other degradation leaves it alone. */
export function degradeText(text: string, degradation: Degradation | undefined): string {
  if (degradation?.kind !== 'truncate') return text
  return text.split(/\s+/u).filter(Boolean).slice(0, degradation.level).join(' ')
}

/** Gaussian over all weights above a hundredth of the largest; edges repeated. */
async function blur({ pixels, width, height }: RgbImage, sigma: number): Promise<Uint8Array> {
  // The library refuses less than a third of a pixel, which nobody would see.
  if (sigma < 0.3) return pixels
  return new Uint8Array(await sharp(pixels, { raw: { width, height, channels: 3 } }).blur({ sigma, precision: 'float', minAmplitude: 0.01 }).raw().toBuffer())
}

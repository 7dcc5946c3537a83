import sharp from 'sharp'
import { createRng } from '../compute/rng.ts'
import type { Degradation } from '../domain/degradation.ts'
import type { RgbImage } from './image-decode.ts'

/** Side that blur levels are meant at. */
const referenceSide = 224

/** A copy of the image with blur or noise; `name` (its content hash) seeds the noise. Text degradations leave it alone. */
export async function degradeImage<T extends RgbImage>(image: T, degradation: Degradation | undefined, name: string): Promise<T> {
  if (degradation?.kind === 'blur') return { ...image, pixels: await blur(image, (degradation.level * Math.max(image.width, image.height)) / referenceSide) }
  if (degradation?.kind === 'noise') return { ...image, pixels: addNoise(image, degradation.level * 255, name) }
  return image
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

function addNoise({ pixels }: RgbImage, deviation: number, name: string): Uint8Array {
  const random = createRng(1).fork(`noise ${name}`)
  return Uint8Array.from(pixels, (value) => Math.max(0, Math.min(255, Math.round(value + random.normal() * deviation))))
}

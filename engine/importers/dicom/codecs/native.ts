/** Uncompressed pixels, with the orders of bytes, bits and colours that PS3.5 section 8 allows. */
import type { PixelElement } from '../parse.ts'
import type { PixelDescription } from '../pixel-description.ts'
import { sampleCount, shortage, toStoredValues, type FrameSamples } from './samples.ts'

/**
 * One frame of uncompressed pixel data.
 * @throws AppError DICOM_PIXELS_SHORT when the file holds less than the header promises for all its frames
 */
export function readNativeFrame(pixels: PixelElement, description: PixelDescription, frame: number, isBigEndian: boolean): FrameSamples {
  const { rows, columns, samples, bitsAllocated, frameCount } = description
  const available = Math.max(0, Math.min(pixels.length ?? Infinity, pixels.content.length - pixels.offset))
  const all = pixels.content.subarray(pixels.offset, pixels.offset + available)
  const bitsPerFrame = sampleCount(description) * bitsAllocated
  const isHalved = description.photometric === 'YBR_FULL_422' && bitsAllocated === 8
  const halvedBytes = rows * Math.ceil(columns / 2) * 4
  // Some writers declare halved chroma and store all of it; the number of bytes tells.
  const isStoredHalved = isHalved && available < Math.ceil((bitsPerFrame * frameCount) / 8)
  const expected = isStoredHalved ? halvedBytes * frameCount : Math.ceil((bitsPerFrame * frameCount) / 8)
  if (available < expected) throw shortage(expected, available)
  const frameOf = (data: FrameSamples['data']): FrameSamples => ({ data, rows, columns, samples })
  if (bitsAllocated === 1) return frameOf(unpackBits(all, frame * bitsPerFrame, bitsPerFrame))
  const bytesEach = (bitsAllocated >> 3) as 1 | 2 | 4
  const size = isStoredHalved ? halvedBytes : bitsPerFrame >> 3
  const slice = all.subarray(frame * size, (frame + 1) * size)
  const bytes = isBigEndian && (bytesEach > 1 || pixels.isWords) ? swapBytes(all, frame * size, size, bytesEach === 1 ? 2 : bytesEach) : slice
  if (isStoredHalved) return frameOf(doubleChroma(bytes, rows, columns))
  const stored = toStoredValues(bytes, bytesEach, sampleCount(description), description, shiftOf(bytes, bytesEach, description))
  return frameOf(description.isPlanar ? interleave(stored, rows * columns) : stored)
}

/**
 * How far the values lie above bit 0. Some writers put them there and name the highest bit of the word all the same: then bits are
 * used where nothing can be, and none where the values should be.
 */
function shiftOf(bytes: Uint8Array, bytesEach: 1 | 2 | 4, description: PixelDescription): number {
  const shift = description.highBit + 1 - description.bitsStored
  if (shift === 0) return 0
  let all = 0
  for (let i = 0; i < sampleCount(description) * bytesEach; i++) all |= bytes[i]! << (8 * (i % bytesEach))
  const isUsedBelow = (all & (2 ** shift - 1)) !== 0
  return isUsedBelow && all >>> description.bitsStored === 0 ? 0 : shift
}

/** Planes of three colours -> colour by colour in each pixel. */
export function interleave<T extends FrameSamples['data']>(planes: T, pixelCount: number): T {
  const pixels = planes.slice() as T
  for (let i = 0, at = 0; i < pixelCount; i++) {
    pixels[at++] = planes[i]!
    pixels[at++] = planes[pixelCount + i]!
    pixels[at++] = planes[2 * pixelCount + i]!
  }
  return pixels
}

/** Bits are packed from the lowest of each byte on; a frame may begin inside a byte. */
function unpackBits(bytes: Uint8Array, from: number, count: number): Uint8Array {
  const values = new Uint8Array(count)
  for (let i = 0, bit = from; i < count; i++, bit++) values[i] = (bytes[bit >> 3]! >> (bit & 7)) & 1
  return values
}

function swapBytes(all: Uint8Array, from: number, size: number, width: number): Uint8Array {
  const swapped = new Uint8Array(size)
  for (let i = 0; i < size; i++) {
    const at = from + i
    // Swapped within words of the whole element, so that an odd frame length of bytes still finds its neighbour.
    swapped[i] = all[at - (at % width) + (width - 1 - (at % width))] ?? 0
  }
  return swapped
}

/** Y1 Y2 Cb Cr -> Y1 Cb Cr, Y2 Cb Cr: chroma of pairs is repeated. */
function doubleChroma(bytes: Uint8Array, rows: number, columns: number): Uint8Array {
  const values = new Uint8Array(rows * columns * 3)
  const pairs = Math.ceil(columns / 2)
  for (let row = 0, at = 0; row < rows; row++) {
    for (let pair = 0; pair < pairs; pair++) {
      const from = (row * pairs + pair) * 4
      for (let i = 0; i < 2 && pair * 2 + i < columns; i++) {
        values[at++] = bytes[from + i]!
        values[at++] = bytes[from + 2]!
        values[at++] = bytes[from + 3]!
      }
    }
  }
  return values
}

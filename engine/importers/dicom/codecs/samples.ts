/** Stored values of one frame in the form that everything after decoding works on. */
import { AppError } from '../../../domain/errors.ts'
import type { PixelDescription } from '../pixel-description.ts'

export type SampleArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

/** [rows, columns, samples], unused bits masked, signed values sign-extended. */
export interface FrameSamples {
  data: SampleArray
  rows: number
  columns: number
  samples: number
}

/** Number of samples of one frame after decoding. */
export function sampleCount({ rows, columns, samples }: PixelDescription): number {
  return rows * columns * samples
}

/**
 * Decoded little-endian bytes of `bytesEach` bytes for each sample -> stored values: shifted down from the high bit, masked to
 * the stored bits and sign-extended. Bits above may hold overlays or whatever the writer left there (PS3.5 section 8.1.1).
 * @throws AppError DICOM_PIXELS_SHORT
 */
export function toStoredValues(bytes: Uint8Array, bytesEach: 1 | 2 | 4, count: number, description: PixelDescription, shift = 0): SampleArray {
  if (bytes.length < count * bytesEach) throw shortage(count * bytesEach, bytes.length)
  const { isSigned, bitsStored } = description
  const bits = Math.min(bitsStored, bytesEach * 8)
  const words = readWords(bytes, bytesEach, count)
  const isWhole = bits === bytesEach * 8 || (!isSigned && isWithin(words, bits))
  if (isWhole && shift === 0) return isSigned ? asSigned(words) : words
  const values = isSigned ? asSigned(words.slice() as typeof words) : words.slice()
  const unused = 32 - bits
  if (isSigned) for (let i = 0; i < count; i++) values[i] = ((words[i]! >>> shift) << unused) >> unused
  else for (let i = 0; i < count; i++) values[i] = ((words[i]! >>> shift) << unused) >>> unused
  return values
}

/** Nothing above the stored bits, as in most files: the values can be taken as they are. */
function isWithin(words: Uint8Array | Uint16Array | Uint32Array, bits: number): boolean {
  let all = 0
  if (words instanceof Uint16Array && words.byteOffset % 4 === 0) {
    // Two at a time.
    const pairs = new Uint32Array(words.buffer, words.byteOffset, words.length >> 1)
    for (let i = 0; i < pairs.length; i++) all |= pairs[i]!
    all = (all | (all >>> 16) | words[words.length - 1]!) & 0xffff
  } else for (let i = 0; i < words.length; i++) all |= words[i]!
  return all >>> bits === 0
}

/** The error for a file whose pixels end too early. */
export function shortage(expected: number, found: number): AppError {
  return new AppError('DICOM_PIXELS_SHORT', `The header promises ${expected} bytes of pixels; ${found} are in the file. It is cut short or its header is wrong.`)
}

function readWords(bytes: Uint8Array, bytesEach: 1 | 2 | 4, count: number): Uint8Array | Uint16Array | Uint32Array {
  if (bytesEach === 1) return bytes.subarray(0, count)
  // Typed arrays of words need an aligned start; slices of a file rarely have one. A Buffer's own slice would be a view again.
  const isAligned = bytes.byteOffset % bytesEach === 0
  const { buffer, byteOffset } = isAligned ? bytes : Uint8Array.prototype.slice.call(bytes, 0, count * bytesEach)
  return bytesEach === 2 ? new Uint16Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count)
}

function asSigned(words: Uint8Array | Uint16Array | Uint32Array): Int8Array | Int16Array | Int32Array {
  const { buffer, byteOffset, length } = words
  if (words instanceof Uint8Array) return new Int8Array(buffer, byteOffset, length)
  return words instanceof Uint16Array ? new Int16Array(buffer, byteOffset, length) : new Int32Array(buffer, byteOffset, length)
}

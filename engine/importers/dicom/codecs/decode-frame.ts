/**
 * One compressed frame -> stored values. Which decoder runs is read from the frame itself, since transfer syntaxes are
 * sometimes wrong and files without a meta header name none; its size must be the header's before any memory is taken.
 */
import { inflateRawSync } from 'node:zlib'
import { AppError } from '../../../domain/errors.ts'
import type { PixelDescription } from '../pixel-description.ts'
import { sampleCount, shortage, toStoredValues, type FrameSamples } from './samples.ts'
import type { PixelEncoding } from '../transfer-syntax.ts'
import { readJpeg2000Header } from './jpeg-2000-header.ts'
import { isJpegLsPlanar, readJpegHeader, type JpegHeader } from './jpeg-header.ts'
import { interleave, readNativeFrame } from './native.ts'
import { decodeRle } from './rle.ts'
import { decodeWithWasm } from './wasm.ts'

/** Decoded values, and whether colours came out as RGB or as luminance and chroma; null leaves it to the header. */
export interface DecodedFrame extends FrameSamples {
  colour: 'rgb' | 'ybr' | null
}

/**
 * Decodes one frame; `isLossy` is what the transfer syntax says.
 * @throws AppError DICOM_FRAME_DAMAGED, DICOM_PIXELS_SHORT, DICOM_SYNTAX_UNSUPPORTED
 */
export function decodeFrame(bytes: Uint8Array, encoding: PixelEncoding, description: PixelDescription, isLossy = false): DecodedFrame {
  if (encoding === 'deflated-frame') return { ...inflateFrame(bytes, description), colour: null }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return decodeJpeg(bytes, description, isLossy)
  const isJpeg2000 = (bytes[0] === 0xff && bytes[1] === 0x4f) || (bytes[4] === 0x6a && bytes[5] === 0x50)
  if (isJpeg2000 || encoding === 'jpeg-2000') return decodeJpeg2000(bytes, description, isLossy)
  if (encoding === 'rle') return { ...frameOf(toStoredValues(decodeRle(bytes, description), bytesOf(description), sampleCount(description), description), description), colour: null }
  if (encoding === 'jpeg' || encoding === 'jpeg-ls') return decodeJpeg(trimToStart(bytes), description, isLossy)
  throw new AppError('DICOM_SYNTAX_UNSUPPORTED', 'The pixels are compressed in a way that this file does not name.')
}

/** Some writers put padding before the picture. */
function trimToStart(bytes: Uint8Array): Uint8Array {
  const limit = Math.min(bytes.length - 1, 64)
  for (let at = 1; at < limit; at++) if (bytes[at] === 0xff && bytes[at + 1] === 0xd8) return bytes.subarray(at)
  return bytes
}

function decodeJpeg(bytes: Uint8Array, description: PixelDescription, isLossy: boolean): DecodedFrame {
  // Without its first marker the codec waits for one for ever.
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new AppError('DICOM_FRAME_DAMAGED', 'A compressed frame does not start like a JPEG picture; it is damaged.')
  const header = readJpegHeader(bytes)
  assertSize(header.rows, header.columns, header.components.length, description)
  const { precision, kind } = header
  if (precision < 2 || precision > 16) throw new AppError('DICOM_SYNTAX_UNSUPPORTED', `The compressed frame has ${precision} bits; 2 to 16 can be read.`)
  const bitsAllocated = precision <= 8 ? 8 : 16
  const decoded = decodeWithWasm(kind === 'jpeg-ls' ? 'DecodeJpegLs' : 'DecodeJpeg', codecFrame(withEnd(bytes), bitsAllocated, precision, description))
  const values = storedValues(isLossy ? clipToBits(decoded, precision, description) : decoded, bitsAllocated, description)
  const isPlanar = kind === 'jpeg-ls' && description.samples === 3 && isJpegLsPlanar(bytes)
  const data = isPlanar ? interleave(values, description.rows * description.columns) : values
  return { ...frameOf(data, description), colour: kind === 'lossy' ? jpegColour(header, description) : null }
}

/** With an end marker behind it: CharLS looks for one far beyond a stream that is cut short. */
function withEnd(bytes: Uint8Array): Uint8Array {
  const ended = new Uint8Array(bytes.length + 2)
  ended.set(bytes)
  ended.set([0xff, 0xd9], bytes.length)
  return ended
}

/**
 * RGB or YCbCr: an Adobe marker or components named R, G, B say so for sure; halved chroma is chroma; then the DICOM header
 * counts for more than a JFIF marker, which many encoders write whatever they store.
 */
function jpegColour(header: JpegHeader, { samples, photometric }: PixelDescription): 'rgb' | 'ybr' | null {
  if (samples === 1) return null
  if (header.adobeTransform !== null) return header.adobeTransform === 0 ? 'rgb' : 'ybr'
  const ids = String.fromCharCode(...header.components.map(({ id }) => id))
  if (ids === 'RGB') return 'rgb'
  const isHalved = header.components.some(({ horizontal, vertical }) => horizontal !== header.components[0]!.horizontal || vertical !== header.components[0]!.vertical)
  return photometric === 'RGB' && !isHalved ? 'rgb' : 'ybr'
}

function decodeJpeg2000(bytes: Uint8Array, description: PixelDescription, isLossy: boolean): DecodedFrame {
  const { rows, columns, components, tileCount, hasColourTransform, isHighThroughput, codestream } = readJpeg2000Header(bytes)
  assertSize(rows, columns, components.length, description)
  const { precision } = components[0]!
  const isUniform = components.every((one) => one.precision === precision && !one.isSubsampled)
  if (!isUniform || precision > 16 || (components.length === 3 && precision > 8 && !isHighThroughput)) {
    throw new AppError('DICOM_SYNTAX_UNSUPPORTED', 'The JPEG 2000 frame has channels of different sizes, more than 16 bits, or colours of more than 8 bits.')
  }
  // Each tile costs memory before its first byte is read.
  if (tileCount > Math.max(4096, codestream.length)) throw new AppError('DICOM_FRAME_DAMAGED', 'A compressed frame claims more tiles than it has bytes.')
  const bitsAllocated = precision <= 8 ? 8 : 16
  const decoded = decodeWithWasm(isHighThroughput ? 'DecodeHtJpeg2000' : 'DecodeJpeg2000', codecFrame(codestream, bitsAllocated, precision, description))
  const { isSigned } = components[0]!
  // A header without negative values over a frame that has them: moved up by half the range, as decoders that know no sign do.
  if (isSigned && !description.isSigned) flipSignBit(decoded, bitsAllocated, precision)
  const kept = isLossy && !isSigned ? clipToBits(decoded, precision, description) : decoded
  return { ...frameOf(storedValues(kept, bitsAllocated, description), description), colour: hasColourTransform ? 'rgb' : null }
}

/** Two's complement of `precision` bits -> the same values counted from the smallest. */
function flipSignBit(decoded: Uint8Array, bitsAllocated: 8 | 16, precision: number): void {
  const bit = 1 << (precision - 1)
  if (bitsAllocated === 8) for (let i = 0; i < decoded.length; i++) decoded[i]! ^= bit
  else for (let i = 0; i + 1 < decoded.length; i += 2) decoded[i + 1]! ^= bit >> 8
}

/**
 * Lossy frames that were coded with more bits than the header says are used go a little beyond them where the picture is white;
 * cut off like bits that belong to something else, white would turn black. Signed ones are left: their upper bits are the sign.
 */
function clipToBits(decoded: Uint8Array, precision: number, { bitsStored, isSigned }: PixelDescription): Uint8Array {
  if (isSigned || precision <= bitsStored) return decoded
  const largest = 2 ** bitsStored - 1
  if (precision <= 8) return decoded.map((value) => Math.min(value, largest))
  const words = new Uint16Array(decoded.slice().buffer)
  for (let i = 0; i < words.length; i++) if (words[i]! > largest) words[i] = largest
  return new Uint8Array(words.buffer)
}

function inflateFrame(bytes: Uint8Array, description: PixelDescription): FrameSamples {
  const expected = Math.ceil((sampleCount(description) * description.bitsAllocated) / 8)
  let content: Uint8Array
  try {
    content = inflateRawSync(bytes, { maxOutputLength: expected + 16 })
  } catch (cause) {
    throw new AppError('DICOM_FRAME_DAMAGED', 'A deflated frame cannot be unpacked; it is damaged.', { cause })
  }
  if (content.length < expected) throw shortage(expected, content.length)
  return readNativeFrame({ content, offset: 0, length: content.length, isWords: false }, { ...description, frameCount: 1 }, 0, false)
}

function assertSize(rows: number, columns: number, components: number, description: PixelDescription): void {
  if (rows === description.rows && columns === description.columns && components === description.samples) return
  throw new AppError('DICOM_FRAME_DAMAGED',
    `The compressed frame holds ${columns} x ${rows} pixels of ${components} samples, the header says ${description.columns} x ${description.rows} of ${description.samples}.`)
}

function codecFrame(bytes: Uint8Array, bitsAllocated: 8 | 16, bitsStored: number, { rows, columns, samples, isSigned }: PixelDescription) {
  return { bytes, rows, columns, samples, bitsAllocated, bitsStored, isSigned }
}

function storedValues(decoded: Uint8Array, bitsAllocated: 8 | 16, description: PixelDescription): FrameSamples['data'] {
  return toStoredValues(decoded, bitsAllocated === 8 ? 1 : 2, sampleCount(description), description)
}

function bytesOf({ bitsAllocated }: PixelDescription): 1 | 2 | 4 {
  return Math.max(1, bitsAllocated >> 3) as 1 | 2 | 4
}

function frameOf(data: FrameSamples['data'], { rows, columns, samples }: PixelDescription): FrameSamples {
  return { data, rows, columns, samples }
}

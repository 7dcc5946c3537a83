/**
 * Image file -> RGB bytes, the same for every model. Follows Pillow's convert("RGB") (palette looked up, grey repeated,
 * alpha dropped without compositing, colour profiles ignored), except on purpose: the EXIF orientation is honoured, and
 * 16-bit values are divided by 256 where Pillow clips them at 255 and turns nearly all of a picture white.
 * sharp runs in the engine process only; in Electron it clashes with GTK's GLib.
 */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import sharp, { type Metadata } from 'sharp'
import { AppError } from '../domain/errors.ts'
// DICOM is read below the importers, which need its headers as well; nothing there looks back at this folder.
import { runOnThread } from '../importers/dicom/decode-pool.ts'
import { isDicom } from '../importers/dicom/parse.ts'
import type { PixelDescription } from '../importers/dicom/pixel-description.ts'
import { readDicom } from '../importers/dicom/read-dicom.ts'
import type { Reduction } from './image-resample.ts'

/** Pixels of one image, always three channels. */
export interface RgbImage {
  /** Red, green, blue bytes, row by row: [height, width, 3]. */
  pixels: Uint8Array
  width: number
  height: number
  /** The three channels are known to be equal, which saves work; left out when nobody looked. */
  isGrey?: boolean
}

export interface DecodedImage extends RgbImage {
  format: ImageFormat
  /** Bits per channel in the file: 16 means that the low byte was dropped. */
  bitsPerChannel: 8 | 16
  /** EXIF orientation 1..8 that was applied. */
  orientation: number
  /** Pages, animation or DICOM frames in the file; one is read. */
  pageCount: number
}

export type ImageFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff' | 'dicom'

export interface DecodeOptions {
  /** How messages call the file; the last part of the path when left out. */
  name?: string
  /** Which frame of a DICOM file, counted from 0; the first when left out. Other formats have one. */
  frame?: number
  /** Largest accepted width x height, checked in the header before anything is allocated. */
  maxPixels?: number
  /**
   * What will be done to the picture next. A DICOM image is reduced where it is decoded, which spares sending its millions of pixels
   * around; other formats come in their own size. Reducing the result once more changes nothing.
   */
  reduce?: Reduction
  /** The content is not used by the caller afterwards and may be emptied. */
  isGiven?: boolean
}

// 64 megapixels: three times the largest radiograph detectors, 200 MB as RGB.
export const DEFAULT_MAX_PIXELS = 64_000_000
const MAX_FILE_BYTES = 512 * 1024 * 1024

const imageExtensions = /\.(jpe?g|png|gif|webp|tiff?)$/i

/**
 * Decodes a file (path) or its content. Damaged and truncated files are refused, never returned half grey.
 * DICOM images come with their own window applied, in grey or colour, as the screen shows them.
 * Throws AppError: IMAGE_NOT_FOUND, IMAGE_EMPTY, IMAGE_UNSUPPORTED, IMAGE_DAMAGED, IMAGE_TOO_LARGE, DICOM_*.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<DecodedImage> {
  const name = options.name ?? (typeof source === 'string' ? path.basename(source) : 'The image')
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS
  const content = typeof source === 'string' ? await readWhole(source, name) : source
  if (content.byteLength === 0) throw new AppError('IMAGE_EMPTY', `${name} has no content (0 bytes).`)
  const format = recogniseFormat(content, name)
  if (format === 'dicom') return decodeDicom(content, name, { ...options, maxPixels })
  if (options.frame) throw new AppError('DICOM_FRAME_MISSING', `${name} is one picture; frame ${options.frame + 1} of it was asked for.`)
  const header = await readHeader(content, name, format)
  if (header.width * header.height > maxPixels) {
    const megapixels = Math.round((header.width * header.height) / 1e6)
    throw new AppError(
      'IMAGE_TOO_LARGE',
      `${name} says it has ${header.width} x ${header.height} pixels (${megapixels} megapixels); the limit is ${Math.round(maxPixels / 1e6)}.`,
    )
  }
  const decoded = await decodePixels(content, name, maxPixels, header.isCmyk)
  return { ...decoded, format, ...header.details }
}

async function readWhole(file: string, name: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > MAX_FILE_BYTES) {
      throw new AppError('IMAGE_TOO_LARGE', `${name} is a file of ${Math.round(size / 1e6)} MB; the limit is ${MAX_FILE_BYTES / 1048576} MB.`)
    }
    return await readFile(file)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const what = code === 'ENOENT' || code === 'ENOTDIR' ? 'was not found' : `cannot be read (${String(code ?? 'unknown error')})`
    throw new AppError('IMAGE_NOT_FOUND', `${name} ${what}.`, { cause })
  }
}

// By content, not by extension: hospital exports are often misnamed, and vector formats must not reach the decoder.
function recogniseFormat(content: Uint8Array, name: string): ImageFormat {
  const startsWith = (bytes: readonly number[], offset = 0) => bytes.every((byte, i) => content[offset + i] === byte)
  const ascii = (text: string, offset = 0) => startsWith([...text].map((character) => character.charCodeAt(0)), offset)
  // First, since the preamble of a DICOM file may be the header of a TIFF (PS3.10 section 7.1).
  if (isDicom(content)) return 'dicom'
  if (startsWith([0xff, 0xd8, 0xff])) return 'jpeg'
  if (startsWith([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png'
  if (ascii('GIF87a') || ascii('GIF89a')) return 'gif'
  if (ascii('RIFF') && ascii('WEBP', 8)) return 'webp'
  if (startsWith([0x49, 0x49, 0x2a, 0]) || startsWith([0x4d, 0x4d, 0, 0x2a])) return 'tiff'
  if (startsWith([0x49, 0x49, 0x2b, 0]) || startsWith([0x4d, 0x4d, 0, 0x2b])) return 'tiff'
  if (imageExtensions.test(name)) {
    throw new AppError('IMAGE_DAMAGED', `${name} does not hold the image that its name promises.`)
  }
  throw new AppError('IMAGE_UNSUPPORTED', `${name} is not an image of a known kind.`)
}

async function decodeDicom(content: Uint8Array, name: string, { maxPixels, frame = 0, reduce, isGiven }: DecodeOptions & { maxPixels: number }): Promise<DecodedImage> {
  const namedError = (cause: unknown): unknown => (cause instanceof AppError ? new AppError(cause.code, `${name}: ${cause.message}`, { cause }) : cause)
  let description: PixelDescription
  try {
    description = readDicom(content).description
  } catch (error) {
    throw namedError(error)
  }
  const size = { width: description.columns, height: description.rows }
  if (size.width * size.height > maxPixels) throw new AppError('IMAGE_TOO_LARGE', `${name} has ${size.width} x ${size.height} pixels; the limit is ${Math.round(maxPixels / 1e6)} megapixels.`)
  const to = reduce === undefined ? null : { ...reduce.size(size), filter: reduce.filter }
  const { pixels, width, height, isGrey, frameCount, bitsStored } = await runOnThread({ kind: 'draw', bytes: content, frame, voi: null, to }, { isGiven, description }).catch((cause: unknown) => {
    throw namedError(cause)
  })
  return { pixels, width, height, isGrey, format: 'dicom', bitsPerChannel: bitsStored > 8 ? 16 : 8, orientation: 1, pageCount: frameCount }
}

async function readHeader(content: Uint8Array, name: string, format: ImageFormat) {
  let metadata: Metadata
  try {
    metadata = await sharp(content, { failOn: 'none', limitInputPixels: false }).metadata()
  } catch (cause) {
    throw new AppError('IMAGE_DAMAGED', `${name} has a damaged or incomplete ${format.toUpperCase()} header.`, { cause })
  }
  const { width, height, depth, space, orientation, pages } = metadata
  if (!(width > 0 && height > 0)) throw new AppError('IMAGE_DAMAGED', `${name} says it has no pixels.`)
  if ((depth !== 'uchar' && depth !== 'ushort') || space === 'multiband') {
    throw new AppError('IMAGE_UNSUPPORTED', `${name} stores its values as ${depth} (${space}); only 8 or 16 bits of grey or colour can be read.`)
  }
  const bitsPerChannel = depth === 'ushort' ? (16 as const) : (8 as const)
  return { width, height, isCmyk: space === 'cmyk' && depth === 'uchar', details: { bitsPerChannel, orientation: orientation ?? 1, pageCount: pages ?? 1 } }
}

async function decodePixels(content: Uint8Array, name: string, maxPixels: number, isCmyk: boolean): Promise<RgbImage> {
  try {
    const opened = sharp(content, { failOn: 'warning', limitInputPixels: maxPixels, ignoreIcc: true }).autoOrient()
    // libvips would convert CMYK through a printer's profile of its own; the inks come out as they are stored instead.
    const converted = isCmyk ? opened.pipelineColourspace('cmyk').toColourspace('cmyk') : opened.removeAlpha().toColourspace('srgb')
    const { data, info } = await converted.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return { pixels: isCmyk && info.channels === 4 ? fromInks(data) : toThreeChannels(data, info.channels), width: info.width, height: info.height }
  } catch (cause) {
    throw new AppError('IMAGE_DAMAGED', `${name} is damaged: ${damageInWords(cause)}.`, { cause })
  }
}

/** [pixels, 4] of cyan, magenta, yellow and black ink -> [pixels, 3] as Pillow does it: what black leaves, less its share of each ink. */
function fromInks(inks: Uint8Array): Uint8Array {
  const pixels = new Uint8Array((inks.length / 4) * 3)
  for (let i = 0, to = 0; i < inks.length; i += 4) {
    const left = 255 - inks[i + 3]!
    for (let c = 0; c < 3; c += 1) {
      const product = inks[i + c]! * left + 128
      pixels[to++] = left - (((product >> 8) + product) >> 8) // the product divided by 255 and rounded
    }
  }
  return pixels
}

function toThreeChannels(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (channels !== 1) throw new Error(`${channels} channels after decoding`)
  const pixels = new Uint8Array(data.length * 3)
  for (let i = 0; i < data.length; i += 1) pixels.fill(data[i]!, i * 3, i * 3 + 3)
  return pixels
}

/** What the decoders of libvips say when a file is broken, in the words of a reader; their own names settings and libraries. */
const damages: readonly [told: RegExp, words: string][] = [
  [/premature|truncat|unexpected end|end of (file|data)|\beof\b|not enough/i, 'it ends too early'],
  [/crc|checksum|libspng|inflate|zlib|idat|lzw|decompress/i, 'its compressed pixels do not add up'],
  [/corrupt|huffman|marker|bad |invalid|extraneous/i, 'its pixel data is corrupt'],
]

function damageInWords(cause: unknown): string {
  const told = cause instanceof Error ? cause.message : ''
  return damages.find(([pattern]) => pattern.test(told))?.[1] ?? 'its pixels cannot be decoded'
}

import { hash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import sharp from 'sharp'
import { AppError, type ErrorCode } from '../../domain/errors.ts'
import { frameIndex, frameWords, type FrameChoice } from '../../domain/frames.ts'
import type { TextSigns } from '../../domain/text-signs.ts'
import type { ImageMeasures } from '../../domain/image-measures.ts'
import { measureImage } from '../../fingerprint/measure-image.ts'
import { DEFAULT_MAX_PIXELS, decodeImage } from '../../modalities/image-decode.ts'
import { imageContentHash } from '../../modalities/image-content.ts'
import { isDicom } from '../dicom/parse.ts'
import { readDicom } from '../dicom/read-dicom.ts'
import { findTextSigns } from '../privacy/burned-in/find-text-signs.ts'
import type { HeaderDates } from '../privacy/profile/header-dates.ts'
import { createBudget } from '../concurrency.ts'
import { judgeFileError } from '../file-errors.ts'
import { findJpegDamage } from './jpeg-damage.ts'

// libvips' cache only holds memory, since every file is read once; files are worked on side by side instead of the inside of one.
sharp.cache(false)
sharp.concurrency(1)

/** How deep to look: `header` reads size and kind; `full` decodes every pixel, which finds files cut short or damaged. */
export type InspectionDepth = 'header' | 'full'

/** Something about a usable image that the user should know, without its name. */
export interface ImageNote {
  code: ErrorCode
  detail: string
}

export type ImageInspection =
  | { kind: 'usable'; sha256: string; byteSize: number; widthPx: number; heightPx: number; frame: number; frameCount: number; note: ImageNote | null; measures?: ImageMeasures; textSigns?: TextSigns; dates?: HeaderDates }
  | { kind: 'unusable'; code: ErrorCode; detail: string; sha256: string | null; byteSize: number | null }
  | { kind: 'missing'; detail: string }

const maxFileBytes = 512 * 1024 * 1024
/** File bytes and pixels that may be in memory at the same time over all files under way. */
const readingBudget = createBudget(maxFileBytes)
const decodingBudget = createBudget(2 * DEFAULT_MAX_PIXELS)

/** Stands in for the file's name in every message: names contain patient IDs. */
const name = 'The file'

/**
 * Looks at one image: the SHA-256 of its content, the chosen frame, size in pixels after EXIF rotation, whether training could decode it and if
 * not why. The file is only ever read.
 * @throws AppError when the folder or drive fails, see judgeFileError
 */
export async function inspectImage(path: string, sourceDir: string, depth: InspectionDepth, choice: FrameChoice = 'first'): Promise<ImageInspection> {
  try {
    const handle = await open(path, 'r')
    try {
      const info = await handle.stat()
      if (!info.isFile()) return { kind: 'unusable', code: 'IMAGE_UNSUPPORTED', detail: 'A folder stands where the file should be.', sha256: null, byteSize: null }
      if (info.size === 0) return { kind: 'unusable', code: 'IMAGE_EMPTY', detail: `${name} is empty (0 bytes).`, sha256: null, byteSize: 0 }
      if (info.size > maxFileBytes) {
        return { kind: 'unusable', code: 'IMAGE_TOO_LARGE', detail: `${name} has ${Math.round(info.size / 1e6)} MB; at most ${Math.round(maxFileBytes / 1e6)} MB are read.`, sha256: null, byteSize: info.size }
      }
      return await readingBudget.run(info.size, () => inspectContent(handle, depth, choice))
    } finally {
      await handle.close()
    }
  } catch (error) {
    const failure = await judgeFileError(error, path, sourceDir)
    if (failure === 'gone') return { kind: 'missing', detail: 'The file disappeared while it was being read.' }
    return { kind: 'unusable', code: 'IMPORT_FOLDER_UNREADABLE', detail: 'The file may not be read by this user.', sha256: null, byteSize: null }
  }
}

async function inspectContent(handle: FileHandle, depth: InspectionDepth, choice: FrameChoice): Promise<ImageInspection> {
  const bytes = await handle.readFile()
  const fileSha256 = hash('sha256', bytes)
  const byteSize = bytes.length
  try {
    const size = await readSize(bytes, choice)
    const identity = { sha256: imageContentHash(fileSha256, size.frame), byteSize }
    if (depth === 'full') {
      const found = await decodingBudget.run(size.widthPx * size.heightPx, async () => {
        const decoded = await decodeImage(bytes, { name, frame: size.frame })
        const textSigns = findTextSigns(bytes, decoded)
        return { measures: measureImage(decoded, { byteSize: bytes.length, format: decoded.format }), ...(textSigns ? { textSigns } : {}) }
      })
      const damage = bytes[0] === 0xff ? findJpegDamage(bytes) : null
      if (damage !== null) throw new AppError('IMAGE_DAMAGED', `${name} is damaged: ${damage}.`)
      return { kind: 'usable', ...identity, ...size, ...found }
    }
    return { kind: 'usable', ...identity, ...size }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { kind: 'unusable', code: error.code, detail: error.message, sha256: fileSha256, byteSize }
  }
}

const rasterFormats = new Set(['jpeg', 'png', 'gif', 'webp', 'tiff'])

interface ImageHeader {
  widthPx: number
  heightPx: number
  /** The chosen frame, counted from 0, of so many. */
  frame: number
  frameCount: number
  note: ImageNote | null
  /** Of a DICOM file. */
  dates?: HeaderDates
}

/** Width and height after EXIF rotation, and the frame, from the header alone. Throws AppError IMAGE_*, DICOM_*. */
async function readSize(bytes: Buffer, choice: FrameChoice): Promise<ImageHeader> {
  if (isDicom(bytes)) return readDicomSize(bytes, choice)
  if (!isKnownStart(bytes)) throw new AppError('IMAGE_UNSUPPORTED', `${name} is ${describeStart(bytes)}; DICOM, JPEG, PNG, TIFF, WebP and GIF can be read.`)
  // The pixel limit is lifted because only the header is read; it is applied below with the numbers in the message.
  const metadata = await sharp(bytes, { failOn: 'none', limitInputPixels: false }).metadata().catch((cause: unknown) => {
    throw new AppError('IMAGE_DAMAGED', `${name} is cut short or damaged: its header cannot be read.`, { cause })
  })
  const { width, height, format, pages = 1 } = metadata
  if (!rasterFormats.has(format)) throw new AppError('IMAGE_UNSUPPORTED', `${name} is not a JPEG, PNG, TIFF, WebP or GIF picture.`)
  if (width * height > DEFAULT_MAX_PIXELS) throw new AppError('IMAGE_TOO_LARGE', `${name} says it has ${width} x ${height} pixels; at most ${DEFAULT_MAX_PIXELS / 1e6} million are read.`)
  // Reading only the first page would drop the others without a word.
  if (pages > 1) throw new AppError('IMAGE_UNSUPPORTED', `${name} holds ${pages} pictures; only files with one picture can be read.`)
  return { widthPx: metadata.autoOrient.width, heightPx: metadata.autoOrient.height, frame: chosenFrame(choice, 1), frameCount: 1, note: null }
}

/** Throws AppError DICOM_FRAME_MISSING when the file ends before the chosen frame. */
function chosenFrame(choice: FrameChoice, frameCount: number): number {
  const frame = frameIndex(choice, frameCount)
  if (frame !== null) return frame
  throw new AppError('DICOM_FRAME_MISSING', `${name} holds ${frameCount === 1 ? 'one frame' : `${frameCount} frames`}; ${frameWords(choice)} was asked for.`)
}

function readDicomSize(bytes: Buffer, choice: FrameChoice): ImageHeader {
  const { description, facts, dates } = readDicom(bytes)
  const { frameCount } = description
  const frame = chosenFrame(choice, frameCount)
  const raw: ImageNote | null = facts.isForProcessing ? { code: 'DICOM_FOR_PROCESSING', detail: `${name} holds raw detector values ("for processing").` } : null
  const note: ImageNote | null = frameCount > 1 ? { code: 'DICOM_MULTI_FRAME', detail: `${name} holds ${frameCount} frames; ${frameWords(choice)}${choice === 'middle' || choice === 'last' ? ` (${frame + 1})` : ''} is used.` } : raw
  return { widthPx: description.columns, heightPx: description.rows, frame, frameCount, note, dates }
}

/** First bytes of the formats that may reach the decoder; vector pictures and documents must not. */
function isKnownStart(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12)
  return start.startsWith('\xff\xd8\xff') || start.startsWith('\x89PNG\r\n\x1a\n') || /^GIF8[79]a/.test(start) || /^RIFF....WEBP/s.test(start) || /^(II[*+]\0|MM\0[*+])/.test(start)
}

function describeStart(bytes: Buffer): string {
  const start = bytes.toString('latin1', 0, 12)
  if (start.startsWith('BM')) return 'a BMP picture'
  if (start.startsWith('%PDF')) return 'a PDF document'
  if (start.slice(4, 8) === 'ftyp') return 'a HEIF picture or a video'
  if (/^\s*<(\?xml|svg|!doctype|html)/i.test(start)) return 'a web page or drawing'
  return 'not a picture'
}

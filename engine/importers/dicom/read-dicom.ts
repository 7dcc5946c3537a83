/** The way into DICOM files for the rest of the engine. */
import { AppError } from '../../domain/errors.ts'
import { decodeFrame, type DecodedFrame } from './codecs/decode-frame.ts'
import { readNativeFrame } from './codecs/native.ts'
import { drawFrame, fullRange, type DisplayFrame } from './display/draw-frame.ts'
import { readFacts, type DicomFacts } from './facts.ts'
import { headerDatesOf, type HeaderDates } from '../privacy/profile/header-dates.ts'
import { frameScopes, readModality, readPresets } from './display/grayscale-header.ts'
import type { VoiTransform } from './display/grayscale.ts'
import { parseDicom, type DicomFile, type PixelElement } from './parse.ts'
import { findCompressedFrames } from './pixel-data.ts'
import { assertImageSize, readPixelDescription, type PixelDescription } from './pixel-description.ts'

/** An image file with its header read and checked; frames are decoded when asked for. */
export interface DicomImage {
  facts: DicomFacts
  /** Real days: for the check of dates alone, never to be stored. */
  dates: HeaderDates
  description: PixelDescription
  /** Ways of showing the frame that the file was opened for that it proposes, the default first; empty for colours and when it proposes none. */
  presets: VoiTransform[]
  /** Stored values of a frame, counted from 0. Throws AppError DICOM_*. */
  readFrame: (frame: number) => DecodedFrame
  /** The frame as the model and the screen get it; `voi` replaces the file's default. Throws AppError DICOM_*. */
  renderFrame: (frame: number, voi?: VoiTransform) => DisplayFrame
  /** Everything that a grey frame holds, from its smallest to its largest value. */
  fullRange: (frame: number) => VoiTransform
}

/**
 * Opens a DICOM image; `facts` and `presets` are those of one frame, counted from 0.
 * @throws AppError DICOM_UNREADABLE, DICOM_NO_IMAGE, DICOM_HEADER_INCOMPLETE, DICOM_PHOTOMETRIC_UNSUPPORTED,
 * DICOM_SYNTAX_UNSUPPORTED, DICOM_PIXELS_SHORT, IMAGE_TOO_LARGE
 */
export function readDicom(bytes: Uint8Array, frame = 0): DicomImage {
  // A Buffer's slice is a view where a typed array's is a copy; everything below counts on copies.
  const file = parseDicom(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const pixels = findPixels(file)
  const description = readPixelDescription(file.dataSet)
  const readFrame = openFrames(file, pixels, description)
  const { dataSet } = file
  return {
    facts: readFacts(dataSet, file.transferSyntax, description.frameCount, frame),
    dates: headerDatesOf(dataSet),
    description,
    presets: description.photometric.startsWith('MONOCHROME') ? readPresets(frameScopes(dataSet, frame), description.isSigned) : [],
    readFrame,
    renderFrame: (index, voi) => drawFrame(readFrame(index), index, description, dataSet, voi ?? null),
    fullRange: (index) => fullRange(readFrame(index).data, readModality(frameScopes(dataSet, index), description.isSigned)),
  }
}

function findPixels({ pixels, dataSet, isFloat, isCutShort }: DicomFile): PixelElement {
  if (pixels !== null) return pixels
  if (isFloat) throw new AppError('DICOM_PHOTOMETRIC_UNSUPPORTED', 'The pixels are floating-point numbers (a parametric map), which cannot be shown as a picture.')
  if (isCutShort) throw new AppError('DICOM_PIXELS_SHORT', 'The file ends before its pixels begin.')
  const kind = dataSet.has('0004,1220') ? 'a DICOMDIR, a list of other files' : describeKind(dataSet.text('0008,0060'))
  throw new AppError('DICOM_NO_IMAGE', `The file is ${kind}; it holds no picture.`)
}

function describeKind(dicomModality: string | null): string {
  const kinds: Record<string, string> = { SR: 'a DICOM report', PR: 'a DICOM presentation state', KO: 'a DICOM selection of images', RTPLAN: 'a radiotherapy plan', RTSTRUCT: 'a set of contours', DOC: 'a document in DICOM' }
  return kinds[dicomModality ?? ''] ?? 'a DICOM file without pixels'
}

function openFrames(file: DicomFile, pixels: PixelElement, description: PixelDescription): (frame: number) => DecodedFrame {
  const { transferSyntax, isBigEndian, dataSet } = file
  const isFragmented = pixels.length === null
  const encoding = transferSyntax?.encoding ?? 'native'
  if (encoding === 'unsupported') throw new AppError('DICOM_SYNTAX_UNSUPPORTED', `The pixels are stored as ${transferSyntax!.name}, which cannot be read.`)
  const assertFrame = (frame: number): void => {
    if (Number.isInteger(frame) && frame >= 0 && frame < description.frameCount) return
    throw new AppError('DICOM_FRAME_MISSING', `The file holds ${description.frameCount === 1 ? 'one frame' : `${description.frameCount} frames`}; frame ${frame + 1} of it was asked for.`)
  }
  if (!isFragmented && encoding === 'native') {
    // The first frame is sliced at once: a file that cannot hold its frames is refused before its size is believed.
    assertNativeLength(pixels, description)
    assertImageSize(description)
    return (frame) => {
      assertFrame(frame)
      return { ...readNativeFrame(pixels, description, frame, isBigEndian), colour: null }
    }
  }
  assertImageSize(description)
  const frames = isFragmented
    ? findCompressedFrames(pixels, description.frameCount, dataSet)
    // Compressed pixels with a length of their own: some writers leave out the fragments of a single frame.
    : [pixels.content.subarray(pixels.offset, pixels.offset + pixels.length!)]
  return (frame) => {
    assertFrame(frame)
    const bytes = frames[frame]
    if (bytes === undefined || bytes.length === 0) throw new AppError('DICOM_PIXELS_SHORT', `Frame ${frame + 1} of ${description.frameCount} is not in the file.`)
    if (encoding === 'native' && !looksCompressed(bytes)) return readEncapsulatedNative(bytes, description)
    return decodeFrame(bytes, encoding, description, transferSyntax?.isLossy)
  }
}

function assertNativeLength(pixels: PixelElement, description: PixelDescription): void {
  const { rows, columns, samples, bitsAllocated, frameCount } = description
  const available = Math.max(0, Math.min(pixels.length ?? Infinity, pixels.content.length - pixels.offset))
  const least = description.photometric === 'YBR_FULL_422' && bitsAllocated === 8 ? rows * Math.ceil(columns / 2) * 4 : Math.ceil((rows * columns * samples * bitsAllocated) / 8)
  const expected = bitsAllocated === 1 ? Math.ceil((rows * columns * samples * frameCount) / 8) : least * frameCount
  if (available < expected) {
    throw new AppError('DICOM_PIXELS_SHORT', `The header promises ${expected} bytes of pixels for ${columns} x ${rows} and ${frameCount} frame${frameCount > 1 ? 's' : ''}; ${available} are in the file.`)
  }
}

function readEncapsulatedNative(bytes: Uint8Array, description: PixelDescription): DecodedFrame {
  const element = { content: bytes, offset: 0, length: bytes.length, isWords: false }
  return { ...readNativeFrame(element, { ...description, frameCount: 1 }, 0, false), colour: null }
}

/** Fragments of a file that names no transfer syntax: compressed after all? */
function looksCompressed(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && (bytes[1] === 0xd8 || bytes[1] === 0x4f)
}

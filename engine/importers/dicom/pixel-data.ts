/** Finds the bytes of each frame: slices of uncompressed pixels, or the fragments that hold a compressed frame. PS3.5 annex A.4. */
import { AppError } from '../../domain/errors.ts'
import type { DicomDataSet } from './data-set.ts'
import type { PixelElement } from './parse.ts'

const itemTag = 0xe000fffe
const delimiterTag = 0xe0ddfffe

interface Fragment {
  /** Position of the item's tag, counted from the first fragment's: what offset tables hold. */
  offset: number
  bytes: Uint8Array
}

/**
 * The compressed bytes of each frame. Offset tables are used where they fit the fragments; otherwise a frame begins where a
 * fragment starts like a picture.
 * @throws AppError DICOM_PIXELS_SHORT when frames are missing, DICOM_FRAME_DAMAGED when fragments belong to no frame for sure
 */
export function findCompressedFrames(pixels: PixelElement, frameCount: number, dataSet: DicomDataSet): Uint8Array[] {
  const { fragments, table } = readFragments(pixels)
  if (fragments.length === 0) throw new AppError('DICOM_PIXELS_SHORT', 'The file ends before its pixels begin.')
  if (frameCount === 1) return [join(fragments)]
  const offsets = readExtendedTable(dataSet) ?? table
  const byTable = splitAt(fragments, offsets, frameCount)
  if (byTable !== null) return byTable
  if (fragments.length === frameCount) return fragments.map(({ bytes }) => bytes)
  const starts = fragments.filter(({ bytes }) => looksLikePicture(bytes)).map(({ offset }) => offset)
  const byStart = splitAt(fragments, starts, frameCount)
  if (byStart !== null) return byStart
  if (fragments.length < frameCount) throw new AppError('DICOM_PIXELS_SHORT', `The header says ${frameCount} frames; only ${fragments.length} are in the file.`)
  throw new AppError('DICOM_FRAME_DAMAGED', `It cannot be told which of the ${fragments.length} pieces belong to which of the ${frameCount} frames.`)
}

function readFragments(pixels: PixelElement): { fragments: Fragment[]; table: number[] } {
  const { content, offset } = pixels
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const fragments: Fragment[] = []
  let table: number[] | null = null
  let base = 0
  for (let at = offset; at + 8 <= content.length;) {
    const tag = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    // A missing delimiter or anything else ends the list; a length beyond the end of the file is cut, and the codec judges the rest.
    if (tag === delimiterTag || tag !== itemTag || length === 0xffffffff) break
    const bytes = content.subarray(at + 8, at + 8 + length)
    if (table === null) {
      table = Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(at + 8 + 4 * i, true))
      base = at + 8 + length
    } else if (bytes.length > 0) fragments.push({ offset: at - base, bytes })
    at += 8 + length
  }
  return { fragments, table: table ?? [] }
}

/** The 64-bit table of (7FE0,0001), used for files with frames beyond 4 GB. */
function readExtendedTable(dataSet: DicomDataSet): number[] | null {
  const bytes = dataSet.bytes('7fe0,0001')
  if (bytes === null || bytes.length < 8) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length >> 3 }, (_, i) => Number(view.getBigUint64(8 * i, true)))
}

/** Groups fragments at the given offsets; null when these do not fall on fragments or are not one for each frame. */
function splitAt(fragments: readonly Fragment[], offsets: readonly number[], frameCount: number): Uint8Array[] | null {
  if (offsets.length !== frameCount || offsets[0] !== fragments[0]!.offset) return null
  const starts = offsets.map((offset) => fragments.findIndex((fragment) => fragment.offset === offset))
  if (starts.some((start, i) => start < 0 || (i > 0 && start <= starts[i - 1]!))) return null
  return starts.map((start, i) => join(fragments.slice(start, starts[i + 1] ?? fragments.length)))
}

function looksLikePicture(bytes: Uint8Array): boolean {
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff
  const isCodestream = bytes[0] === 0xff && bytes[1] === 0x4f && bytes[2] === 0xff && bytes[3] === 0x51
  const isJp2 = bytes[3] === 0x0c && bytes[4] === 0x6a && bytes[5] === 0x50
  return isJpeg || isCodestream || isJp2
}

function join(fragments: readonly Fragment[]): Uint8Array {
  if (fragments.length === 1) return fragments[0]!.bytes
  return Buffer.concat(fragments.map(({ bytes }) => bytes))
}

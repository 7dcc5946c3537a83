/** The main header of a JPEG 2000 codestream, read before decoding: ITU-T T.800 annex A (SIZ, CAP, COD). */
import { AppError } from '../../../domain/errors.ts'

export interface Jpeg2000Header {
  rows: number
  columns: number
  components: { precision: number; isSigned: boolean; isSubsampled: boolean }[]
  tileCount: number
  /** A multiple component transform was applied: what comes out of the decoder is RGB. */
  hasColourTransform: boolean
  /** High-throughput block coding (T.814). */
  isHighThroughput: boolean
  /** Begins where the codestream does; the boxes of a JP2 file before it are left out. */
  codestream: Uint8Array
}

/** @throws AppError DICOM_FRAME_DAMAGED */
export function readJpeg2000Header(bytes: Uint8Array): Jpeg2000Header {
  const start = findCodestream(bytes)
  const codestream = bytes.subarray(start)
  const view = new DataView(codestream.buffer, codestream.byteOffset, codestream.byteLength)
  if (start < 0 || codestream.length < 48) throw damaged()
  const [width, height, left, top, tileWidth, tileHeight, tileLeft, tileTop] = Array.from({ length: 8 }, (_, i) => view.getUint32(8 + 4 * i)) as [number, number, number, number, number, number, number, number]
  const count = view.getUint16(40)
  const columns = width - left
  const rows = height - top
  // The first tile must hold the first pixel (T.800 B.3); a codec that is told otherwise may not end.
  const isFirstTileOff = tileLeft > left || tileTop > top || tileLeft + tileWidth <= left || tileTop + tileHeight <= top
  if (isFirstTileOff || count === 0 || codestream.length < 42 + 3 * count || columns < 1 || rows < 1 || tileWidth === 0 || tileHeight === 0) throw damaged()
  const components = Array.from({ length: count }, (_, i) => {
    const [depth, dx, dy] = [codestream[42 + 3 * i]!, codestream[43 + 3 * i]!, codestream[44 + 3 * i]!]
    return { precision: (depth & 0x7f) + 1, isSigned: depth >= 0x80, isSubsampled: dx !== 1 || dy !== 1 }
  })
  const tileCount = Math.ceil((width - tileLeft) / tileWidth) * Math.ceil((height - tileTop) / tileHeight)
  return { rows, columns, components, tileCount, codestream, ...readCoding(codestream, view) }
}

function readCoding(codestream: Uint8Array, view: DataView): { hasColourTransform: boolean; isHighThroughput: boolean } {
  const coding = { hasColourTransform: false, isHighThroughput: false }
  for (let at = 2; at + 4 <= codestream.length && codestream[at] === 0xff;) {
    const marker = codestream[at + 1]!
    if (marker === 0x90 || marker === 0xd9) break
    if (marker === 0x50) coding.isHighThroughput = true
    if (marker === 0x52 && at + 9 <= codestream.length) coding.hasColourTransform = codestream[at + 8] === 1
    at += 2 + view.getUint16(at + 2)
  }
  return coding
}

function findCodestream(bytes: Uint8Array): number {
  const limit = Math.min(bytes.length - 4, 65_536)
  for (let at = 0; at <= limit; at++) if (bytes[at] === 0xff && bytes[at + 1] === 0x4f && bytes[at + 2] === 0xff && bytes[at + 3] === 0x51) return at
  return -1
}

function damaged(): AppError {
  return new AppError('DICOM_FRAME_DAMAGED', 'A compressed frame does not start like a JPEG 2000 picture; it is damaged.')
}

/** The frame header of JPEG and JPEG-LS streams, read before decoding: ITU-T T.81 annex B, T.87 annex C. */
import { AppError } from '../../../domain/errors.ts'

export interface JpegHeader {
  /** 'lossy' DCT, 'lossless' prediction, or JPEG-LS. */
  kind: 'lossy' | 'lossless' | 'jpeg-ls'
  precision: number
  rows: number
  columns: number
  components: { id: number; horizontal: number; vertical: number }[]
  /** Colour transform of an Adobe marker (0 none, 1 YCbCr); null without one. */
  adobeTransform: number | null
}

const lossyFrames = new Set([0xc0, 0xc1, 0xc2])
const markersAlone = new Set([0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8])

/**
 * Reads up to the frame header.
 * @throws AppError DICOM_FRAME_DAMAGED when there is none, DICOM_SYNTAX_UNSUPPORTED for hierarchical and arithmetic coding
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const found = { adobeTransform: null as number | null }
  for (let at = 0; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) throw damaged()
    const marker = bytes[at + 1]!
    if (marker === 0xff || markersAlone.has(marker)) {
      at += marker === 0xff ? 1 : 2
      continue
    }
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!
    const segment = bytes.subarray(at + 4, at + 2 + length)
    const text = String.fromCharCode(...segment.subarray(0, 5))
    if (marker === 0xee && text === 'Adobe' && segment.length >= 12) found.adobeTransform = segment[11]!
    if (marker === 0xda || marker === 0xd9) throw damaged()
    const kind = lossyFrames.has(marker) ? 'lossy' : marker === 0xc3 ? 'lossless' : marker === 0xf7 ? 'jpeg-ls' : null
    if (kind !== null) return { kind, ...readFrame(segment), ...found }
    const isOtherFrame = marker >= 0xc5 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc
    if (isOtherFrame) throw new AppError('DICOM_SYNTAX_UNSUPPORTED', 'The image is compressed by a rare kind of JPEG (hierarchical or arithmetic coding).')
    at += 2 + length
  }
  throw damaged()
}

/** Are the colours of a JPEG-LS picture stored plane after plane? T.87 table C.3: interleave mode 0 of the first scan. */
export function isJpegLsPlanar(bytes: Uint8Array): boolean {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!
    if (bytes[at + 1] === 0xda) return bytes[at + 4 + 2 + 2 * bytes[at + 4]!] === 0
    at += 2 + length
  }
  return false
}

function readFrame(segment: Uint8Array): Pick<JpegHeader, 'precision' | 'rows' | 'columns' | 'components'> {
  const count = segment[5] ?? 0
  if (segment.length < 6 + 3 * count || count === 0) throw damaged()
  const components = Array.from({ length: count }, (_, i) => {
    const factors = segment[7 + 3 * i]!
    return { id: segment[6 + 3 * i]!, horizontal: factors >> 4, vertical: factors & 15 }
  })
  return { precision: segment[0]!, rows: (segment[1]! << 8) | segment[2]!, columns: (segment[3]! << 8) | segment[4]!, components }
}

function damaged(): AppError {
  return new AppError('DICOM_FRAME_DAMAGED', 'A compressed frame does not start like a JPEG picture; it is damaged.')
}

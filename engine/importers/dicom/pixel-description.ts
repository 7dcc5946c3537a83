/** What a header says about its pixels, checked before anything is allocated. PS3.3 C.7.6.3. */
import { AppError } from '../../domain/errors.ts'
import type { DicomDataSet } from './data-set.ts'

export type Photometric = 'MONOCHROME1' | 'MONOCHROME2' | 'PALETTE COLOR' | 'RGB' | 'YBR_FULL' | 'YBR_FULL_422' | 'YBR_ICT' | 'YBR_RCT'

export interface PixelDescription {
  rows: number
  columns: number
  /** Samples of one pixel: 1 grey or palette, 3 colour. */
  samples: number
  frameCount: number
  bitsAllocated: number
  bitsStored: number
  /** Number of the highest used bit; the stored bits end there. */
  highBit: number
  isSigned: boolean
  photometric: Photometric
  /** Colour planes one after the other instead of colour by colour in each pixel. */
  isPlanar: boolean
}

const photometrics: readonly Photometric[] = ['MONOCHROME1', 'MONOCHROME2', 'PALETTE COLOR', 'RGB', 'YBR_FULL', 'YBR_FULL_422', 'YBR_ICT', 'YBR_RCT']
const required: Record<string, string> = {
  '0028,0002': 'SamplesPerPixel', '0028,0004': 'PhotometricInterpretation', '0028,0010': 'Rows', '0028,0011': 'Columns', '0028,0100': 'BitsAllocated',
}
const maxFrames = 100_000
const maxPixels = 64_000_000

/**
 * Reads and checks the description.
 * @throws AppError DICOM_HEADER_INCOMPLETE, DICOM_PHOTOMETRIC_UNSUPPORTED, IMAGE_TOO_LARGE
 */
export function readPixelDescription(dataSet: DicomDataSet): PixelDescription {
  const missing = Object.keys(required).filter((tag) => (tag === '0028,0004' ? dataSet.text(tag) === null : dataSet.words(tag).length === 0))
  if (missing.length > 0) throw incomplete(`The header lacks ${missing.map((tag) => required[tag]).join(', ')}.`)
  const word = (tag: string): number => dataSet.words(tag)[0]!
  const [rows, columns, samples, bitsAllocated] = [word('0028,0010'), word('0028,0011'), word('0028,0002'), word('0028,0100')]
  const photometric = readPhotometric(dataSet.text('0028,0004')!)
  const bitsStored = dataSet.words('0028,0101')[0] ?? bitsAllocated
  const highBit = dataSet.words('0028,0102')[0] ?? bitsStored - 1
  const representation = dataSet.words('0028,0103')[0]
  if (rows === 0 || columns === 0) throw incomplete(`The header says that the image has ${columns} x ${rows} pixels.`)
  if (samples !== 1 && samples !== 3) throw incomplete(`The header says that a pixel has ${samples} samples; 1 or 3 can be read.`)
  if (![1, 8, 16, 32].includes(bitsAllocated)) throw incomplete(`The header says that a sample takes ${bitsAllocated} bits; 1, 8, 16 and 32 can be read.`)
  if (bitsStored < 1 || bitsStored > bitsAllocated) throw incomplete(`The header says that ${bitsStored} of ${bitsAllocated} bits are used.`)
  // Guessing here would turn the darkest tissue into the brightest.
  if (representation === undefined && bitsAllocated > 8) throw incomplete('The header does not say whether pixel values are signed (PixelRepresentation).')
  const isColour = photometric !== 'MONOCHROME1' && photometric !== 'MONOCHROME2' && photometric !== 'PALETTE COLOR'
  if (isColour !== (samples === 3)) throw incomplete(`The header says ${photometric} with ${samples} samples for each pixel.`)
  return {
    rows, columns, samples, bitsAllocated, bitsStored, photometric,
    highBit: highBit >= bitsStored - 1 && highBit < bitsAllocated ? highBit : bitsStored - 1,
    isSigned: representation === 1,
    frameCount: readFrameCount(dataSet),
    isPlanar: samples === 3 && dataSet.words('0028,0006')[0] === 1,
  }
}

/** Refuses images larger than any radiograph detector before memory is taken for them. */
export function assertImageSize({ rows, columns }: PixelDescription): void {
  if (rows * columns <= maxPixels) return
  throw new AppError('IMAGE_TOO_LARGE', `The DICOM header says ${columns} x ${rows} pixels; at most ${maxPixels / 1e6} million are read.`)
}

function readPhotometric(text: string): Photometric {
  const known = photometrics.find((one) => one === text.toUpperCase())
  if (known === undefined) throw new AppError('DICOM_PHOTOMETRIC_UNSUPPORTED', `The image is stored as ${text.slice(0, 16).replace(/[^\w ]/g, '?')}, a kind of colour that cannot be read.`)
  return known
}

function readFrameCount(dataSet: DicomDataSet): number {
  const count = dataSet.decimals('0028,0008')[0] ?? 1
  if (!Number.isInteger(count) || count < 0 || count > maxFrames) throw incomplete(`The header says that the file holds ${count} frames.`)
  return Math.max(count, 1)
}

function incomplete(message: string): AppError {
  return new AppError('DICOM_HEADER_INCOMPLETE', message)
}

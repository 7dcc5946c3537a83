/** DICOM, a decoder for each way of writing data sets and packing pixels. */
import { deflateRawSync } from 'node:zlib'
import sharp from 'sharp'
import { runOnThread } from '../../../../engine/importers/dicom/decode-pool.ts'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { encode, imageElements, makeValues, syntaxes, toBytes, writeDicom, type Elements, type Encoder, type Shape } from '../dicom/make-dicom.ts'
import type { FuzzDecoder, FuzzSource } from './decoders.ts'

const grey = (bits: number, isSigned = false): Shape => ({ rows: 13, columns: 17, bits, isSigned })
const colour: Shape = { rows: 11, columns: 14, bits: 8, samples: 3 }

/** Windows, tables and functional groups, which must survive damage as well. */
const display: Elements = {
  '0028,1050': ['DS', '40\\300'], '0028,1051': ['DS', '80\\2000'], '0028,1056': ['CS', 'SIGMOID'],
  '0028,3000': ['SQ', [{ '0028,3002': ['US', [4, 0, 16]], '0028,3006': ['OW', [0, 1, 2, 3]] }]], '5200,9229': ['SQ', [{ '0020,9071': ['SQ', [{ '0020,9072': ['CS', 'R'] }]] }]],
  '5200,9230': ['SQ', [{ '0028,9145': ['SQ', [{ '0028,1052': ['DS', '-10'], '0028,1053': ['DS', '2'] }]] }]],
}
const palette = (data: string): Elements => Object.fromEntries([1, 2, 3].flatMap((i) => [[`0028,110${i}`, ['US', [4, 0, 16]]], [`0028,12${data}${i}`, ['OW', [0, 1, 10, 1, 3, 90]]]])) as Elements

/** As the product reads files: on a thread that is ended when it runs in circles. */
async function readOnThread(bytes: Buffer): Promise<void> {
  await runOnThread({ kind: 'draw', bytes, frame: 0, voi: null, to: null })
}

/** At most three frames are drawn: a damaged count may say thousands. */
function read(bytes: Buffer): void {
  const image = readDicom(bytes)
  for (let frame = 0; frame < Math.min(3, image.description.frameCount); frame++) image.renderFrame(frame)
}

function native(name: string, syntax: string, options: Parameters<typeof writeDicom>[2] = {}): FuzzDecoder {
  const shape: Shape = { rows: 7, columns: 9, bits: 12, frames: 2 }
  const pixels = toBytes([...makeValues(shape), ...makeValues(shape, 5)], 2)
  const files = [
    writeDicom({ ...imageElements(shape), ...display }, pixels, { syntax, ...options }),
    writeDicom({ ...imageElements({ ...colour, rows: 3, photometric: 'YBR_FULL_422' }) }, Buffer.alloc(3 * 14 * 2, 77), { syntax, ...options }),
    ...['0', '2'].map((data) => writeDicom({ ...imageElements({ rows: 4, columns: 4, bits: 8, photometric: 'PALETTE COLOR' }), ...palette(data) }, Buffer.alloc(16, 2), { syntax, ...options })),
  ]
  return { name, read, sources: async () => files.map((bytes) => ({ bytes })) }
}

/** Whole files, and frames alone that are damaged before they are put into a sound file. */
function compressed(name: string, syntax: string, frames: () => Promise<[Shape, Uint8Array][]>): FuzzDecoder {
  return {
    name, read: readOnThread,
    sources: async () => (await frames()).flatMap(([shape, frame]): FuzzSource[] => {
      const wrap = (damaged: Uint8Array): Buffer => writeDicom(imageElements(shape), { table: [0], fragments: [damaged] }, { syntax })
      return [{ bytes: wrap(frame) }, { bytes: Buffer.from(frame), wrap }, { bytes: Buffer.from(frame), wrap }]
    }),
  }
}

const encoded = (encoder: Encoder, parameters: object, ...shapes: Shape[]) => async (): Promise<[Shape, Uint8Array][]> =>
  Promise.all(shapes.map(async (shape): Promise<[Shape, Uint8Array]> => [shape, await encode(encoder, makeValues(shape), shape, { lossy: false, ...parameters })]))

/** 12 bits with loss, which the encoders at hand do not write: a wave of 13 x 17 pixels by libjpeg-turbo 3.1. */
const extendedFrame = Buffer.from([
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/wQALDAANABEBAREA/8QAFwAAAwEAAA',
  'AAAAAAAAAAAAAACgwNC//EACsQAAADBgYBAwUAAAAAAAAAAAEEBgIDBQcKCwAICQwREhMhWZYNHB3R0v/aAAgBAQAAPwBrO2/Jv+uiktA9l2T1sv1QtQmUyNzBQfK86lg9S6hU5RweA4zCwJix43jY',
  'Nc9g444xNr9/w7T0qVN3Y3ImYNavTEZRl9OGUqvngZW5WOS+ghg8WaLPDzRgGgbcMtBx1HGTh+MxLgZ7X07PiB3+MAe7ydveFeTSy7osWlPNpKap65QGW0pn7MJxyjIUszpUsBEI+LoHfidj146enG',
  'Lj59HTLZfSvXRix4ya1dKsjIumJ9zmiuVEjGDajVScLRJ82aahLLwW/IYAWue3rzhil+3oLbZ7NUuvgZD9Y//Z',
].join(''), 'base64')

async function progressive(): Promise<[Shape, Uint8Array][]> {
  const shape: Shape = { ...colour, photometric: 'YBR_FULL_422' }
  return [[shape, await sharp(toBytes(makeValues(shape), 1), { raw: { width: shape.columns, height: shape.rows, channels: 3 } }).jpeg({ progressive: true }).toBuffer()]]
}

export const dicomDecoders: readonly FuzzDecoder[] = [
  native('dicom-implicit', syntaxes.implicit),
  native('dicom-explicit', syntaxes.explicit),
  native('dicom-big-endian', syntaxes.bigEndian),
  native('dicom-no-meta', syntaxes.implicit, { hasPreamble: false, hasMeta: false, isImplicit: true }),
  {
    name: 'dicom-deflated', read,
    sources: async () => {
      const whole = writeDicom({ ...imageElements({ rows: 7, columns: 9, bits: 12 }), ...display }, toBytes(makeValues({ rows: 7, columns: 9, bits: 12 }), 2), { syntax: syntaxes.explicit, hasMeta: false, hasPreamble: false })
      const head = writeDicom({}, null, { syntax: syntaxes.deflated }).subarray(0, -2)
      const wrap = (damaged: Buffer): Buffer => Buffer.concat([head, deflateRawSync(damaged)])
      return [{ bytes: wrap(whole) }, { bytes: whole, wrap }]
    },
  },
  compressed('dicom-deflated-frame', syntaxes.deflatedFrame, async () => [[grey(12), deflateRawSync(toBytes(makeValues(grey(12)), 2))], [grey(1), deflateRawSync(Buffer.alloc(32, 0x5a))]]),
  compressed('dicom-encapsulated', '1.2.840.10008.1.2.1.98', async () => [[grey(12), toBytes(makeValues(grey(12)), 2)]]),
  compressed('dicom-rle', syntaxes.rle, encoded('encodeRle', {}, grey(8), grey(16, true), colour)),
  compressed('dicom-jpeg-baseline', syntaxes.jpegBaseline, encoded('encodeJpeg', { lossy: true }, grey(8), { ...colour, photometric: 'YBR_FULL_422' })),
  compressed('dicom-jpeg-extended', syntaxes.jpegExtended, async () => [[grey(12), extendedFrame]]),
  compressed('dicom-jpeg-progressive', '1.2.840.10008.1.2.4.55', progressive),
  compressed('dicom-jpeg-lossless', syntaxes.jpegLossless, encoded('encodeJpeg', {}, grey(8), grey(12), grey(16, true), colour)),
  compressed('dicom-jpeg-lossless-p14', '1.2.840.10008.1.2.4.57', encoded('encodeJpeg', { predictor: 4 }, grey(16))),
  compressed('dicom-jpeg-ls', syntaxes.jpegLs, encoded('encodeJpegLs', {}, grey(8), grey(12), grey(16), colour)),
  compressed('dicom-jpeg-ls-near', '1.2.840.10008.1.2.4.81', encoded('encodeJpegLs', { lossy: true, allowedLossyError: 3 }, grey(8), grey(12))),
  compressed('dicom-jpeg-2000', syntaxes.jpeg2000, encoded('encodeJpeg2000', {}, grey(8), grey(12, true), colour)),
  compressed('dicom-jpeg-2000-lossy', '1.2.840.10008.1.2.4.91', encoded('encodeJpeg2000', { lossy: true, rate: 10 }, grey(12), colour)),
  compressed('dicom-htj2k', syntaxes.highThroughput, encoded('encodeHtJpeg2000', {}, grey(8), grey(12), colour)),
]

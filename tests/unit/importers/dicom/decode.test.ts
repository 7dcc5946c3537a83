import { deflateRawSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { encapsulate, encode, imageElements, makeValues, syntaxes, toBytes, writeDicom, type Encoder, type Shape } from './make-dicom.ts'

const plain = (values: ArrayLike<number>): number[] => Array.from(values)
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => (a.length === b.length ? plain(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) : Infinity)
const grey = (bits: number, isSigned = false): Shape => ({ rows: 37, columns: 41, bits, isSigned })

describe('uncompressed pixels', () => {
  it.each([syntaxes.implicit, syntaxes.explicit, syntaxes.bigEndian, syntaxes.deflated])('reads 12 bits written as %s', (syntax) => {
    const shape = grey(12)
    const values = makeValues(shape)
    const little = toBytes(values, 2)
    const pixels = syntax === syntaxes.bigEndian ? Buffer.from(little).swap16() : little
    expect(plain(readDicom(writeDicom(imageElements(shape), pixels, { syntax })).readFrame(0).data)).toEqual(plain(values))
  })

  it.each([[8, false], [8, true], [10, false], [12, true], [16, false], [16, true], [32, false], [32, true]])('reads %i bits, signed %s', (bits, isSigned) => {
    const shape = grey(bits, isSigned)
    const values = makeValues(shape)
    const bytesEach = bits <= 8 ? 1 : bits <= 16 ? 2 : 4
    const { data } = readDicom(writeDicom(imageElements(shape), toBytes(values, bytesEach))).readFrame(0)
    expect(plain(data)).toEqual(bits === 32 && !isSigned ? plain(values).map((value) => value >>> 0) : plain(values))
  })

  it('masks what lies above the stored bits and extends the sign', () => {
    const elements = imageElements({ rows: 1, columns: 4, bits: 12, isSigned: true })
    const { data } = readDicom(writeDicom(elements, toBytes([0x0fff, 0xf800, 0x37ff, 0x1001], 2))).readFrame(0)
    expect(plain(data)).toEqual([-1, -2048, 2047, 1])
  })

  it('shifts values that end at a higher bit', () => {
    const elements = { ...imageElements({ rows: 1, columns: 2, bits: 12 }), '0028,0102': ['US', [15]] } as ReturnType<typeof imageElements>
    expect(plain(readDicom(writeDicom(elements, toBytes([0xabcd, 0x0010], 2))).readFrame(0).data)).toEqual([0xabc, 1])
  })

  it('unpacks single bits, also where a frame begins inside a byte', () => {
    const elements = imageElements({ rows: 1, columns: 3, bits: 1, frames: 3 })
    const image = readDicom(writeDicom(elements, Buffer.from([0b10110101, 0b1])))
    expect([0, 1, 2].map((frame) => plain(image.readFrame(frame).data))).toEqual([[1, 0, 1], [0, 1, 1], [0, 1, 1]])
  })

  it('puts planes of colour together and knows frames apart', () => {
    const elements = { ...imageElements({ rows: 1, columns: 2, bits: 8, samples: 3, frames: 2 }), '0028,0006': ['US', [1]] } as ReturnType<typeof imageElements>
    const image = readDicom(writeDicom(elements, Buffer.from([1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16])))
    expect(plain(image.readFrame(0).data)).toEqual([1, 3, 5, 2, 4, 6])
    expect(plain(image.readFrame(1).data)).toEqual([11, 13, 15, 12, 14, 16])
  })

  it('leaves the bytes of the caller alone', () => {
    const file = writeDicom({ ...imageElements({ rows: 1, columns: 2, bits: 8, samples: 3 }), '0028,0006': ['US', [1]] }, Buffer.from([1, 2, 3, 4, 5, 6]))
    const before = Buffer.from(file)
    readDicom(file).renderFrame(0)
    expect(file.equals(before)).toBe(true)
  })

  it('swaps 8-bit samples of big-endian words', () => {
    const file = writeDicom(imageElements({ rows: 2, columns: 2, bits: 8 }), Buffer.from([2, 1, 4, 3]), { syntax: syntaxes.bigEndian })
    expect(plain(readDicom(file).readFrame(0).data)).toEqual([1, 2, 3, 4])
  })

  it('doubles halved chroma, and takes whole chroma that is declared as halved', () => {
    const elements = imageElements({ rows: 1, columns: 2, bits: 8, samples: 3, photometric: 'YBR_FULL_422' })
    expect(plain(readDicom(writeDicom(elements, Buffer.from([10, 20, 128, 130]))).readFrame(0).data)).toEqual([10, 128, 130, 20, 128, 130])
    expect(plain(readDicom(writeDicom(elements, Buffer.from([10, 128, 130, 20, 127, 131]))).readFrame(0).data)).toEqual([10, 128, 130, 20, 127, 131])
  })
})

const lossless: [name: string, encoder: Encoder, syntax: string, shape: Shape, parameters?: Record<string, unknown>][] = [
  ['JPEG lossless, 8 bits', 'encodeJpeg', syntaxes.jpegLossless, grey(8)],
  ['JPEG lossless, 12 bits', 'encodeJpeg', syntaxes.jpegLossless, grey(12)],
  ['JPEG lossless, 16 bits', 'encodeJpeg', syntaxes.jpegLossless, grey(16)],
  ['JPEG lossless, 16 bits signed, another predictor', 'encodeJpeg', '1.2.840.10008.1.2.4.57', grey(16, true), { predictor: 4 }],
  ['JPEG lossless, colour', 'encodeJpeg', syntaxes.jpegLossless, { rows: 20, columns: 33, bits: 8, samples: 3 }],
  ['JPEG-LS, 8 bits', 'encodeJpegLs', syntaxes.jpegLs, grey(8)],
  ['JPEG-LS, 12 bits', 'encodeJpegLs', syntaxes.jpegLs, grey(12)],
  ['JPEG-LS, 16 bits', 'encodeJpegLs', syntaxes.jpegLs, grey(16)],
  ['JPEG-LS, colour', 'encodeJpegLs', syntaxes.jpegLs, { rows: 20, columns: 33, bits: 8, samples: 3 }],
  ['JPEG 2000, 8 bits', 'encodeJpeg2000', syntaxes.jpeg2000, grey(8)],
  ['JPEG 2000, 12 bits signed', 'encodeJpeg2000', syntaxes.jpeg2000, grey(12, true)],
  ['JPEG 2000, 16 bits', 'encodeJpeg2000', syntaxes.jpeg2000, grey(16)],
  ['JPEG 2000, colour', 'encodeJpeg2000', syntaxes.jpeg2000, { rows: 40, columns: 33, bits: 8, samples: 3 }],
  ['HTJ2K, 8 bits', 'encodeHtJpeg2000', syntaxes.highThroughput, grey(8)],
  ['HTJ2K, 12 bits', 'encodeHtJpeg2000', syntaxes.highThroughput, grey(12)],
  ['HTJ2K, colour', 'encodeHtJpeg2000', syntaxes.highThroughput, { rows: 40, columns: 33, bits: 8, samples: 3 }],
  ['RLE, 8 bits', 'encodeRle', syntaxes.rle, grey(8)],
  ['RLE, 16 bits signed', 'encodeRle', syntaxes.rle, grey(16, true)],
  ['RLE, colour', 'encodeRle', syntaxes.rle, { rows: 20, columns: 33, bits: 8, samples: 3 }],
]

describe('compressed pixels', () => {
  it.each(lossless)('%s: every value as before compression', async (_, encoder, syntax, shape, parameters) => {
    const values = makeValues(shape)
    const fragments = [await encode(encoder, values, shape, { lossy: false, ...parameters })]
    expect(plain(readDicom(writeDicom(imageElements(shape), { table: [], fragments }, { syntax })).readFrame(0).data)).toEqual(plain(values))
  })

  it('lossy JPEG of 8 bits decodes as other decoders do', async () => {
    const shape = { rows: 40, columns: 56, bits: 8 }
    const fragments = [await sharp(toBytes(makeValues(shape), 1), { raw: { width: 56, height: 40, channels: 1 } }).toColourspace('b-w').jpeg({ quality: 70 }).toBuffer()]
    const other = await sharp(fragments[0]).toColourspace('b-w').raw().toBuffer()
    const { data } = readDicom(writeDicom(imageElements(shape), { table: [], fragments }, { syntax: syntaxes.jpegBaseline })).readFrame(0)
    expect(largestDifference(data, other)).toBeLessThanOrEqual(1)
  })

  it.each(['4:4:4', '4:2:0'])('colour JPEG with chroma %s is shown as other decoders show it', async (chromaSubsampling) => {
    const shape: Shape = { rows: 40, columns: 56, bits: 8, samples: 3, photometric: 'YBR_FULL_422' }
    const fragments = [await sharp(toBytes(makeValues(shape), 1), { raw: { width: 56, height: 40, channels: 3 } }).jpeg({ quality: 85, chromaSubsampling }).toBuffer()]
    const other = await sharp(fragments[0]).raw().toBuffer()
    const file = writeDicom(imageElements(shape), { table: [], fragments }, { syntax: syntaxes.jpegBaseline })
    expect(largestDifference(readDicom(file).renderFrame(0).pixels, other)).toBeLessThanOrEqual(2)
  })

  it('believes a header that says RGB, but not of halved chroma', async () => {
    const shape: Shape = { rows: 16, columns: 16, bits: 8, samples: 3, photometric: 'RGB' }
    const show = async (chromaSubsampling: string): Promise<[Uint8Array, ArrayLike<number>]> => {
      const fragments = [await sharp(toBytes(makeValues(shape), 1), { raw: { width: 16, height: 16, channels: 3 } }).jpeg({ chromaSubsampling }).toBuffer()]
      const image = readDicom(writeDicom(imageElements(shape), { table: [], fragments }, { syntax: syntaxes.jpegBaseline }))
      return [image.renderFrame(0).pixels, image.readFrame(0).data]
    }
    const [whole, wholeStored] = await show('4:4:4')
    const [halved, halvedStored] = await show('4:2:0')
    expect(plain(whole)).toEqual(plain(wholeStored))
    expect(plain(halved)).not.toEqual(plain(halvedStored))
  })

  it('inflates frames that are deflated one by one', () => {
    const shape = { rows: 4, columns: 5, bits: 1, frames: 2 }
    const frames = [Buffer.from([255, 0, 15]), Buffer.from([1, 2, 3])]
    const image = readDicom(writeDicom(imageElements(shape), { table: [], fragments: frames.map((frame) => deflateRawSync(frame)) }, { syntax: syntaxes.deflatedFrame }))
    expect(plain(image.readFrame(1).data).slice(0, 10)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  })

  describe('frames in fragments', async () => {
    const shape = { rows: 24, columns: 20, bits: 8, frames: 2 }
    const values = [makeValues(shape, 1), makeValues(shape, 9)]
    const encoded = await Promise.all(values.map((frame) => encode('encodeJpegLs', frame, shape, { lossy: false })))
    const even = encoded.map((frame) => (frame.length % 2 === 1 ? Buffer.concat([frame, Buffer.alloc(1)]) : Buffer.from(frame)))
    const halves = even.flatMap((frame) => [frame.subarray(0, 100), frame.subarray(100)])
    const secondAt = 8 + 100 + 8 + even[0]!.length - 100
    it.each([
      ['one for each frame', [], even],
      ['two for each frame, with a table', [0, secondAt], halves],
      ['two for each frame, without a table', [], halves],
      ['two for each frame, with a wrong table', [0, 12], halves],
      ['one for each frame, with a table of zeros', [0, 0], even],
    ])('%s', (_, table, fragments) => {
      const image = readDicom(writeDicom(imageElements(shape), { table, fragments }, { syntax: syntaxes.jpegLs }))
      expect(plain(image.readFrame(0).data)).toEqual(plain(values[0]!))
      expect(plain(image.readFrame(1).data)).toEqual(plain(values[1]!))
    })

    it('refuses frames that are not there', () => {
      const file = writeDicom(imageElements({ ...shape, frames: 5 }), { table: [], fragments: even }, { syntax: syntaxes.jpegLs })
      expect(() => readDicom(file)).toThrow(expect.objectContaining({ code: 'DICOM_PIXELS_SHORT' }))
    })

    it('goes without the closing delimiter', () => {
      const file = writeDicom(imageElements(shape), { table: [], fragments: even }, { syntax: syntaxes.jpegLs })
      expect(plain(readDicom(file.subarray(0, file.length - 8)).readFrame(1).data)).toEqual(plain(values[1]!))
      expect(encapsulate([], even).length).toBeGreaterThan(8)
    })
  })
})

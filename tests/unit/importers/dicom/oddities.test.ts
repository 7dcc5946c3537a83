import { describe, expect, it } from 'vitest'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { encode, imageElements, makeValues, syntaxes, toBytes, writeDicom, type Elements, type Shape } from './make-dicom.ts'

/** What other folders hold: each of these is allowed by the standard or written by well-known devices. */
const plain = (values: ArrayLike<number>): number[] => Array.from(values)
const small: Shape = { rows: 3, columns: 3, bits: 8 }
const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9]

describe('lengths', () => {
  it('an odd number of pixels is padded to an even number of bytes', () => {
    expect(plain(readDicom(writeDicom(imageElements(small), Buffer.from([...nine, 0]))).readFrame(0).data)).toEqual(nine)
  })

  it('frames of an odd length follow each other without padding', () => {
    const file = writeDicom(imageElements({ ...small, frames: 3 }), Buffer.from([...nine, ...nine.map((value) => value + 10), ...nine.map((value) => value + 20), 0]))
    expect(plain(readDicom(file).readFrame(1).data)).toEqual(nine.map((value) => value + 10))
    expect(plain(readDicom(file).readFrame(2).data)).toEqual(nine.map((value) => value + 20))
  })

  it('more pixels than frames are declared: the declared ones are read', () => {
    expect(readDicom(writeDicom(imageElements(small), Buffer.from([...nine, ...nine]))).description.frameCount).toBe(1)
  })

  it('bytes after a deflated data set are no part of it', () => {
    const file = writeDicom(imageElements({ ...small, bits: 16 }), toBytes(nine, 2), { syntax: syntaxes.deflated })
    expect(plain(readDicom(Buffer.concat([file, Buffer.from([0])])).readFrame(0).data)).toEqual(nine)
  })

  it('a deflated data set whose pixels begin at an odd byte (found by the fuzz run)', () => {
    const elements: Elements = { ...imageElements({ ...small, bits: 16 }), '0009,0010': ['LO', 'MAKER'], '0009,1001': ['UN', Buffer.from([1, 2, 3])] }
    expect(plain(readDicom(writeDicom(elements, toBytes(nine, 2), { syntax: syntaxes.deflated })).readFrame(0).data)).toEqual(nine)
  })
})

describe('fragments', async () => {
  const shape: Shape = { rows: 24, columns: 20, bits: 12, frames: 2 }
  const values = [makeValues(shape, 1), makeValues(shape, 9)]
  const frames = (await Promise.all(values.map((frame) => encode('encodeJpegLs', frame, shape, { lossy: false })))).map((frame) => Buffer.concat([frame, Buffer.alloc(frame.length % 2)]))
  const halves = frames.flatMap((frame) => [frame.subarray(0, 60), frame.subarray(60)])

  it('an extended offset table of 64 bits tells frames apart', () => {
    const offsets = Buffer.alloc(16)
    offsets.writeBigUInt64LE(BigInt(8 + 60 + 8 + frames[0]!.length - 60), 8)
    const file = writeDicom({ ...imageElements(shape), '7fe0,0001': ['OV', offsets] }, { table: [], fragments: halves }, { syntax: syntaxes.jpegLs })
    expect(plain(readDicom(file).readFrame(1).data)).toEqual(plain(values[1]!))
  })

  it('a syntax that names another compression than the frame has', () => {
    for (const syntax of [syntaxes.jpeg2000, syntaxes.jpegBaseline, syntaxes.rle]) {
      expect(plain(readDicom(writeDicom(imageElements(shape), { table: [], fragments: frames }, { syntax })).readFrame(0).data), syntax).toEqual(plain(values[0]!))
    }
  })
})

describe('values', () => {
  const four: Shape = { rows: 1, columns: 4, bits: 12 }
  const show = (extra: Elements, values: number[], shape: Shape = { ...four, columns: values.length }): number[] => plain(readDicom(writeDicom({ ...imageElements(shape), ...extra }, toBytes(values, 2))).renderFrame(0).pixels)

  it('overlay bits above the stored ones change nothing', () => {
    const window: Elements = { '0028,1050': ['DS', '2048'], '0028,1051': ['DS', '4096'] }
    expect(show(window, [0x1000, 0x8fff, 0xf800, 0x0800])).toEqual(show(window, [0, 0xfff, 0x800, 0x800]))
  })

  it('a padding value is shown like any other, as the model gets it', () => {
    expect(show({ '0028,0120': ['US', [0]], '0028,1050': ['DS', '100'], '0028,1051': ['DS', '100'] }, [0, 100, 149])).toEqual([0, 129, 255])
  })

  it('a negative rescale slope turns dark into bright before the window', () => {
    expect(show({ '0028,1052': ['DS', '255'], '0028,1053': ['DS', '-1'], '0028,1050': ['DS', '128'], '0028,1051': ['DS', '256'] }, [0, 127, 255])).toEqual([255, 128, 0])
  })

  it('a dose of 32 bits is shown from its smallest to its largest value', () => {
    const shape: Shape = { rows: 1, columns: 3, bits: 32 }
    expect(plain(readDicom(writeDicom({ ...imageElements(shape), '3004,000e': ['DS', '0.00001'] }, toBytes([0, 3_000_000_000, 1_500_000_000], 4))).renderFrame(0).pixels)).toEqual([0, 255, 128])
  })

  it('each frame of an enhanced image has its own directions', () => {
    const plane = (cosines: string): Elements => ({ '0020,9116': ['SQ', [{ '0020,0037': ['DS', cosines] }]] })
    const file = writeDicom({ ...imageElements({ ...small, frames: 2 }), '5200,9230': ['SQ', [plane('1\\0\\0\\0\\1\\0'), plane('0\\1\\0\\0\\0\\-1')]] }, Buffer.from([...nine, ...nine]))
    expect([0, 1].map((frame) => readDicom(file, frame).facts.patientOrientation)).toEqual([['L', 'P'], ['P', 'F']])
  })

  it('oblique planes get the letters of both axes, the stronger first; nonsense gets none', () => {
    const directions = (cosines: string) => readDicom(writeDicom({ ...imageElements(small), '0020,0037': ['DS', cosines] }, Buffer.from([...nine, 0]))).facts.patientOrientation
    expect(directions('0.8\\-0.6\\0\\0.05\\0.05\\-0.99')).toEqual(['LA', 'F'])
    expect(directions('0\\0\\0\\0\\0\\0')).toBeNull()
  })
})

describe('headers and frames that disagree', () => {
  const wide: Shape = { rows: 16, columns: 16, bits: 16 }

  it('a high bit of 15 over values that lie at the bottom of their words', () => {
    const values = makeValues({ ...wide, bits: 12 })
    const header: Elements = { ...imageElements({ ...wide, bits: 12 }), '0028,0102': ['US', [15]] }
    expect(plain(readDicom(writeDicom(header, toBytes(values, 2))).readFrame(0).data)).toEqual(plain(values))
    // And over values that are where the header says.
    expect(plain(readDicom(writeDicom(header, toBytes(values.map((value) => value << 4), 2))).readFrame(0).data)).toEqual(plain(values))
  })

  it('white that near-lossless coding takes beyond the stored bits stays white', async () => {
    const values = Uint16Array.from(makeValues({ ...wide, bits: 12 }), (value, i) => (i % 3 === 0 ? 4095 : value))
    const frame = await encode('encodeJpegLs', values, wide, { lossy: true, allowedLossyError: 3 })
    const file = writeDicom(imageElements({ ...wide, bits: 12 }), { table: [0], fragments: [frame] }, { syntax: '1.2.840.10008.1.2.4.81' })
    const { data } = readDicom(file).readFrame(0)
    expect(Math.max(...plain(data).map((value, i) => Math.abs(value - values[i]!)))).toBeLessThanOrEqual(3)
  })

  it('a JPEG 2000 frame of signed values under a header without them is moved up, not wrapped', async () => {
    for (const bits of [12, 16]) {
      const values = makeValues({ ...wide, bits, isSigned: true })
      const frame = await encode('encodeJpeg2000', values, { ...wide, bits, isSigned: true }, { lossy: false })
      const file = writeDicom(imageElements({ ...wide, bits }), { table: [0], fragments: [frame] }, { syntax: syntaxes.jpeg2000 })
      expect(plain(readDicom(file).readFrame(0).data)).toEqual(plain(values).map((value) => value + 2 ** (bits - 1)))
    }
  })

  it('a VOI LUT that begins below zero, over stored values that do not', () => {
    const table = (vr: string): Elements => ({ '0028,3010': ['SQ', [{ '0028,3002': [vr, [2048, -1024, 8]], '0028,3006': ['OW', Array.from({ length: 2048 }, (_, i) => i >> 3)] }]] })
    const header: Elements = { ...imageElements({ rows: 1, columns: 4, bits: 12 }), '0028,1052': ['DS', '-1024'], '0028,1053': ['DS', '1'] }
    const pixels = toBytes([0, 512, 1024, 2047], 2)
    const shown = [0, 64, 128, 255]
    expect(plain(readDicom(writeDicom({ ...header, ...table('SS') }, pixels)).renderFrame(0).pixels)).toEqual(shown)
    // Without representations in the file, the rescale to negative values tells.
    expect(plain(readDicom(writeDicom({ ...header, ...table('SS') }, pixels, { syntax: syntaxes.implicit })).renderFrame(0).pixels)).toEqual(shown)
  })
})

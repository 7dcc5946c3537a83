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

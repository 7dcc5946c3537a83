import { describe, expect, it } from 'vitest'
import { displayByte, linearExactWindow, linearWindow, modalityValue, sigmoidWindow, voiValue } from '../../../../engine/importers/dicom/display/grayscale.ts'
import { readDicom } from '../../../../engine/importers/dicom/read-dicom.ts'
import { imageElements, toBytes, writeDicom, type Elements } from './make-dicom.ts'

const shape = { rows: 1, columns: 4, bits: 12 }
const show = (extra: Elements, values: number[], base: Elements = imageElements({ ...shape, columns: values.length })): number[] =>
  [...readDicom(writeDicom({ ...base, ...extra }, toBytes(values, 2))).renderFrame(0).pixels]

describe('window formulas', () => {
  // PS3.3 C.11.2.1.2.1, its example: c = 2048, w = 4096 maps 0..4095 onto the whole output.
  it.each([[0, 0], [4095, 255], [2047.5, 127.5], [-5, 0], [9000, 255]])('LINEAR 2048/4096 of %f is %f', (x, y) => expect(linearWindow(x, 2048, 4096)).toBeCloseTo(y, 10))
  it('LINEAR of width 1 is a threshold', () => expect([linearWindow(99.4, 100, 1), linearWindow(99.5, 100, 1), linearWindow(99.6, 100, 1)]).toEqual([0, 0, 255]))
  it.each([[0, 0], [2048, 127.5], [4096, 255], [1024, 63.75]])('LINEAR_EXACT 2048/4096 of %f is %f', (x, y) => expect(linearExactWindow(x, 2048, 4096)).toBeCloseTo(y, 10))
  it.each([[100, 127.5], [1e6, 255], [-1e6, 0]])('SIGMOID 100/50 of %f is %f', (x, y) => expect(sigmoidWindow(x, 100, 50)).toBeCloseTo(y, 6))
  it('SIGMOID follows 1 / (1 + exp(-4 (x - c) / w))', () => expect(sigmoidWindow(110, 100, 40)).toBeCloseTo(255 / (1 + Math.exp(-1)), 10))
  it('rounds halves up, clips, and inverts after both', () => {
    expect([127.5, -3, 300, 0.49].map((value) => displayByte(value, false))).toEqual([128, 0, 255, 0])
    expect([127.5, -3, 300].map((value) => displayByte(value, true))).toEqual([127, 255, 0])
  })
  it('takes the nearest entry outside of a table', () => {
    const table = { first: 10, entries: Uint16Array.from([5, 6, 7]), bits: 8 }
    expect([9, 10, 12, 99].map((value) => modalityValue(value, { kind: 'lut', table }))).toEqual([5, 5, 7, 7])
    expect(voiValue(12, { kind: 'lut', table })).toBe(7)
  })
})

describe('grey images', () => {
  it('shows smallest to largest when the file proposes nothing', () => expect(show({}, [100, 150, 200, 300])).toEqual([0, 64, 128, 255]))
  it('shows an even image as black', () => expect(show({}, [7, 7, 7, 7])).toEqual([0, 0, 0, 0]))
  it('rescales before the window', () => {
    const header: Elements = { '0028,1052': ['DS', '-1000'], '0028,1053': ['DS', '2'], '0028,1050': ['DS', '0'], '0028,1051': ['DS', '256'] }
    expect(show(header, [436, 500, 564, 0])).toEqual([0, 128, 255, 0])
  })
  it('takes the first of several windows and lists the others with their names', () => {
    const header: Elements = { '0028,1050': ['DS', '40\\300'], '0028,1051': ['DS', '80\\2000'], '0028,1055': ['LO', 'BRAIN\\BONE'] }
    const image = readDicom(writeDicom({ ...imageElements(shape), ...header }, toBytes([0, 40, 80, 300], 2)))
    expect(image.presets.map((preset) => (preset.kind === 'window' ? [preset.window.center, preset.window.width, preset.window.name] : null))).toEqual([[40, 80, 'BRAIN'], [300, 2000, 'BONE']])
    expect([...image.renderFrame(0).pixels]).toEqual([0, 129, 255, 255])
    expect([...image.renderFrame(0, image.presets[1]).pixels]).toEqual([89, 94, 99, 128])
  })
  it('follows the stated window function', () => {
    const header: Elements = { '0028,1050': ['DS', '100'], '0028,1051': ['DS', '50'], '0028,1056': ['CS', 'SIGMOID'] }
    expect(show(header, [100, 125])).toEqual([128, Math.floor(255 / (1 + Math.exp(-2)) + 0.5)])
  })
  it('passes over a window without width', () => expect(show({ '0028,1050': ['DS', '10'], '0028,1051': ['DS', '0'] }, [0, 255])).toEqual([0, 255]))
  it('inverts MONOCHROME1 last', () => {
    const base = imageElements({ ...shape, photometric: 'MONOCHROME1' })
    expect(show({ '0028,1050': ['DS', '128'], '0028,1051': ['DS', '256'] }, [0, 1, 128, 300], base)).toEqual([255, 254, 127, 0])
  })
  it('takes a modality table with a negative first value', () => {
    const item: Elements = { '0028,3002': ['SS', [3, -1, 8]], '0028,3006': ['OW', [10, 20, 60]] }
    expect(show({ '0028,3000': ['SQ', [item]] }, [-5, -1, 0, 1], imageElements({ ...shape, isSigned: true }))).toEqual([0, 0, 51, 255])
  })
  it('prefers a VOI table to a window', () => {
    const item: Elements = { '0028,3002': ['US', [4, 0, 16]], '0028,3006': ['OW', [0, 65535, 32768, 257]] }
    expect(show({ '0028,3010': ['SQ', [item]], '0028,1050': ['DS', '1'], '0028,1051': ['DS', '2'] }, [0, 1, 2, 3])).toEqual([0, 255, 128, 1])
  })
  it('reads rescale and window from functional groups, the frame before the shared', () => {
    const window = (center: string, width: string): Elements => ({ '0028,9132': ['SQ', [{ '0028,1050': ['DS', center], '0028,1051': ['DS', width] }]] })
    const shared: Elements = { '0028,9145': ['SQ', [{ '0028,1052': ['DS', '100'], '0028,1053': ['DS', '1'] }]], ...window('128', '256') }
    const header: Elements = { '0028,0008': ['IS', '2'], '5200,9229': ['SQ', [shared]], '5200,9230': ['SQ', [{ '0008,0060': ['CS', 'MR'] }, window('100.5', '1')]] }
    const image = readDicom(writeDicom({ ...imageElements({ ...shape, columns: 2 }), ...header }, toBytes([0, 28, 0, 1], 2)))
    expect([...image.renderFrame(0).pixels]).toEqual([100, 128])
    expect([...image.renderFrame(1).pixels]).toEqual([0, 255])
  })
})

describe('colour images', () => {
  const rgb = { rows: 1, columns: 2, bits: 8, samples: 3 as const }
  it('turns luminance and chroma into colours', () => {
    const pixels = Buffer.from([76, 85, 255, 128, 128, 128])
    expect([...readDicom(writeDicom(imageElements({ ...rgb, photometric: 'YBR_FULL' }), pixels)).renderFrame(0).pixels]).toEqual([254, 0, 0, 128, 128, 128])
  })
  it('scales 16 bits', () => {
    const file = writeDicom(imageElements({ ...rgb, bits: 16 }), toBytes([0, 65535, 32768, 128, 129, 257], 2))
    expect([...readDicom(file).renderFrame(0).pixels]).toEqual([0, 255, 128, 0, 1, 1])
  })

  const palette = (bits: number, entries: number[]): Elements => Object.fromEntries([1, 2, 3].flatMap((i) => [
    [`0028,110${i}`, ['US', [entries.length, 1, bits]]], [`0028,120${i}`, ['OW', entries.map((entry) => (i === 1 ? entry : entry >> 1))]],
  ])) as Elements
  const indexed = imageElements({ rows: 1, columns: 4, bits: 8, photometric: 'PALETTE COLOR' })
  it.each([
    ['16-bit entries by their high byte', palette(16, [0x1000, 0x8000, 0xff00])],
    ['8-bit entries that are declared as 16', palette(16, [0x10, 0x80, 0xff])],
  ])('looks up %s, the first entry below and the last above', (_, header) => {
    const { pixels, channels } = readDicom(writeDicom({ ...indexed, ...header }, Buffer.from([0, 1, 2, 9]))).renderFrame(0)
    expect([channels, ...pixels]).toEqual([3, 16, 8, 8, 16, 8, 8, 128, 64, 64, 255, 127, 127])
  })
  it('unfolds a palette in segments', () => {
    const header = Object.fromEntries([1, 2, 3].flatMap((i) => [[`0028,110${i}`, ['US', [5, 0, 8]]], [`0028,122${i}`, ['OW', [0, 1, 10, 1, 4, 90]]]])) as Elements
    expect([...readDicom(writeDicom({ ...indexed, ...header }, Buffer.from([0, 1, 2, 4]))).renderFrame(0).pixels].filter((_, i) => i % 3 === 0)).toEqual([10, 30, 50, 90])
  })
  it('refuses a missing palette', () => {
    expect(() => readDicom(writeDicom(indexed, Buffer.alloc(4))).renderFrame(0)).toThrow(expect.objectContaining({ code: 'DICOM_HEADER_INCOMPLETE' }))
  })
})

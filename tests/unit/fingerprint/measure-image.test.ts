import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { measureImage } from '../../../engine/fingerprint/measure-image.ts'
import { hashPerceptually } from '../../../engine/fingerprint/perceptual-hash.ts'

const file = { byteSize: 10, format: 'png' } as const

function paint(width: number, height: number, colour: (x: number, y: number) => [number, number, number]) {
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set(colour(x, y), (y * width + x) * 3)
  return { pixels, width, height }
}

describe('mean, spread and channels', () => {
  it('weighs the colours as luminance', () => {
    const measures = measureImage(paint(64, 48, () => [100, 200, 50]), file)
    expect(measures.meanLuminance).toBeCloseTo(0.299 * 100 + 0.587 * 200 + 0.114 * 50, 10)
    expect(measures.sdLuminance).toBeCloseTo(0, 4)
    expect(measures).toMatchObject({ widthPx: 64, heightPx: 48, channels: 3, byteSize: 10, format: 'png' })
  })

  it('tells grey from colour by every pixel', () => {
    expect(measureImage(paint(40, 40, () => [7, 7, 7]), file).channels).toBe(1)
    expect(measureImage(paint(40, 40, (x, y) => (x === 39 && y === 39 ? [7, 7, 8] : [7, 7, 7])), file).channels).toBe(3)
  })

  it('gives the spread of a two-valued picture', () => {
    const measures = measureImage(paint(64, 64, (x) => (x < 32 ? [0, 0, 0] : [200, 200, 200])), file)
    expect(measures.meanLuminance).toBeCloseTo(100, 10)
    expect(measures.sdLuminance).toBeCloseTo(100, 10)
  })

  it('samples a large picture and stays within one level', () => {
    const large = measureImage(paint(2048, 2048, (x, y) => { const v = (x * 7 + y * 3) % 256; return [v, v, v] }), file)
    expect(Math.abs(large.meanLuminance - 127.5)).toBeLessThan(1)
  })
})

describe('cells', () => {
  it('averages exactly where the size is a multiple of 32 and by share where it is not', () => {
    const even = measureImage(paint(64, 64, (x) => [2 * x, 2 * x, 2 * x]), file)
    expect([...even.thumbnail.subarray(0, 4)]).toEqual([1, 5, 9, 13])
    // 48 pixels: each cell covers one and a half; the second holds half of pixel 1 and all of pixel 2.
    const odd = measureImage(paint(48, 48, (x) => [x * 3, x * 3, x * 3]), file)
    expect(odd.thumbnail[1]).toBe(Math.round((0.5 * 3 + 6) / 1.5))
  })

  it('runs clockwise around the border', () => {
    const corner = measureImage(paint(64, 64, (x, y) => (x >= 56 && y < 8 ? [240, 240, 240] : [0, 0, 0])), file)
    expect(corner.border).toHaveLength(28)
    expect([...corner.border].map((v, i) => (v > 1 ? i : -1)).filter((i) => i >= 0)).toEqual([7])
    expect(corner.border[7]).toBeCloseTo(240, 4)
  })

  it.each([[1, 1], [5, 3], [31, 200], [200, 31], [33, 33]])('has no hole in a picture of %i x %i', (width, height) => {
    const measures = measureImage(paint(width, height, () => [90, 90, 90]), file)
    expect(measures.thumbnail.every((value) => value === 90)).toBe(true)
    expect(measures.border.every((value) => Math.abs(value - 90) < 1e-4)).toBe(true)
  })
})

const distance = (a: string, b: string): number => {
  let bits = (BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(2)
  bits = bits.replaceAll('0', '')
  return bits.length
}

describe('perceptual hash', () => {
  const scene = (seed: number) => paint(160, 120, (x, y) => {
    // Blocks of many sizes: a picture of a few pure waves would leave most frequencies empty.
    let v = 0
    for (const [size, weight] of [[61, 90], [29, 70], [13, 50], [7, 30]] as const) v += weight * (((Math.floor(x / size) * 31 + Math.floor(y / size) * 17 + seed * 7) * 2654435761 % 97) / 97)
    return [v, v * 0.8, v * 0.6]
  })

  it('survives another size, format and brightness', async () => {
    const original = scene(1)
    const changed = await sharp(original.pixels, { raw: { width: 160, height: 120, channels: 3 } }).resize(97, 73, { fit: 'fill' }).modulate({ brightness: 1.05 }).jpeg({ quality: 60 }).toBuffer()
    const { data, info } = await sharp(changed).raw().toBuffer({ resolveWithObject: true })
    const hashes = [original, { pixels: new Uint8Array(data), width: info.width, height: info.height }].map((image) => measureImage(image, file).perceptualHash)
    expect(distance(hashes[0]!, hashes[1]!)).toBeLessThanOrEqual(6)
    expect(distance(hashes[0]!, measureImage(scene(2), file).perceptualHash)).toBeGreaterThan(12)
  })

  it('is the same for every flat picture', () => {
    expect(hashPerceptually(new Float64Array(1024).fill(30))).toBe(hashPerceptually(new Float64Array(1024).fill(200.3)))
  })

  // scipy.fft.dct (type 2, unnormalised) along both axes of (i * 37 + (i // 32) * 11) % 251, top left 8 x 8 above their median.
  it('equals the reference', () => {
    expect(hashPerceptually(Float64Array.from({ length: 1024 }, (_, i) => (i * 37 + Math.floor(i / 32) * 11) % 251))).toBe('dfa31554d50855e9')
  })
})

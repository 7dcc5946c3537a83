import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../../engine/modalities/image-decode.ts'
import { letterboxForResnet, letterboxReduction } from '../../../../engine/modalities/image-letterbox.ts'
import { resample, resamplePlane } from '../../../../engine/modalities/image-resample.ts'
import { clipConfig, createImageProcessor, reductionOf, viltConfig, vitConfig } from '../../../../engine/modalities/image.ts'
import { encode, imageElements, makeValues, syntaxes, toBytes, writeDicom, type Shape } from './make-dicom.ts'

const sizes: [rows: number, columns: number][] = [[300, 410], [411, 300], [50, 61], [224, 224], [7, 640], [513, 222]]
const write = (shape: Shape): Buffer => writeDicom(imageElements(shape), toBytes(makeValues(shape), shape.bits > 8 ? 2 : 1))

/** Compared as bytes: comparing element by element takes seconds. */
const same = ({ width, height, pixels, values }: { width: number; height: number; pixels: Uint8Array; values: Float32Array }): unknown[] => [width, height, Buffer.from(pixels).toString('base64'), createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')]

describe('pictures that are reduced where they are decoded', () => {
  it.each(sizes)('%i x %i: the same input of the model, byte for byte', async (rows, columns) => {
    for (const shape of [{ rows, columns, bits: 12, photometric: 'MONOCHROME1' }, { rows, columns, bits: 16, isSigned: true }, { rows, columns, bits: 8, samples: 3 as const }]) {
      const file = write(shape)
      const whole = await decodeImage(file)
      const small = await decodeImage(file, { reduce: letterboxReduction })
      expect(small.width * small.height).toBeLessThanOrEqual(224 * 224)
      expect(same(letterboxForResnet(small))).toEqual(same(letterboxForResnet(whole)))
      for (const config of [vitConfig, viltConfig, clipConfig]) {
        const prepare = createImageProcessor(config)
        const of = (image: typeof whole): unknown => {
          try {
            return same(prepare(image))
          } catch (error) {
            return (error as { code: string }).code
          }
        }
        expect(of(await decodeImage(file, { reduce: reductionOf(config) })), config.kind).toEqual(of(whole))
      }
    }
  })

  it('one channel alone comes out as each of three', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), fc.constantFrom('bilinear' as const, 'bicubic' as const), fc.nat(), (width, height, toWidth, toHeight, filter, seed) => {
      const plane = Uint8Array.from({ length: width * height }, (_, i) => (i * 37 + seed * (i >> 3)) & 255)
      const three = resample({ width, height, pixels: Uint8Array.from({ length: plane.length * 3 }, (_, i) => plane[Math.floor(i / 3)]!) }, toWidth, toHeight, filter)
      expect(resamplePlane(plane, { width, height }, { width: toWidth, height: toHeight }, filter)).toEqual(three.pixels.filter((_, i) => i % 3 === 0))
    }), { numRuns: 200 })
  })

  it('leaves content that is not given away as it was, and takes what is', async () => {
    const file = write({ rows: 40, columns: 50, bits: 12 })
    const kept = new Uint8Array(file)
    await decodeImage(kept, { reduce: letterboxReduction })
    expect(Buffer.from(kept).equals(file)).toBe(true)
    const given = new Uint8Array(file)
    await decodeImage(given, { reduce: letterboxReduction, isGiven: true })
    expect(given.length).toBe(0)
  })

  it('are drawn through a table of all values or through the range that is there, alike', async () => {
    for (const shape of [{ rows: 20, columns: 20, bits: 8, isSigned: true }, { rows: 300, columns: 300, bits: 16, isSigned: true }, { rows: 300, columns: 300, bits: 16 }, { rows: 70, columns: 70, bits: 12, isSigned: true }]) {
      const values = makeValues(shape)
      const { pixels } = await decodeImage(write(shape))
      const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
      expect(pixels.filter((_, i) => i % 3 === 0)).toEqual(Uint8Array.from(values, (value) => Math.floor(((value - low) / (high - low)) * 255 + 0.5)))
    }
    const frame = await encode('encodeJpegLs', makeValues({ rows: 30, columns: 31, bits: 12 }), { rows: 30, columns: 31, bits: 12 }, { lossy: false })
    const file = writeDicom(imageElements({ rows: 30, columns: 31, bits: 12 }), { table: [], fragments: [frame] }, { syntax: syntaxes.jpegLs })
    expect((await decodeImage(file, { reduce: letterboxReduction })).width).toBe(224)
  })
})

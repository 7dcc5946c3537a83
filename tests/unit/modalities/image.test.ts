import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../engine/domain/errors.ts'
import type { RgbImage } from '../../../engine/modalities/image-decode.ts'
import { letterboxForResnet } from '../../../engine/modalities/image-letterbox.ts'
import { parseImageProcessorConfig } from '../../../engine/modalities/image-processor-config.ts'
import { resample } from '../../../engine/modalities/image-resample.ts'
import { clipConfig, createImageProcessor, viltConfig, viltSize, vitConfig } from '../../../engine/modalities/image.ts'

const gradient = (width: number, height: number): RgbImage => ({
  width, height, pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.floor(i / 3) * 5 + (i % 3) * 60) % 256),
})
const flat = (width: number, height: number, [r, g, b]: readonly [number, number, number]): RgbImage => ({
  width, height, pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3]!),
})
const channel = (image: RgbImage, c: number) => Array.from(image.pixels).filter((_, i) => i % 3 === c)

describe('resample', () => {
  // Worked by hand from the weights: bilinear 4 -> 2 uses (3, 3, 1) / 7 and (1, 3, 3) / 7; 2 -> 4 uses 1, 3/4, 1/4, 0.
  it('agrees with weights worked out by hand', () => {
    const four: RgbImage = { width: 4, height: 1, pixels: Uint8Array.from([0, 0, 0, 70, 70, 70, 140, 140, 140, 210, 210, 210]) }
    expect(channel(resample(four, 2, 1, 'bilinear'), 0)).toEqual([50, 160])
    const two: RgbImage = { width: 2, height: 1, pixels: Uint8Array.from([0, 0, 0, 200, 200, 200]) }
    expect(channel(resample(two, 4, 1, 'bilinear'), 0)).toEqual([0, 50, 150, 200])
    const upright: RgbImage = { ...two, width: 1, height: 2 }
    expect(channel(resample(upright, 1, 4, 'bilinear'), 2)).toEqual([0, 50, 150, 200])
  })

  it('clips the overshoot of bicubic', () => {
    const edge: RgbImage = { width: 4, height: 1, pixels: Uint8Array.from([0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]) }
    const values = channel(resample(edge, 16, 1, 'bicubic'), 1)
    expect(Math.min(...values)).toBe(0)
    expect(Math.max(...values)).toBe(255)
    expect(values).toEqual([...values].reverse().map((value) => 255 - value))
  })

  it('copies when nothing changes and leaves the input alone', () => {
    const image = gradient(7, 5)
    const before = image.pixels.slice()
    const same = resample(image, 7, 5, 'bicubic')
    expect(same.pixels).toEqual(image.pixels)
    expect(same.pixels).not.toBe(image.pixels)
    resample(image, 3, 9, 'bicubic')
    expect(image.pixels).toEqual(before)
  })

  it('keeps a flat picture flat at any size', () => {
    const size = fc.integer({ min: 1, max: 60 })
    fc.assert(
      fc.property(size, size, size, size, fc.constantFrom('bilinear' as const, 'bicubic' as const), (w, h, newWidth, newHeight, filter) => {
        const result = resample(flat(w, h, [255, 17, 0]), newWidth, newHeight, filter)
        expect(result.pixels).toEqual(flat(newWidth, newHeight, [255, 17, 0]).pixels)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses impossible sizes', () => {
    expect(() => resample(gradient(3, 3), 0, 3, 'bilinear')).toThrow(RangeError)
    expect(() => resample({ ...gradient(3, 3), width: 4 }, 2, 2, 'bilinear')).toThrow(RangeError)
  })
})

describe('processors', () => {
  it.each([
    [256, 256, 384, 384], [1000, 768, 480, 384], [495, 130, 608, 160], [93, 247, 224, 608], [23, 17, 512, 384], [768, 50, 608, 32], [768, 20, 608, 0],
  ])('sizes a %i x %i picture for ViLT', (width, height, newWidth, newHeight) => {
    expect(viltSize(width, height, { shortestEdge: 384, longestEdge: 639, sizeDivisor: 32 })).toEqual({ width: newWidth, height: newHeight })
  })

  it('refuses a picture too narrow for one ViLT patch', () => {
    const prepare = createImageProcessor(viltConfig)
    expect(() => prepare(gradient(768, 20), 'hwc', 'strip.png')).toThrow(AppError)
    expect(() => prepare(gradient(768, 20), 'hwc', 'strip.png')).toThrow(/strip\.png is 768 x 20/)
  })

  it('gives the same values in both layouts', () => {
    for (const config of [viltConfig, vitConfig, clipConfig]) {
      const prepare = createImageProcessor(config)
      const rows = prepare(gradient(50, 40), 'hwc')
      const planes = prepare(gradient(50, 40), 'chw')
      const plane = rows.width * rows.height
      for (let i = 0; i < plane; i += 97) for (let c = 0; c < 3; c += 1) expect(planes.values[c * plane + i]).toBe(rows.values[i * 3 + c])
      const expected = Math.fround(Math.fround(Math.fround(rows.pixels[4]! / 255) - Math.fround(config.mean[1])) / Math.fround(config.std[1]))
      expect(rows.values[4]).toBeCloseTo(expected, 6)
    }
  })

  it('crops CLIP pictures in the centre', () => {
    const prepared = createImageProcessor(clipConfig)(gradient(448, 224))
    expect([prepared.width, prepared.height]).toEqual([224, 224])
    expect([...prepared.pixels.subarray(0, 3)]).toEqual([...gradient(448, 224).pixels.subarray(112 * 3, 112 * 3 + 3)])
  })

  it('refuses processor settings it would have to ignore', () => {
    const settings = { image_processor_type: 'ViTImageProcessor', size: { height: 32, width: 48 }, image_mean: [0, 0, 0], image_std: [1, 1, 1], resample: 2 }
    expect(parseImageProcessorConfig(settings, 'p.json')).toMatchObject({ kind: 'vit', width: 48, height: 32, resample: 'bilinear' })
    for (const change of [{ do_normalize: false }, { resample: 1 }, { image_std: [0, 1, 1] }, { size: {} }, { image_processor_type: 'BlipImageProcessor' }]) {
      expect(() => parseImageProcessorConfig({ ...settings, ...change }, 'p.json')).toThrow(AppError)
    }
  })
})

describe('letterboxForResnet', () => {
  it('keeps the aspect ratio, centres, and pads with exact zeros', () => {
    const { values, pixels, validMask, left, top, width, height } = letterboxForResnet(flat(100, 50, [200, 100, 50]))
    expect({ left, top, width, height }).toEqual({ left: 0, top: 56, width: 224, height: 112 })
    const at = (x: number, y: number) => (y * 224 + x) * 3
    expect([...values.subarray(at(5, 0), at(6, 0))]).toEqual([0, 0, 0])
    expect([...pixels.subarray(at(5, 0), at(6, 0))]).toEqual([124, 117, 104])
    const inside = values.subarray(at(5, 60), at(6, 60))
    expect(inside[0]).toBeCloseTo(50 - 103.939, 4)
    expect(inside[1]).toBeCloseTo(100 - 116.779, 4)
    expect(inside[2]).toBeCloseTo(200 - 123.68, 4)
    expect(validMask.reduce((sum, bit) => sum + bit, 0)).toBe(224 * 112)
    expect([validMask[55 * 224], validMask[56 * 224], validMask[168 * 224 - 1], validMask[168 * 224]]).toEqual([0, 1, 1, 0])
  })

  it('keeps at least one row of an extreme strip and fills a square', () => {
    expect(letterboxForResnet(gradient(900, 1))).toMatchObject({ width: 224, height: 1 })
    expect(letterboxForResnet(gradient(3, 3)).validMask.every((bit) => bit === 1)).toBe(true)
  })
})

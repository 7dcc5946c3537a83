import { describe, expect, it } from 'vitest'
import { addNoise, blurImage, degradeText } from '../../../engine/modalities/degrade.ts'
import { letterboxForResnet } from '../../../engine/modalities/image-letterbox.ts'

const [width, height] = [224, 32]
const half = { width, height, pixels: Uint8Array.from({ length: 3 * width * height }, (_, i) => (Math.floor(i / 3) % width < width / 2 ? 40 : 200)) }
const grey = { width, height, pixels: new Uint8Array(3 * width * height).fill(128) }

describe('degradation', () => {
  it('blurs an edge as a Gaussian does and leaves flat parts alone', async () => {
    const { pixels } = await blurImage(half, { kind: 'blur', level: 4 })
    const at = (x: number) => pixels[(10 * width + x) * 3]!
    expect([at(10), at(200)]).toEqual([40, 200])
    // One standard deviation past the edge (pixel centres stand half a pixel off): 40 + 160 * Phi(4.5 / 4) = 179.2, within the cut at three deviations.
    expect(Math.abs(at(width / 2 + 4) - 179.2)).toBeLessThan(1.5)
    expect((await blurImage(grey, { kind: 'blur', level: 3 })).pixels).toEqual(grey.pixels)
  })

  it('adds noise of the wanted size, the same for the same image only', () => {
    const noisy = (name: string) => addNoise(grey, { kind: 'noise', level: 0.1 }, name).pixels
    const a = noisy('a')
    const spread = Math.sqrt(a.reduce((sum, value) => sum + (value - 128) ** 2, 0) / grey.pixels.length)
    expect(Math.abs(spread - 25.5)).toBeLessThan(0.8)
    expect(noisy('a')).toEqual(a)
    expect(noisy('b')).not.toEqual(a)
  })

  it.each([224, 512, 1024])('gives the model the same noise whatever the size of the picture: %i pixels', (side) => {
    const picture = { width: side, height: side, pixels: new Uint8Array(3 * side * side).fill(128) }
    const clean = letterboxForResnet(picture).values
    const noisy = letterboxForResnet(picture, (resized) => addNoise(resized, { kind: 'noise', level: 0.1 }, 'a')).values
    expect(Math.sqrt(noisy.reduce((sum, value, i) => sum + (value - clean[i]!) ** 2, 0) / noisy.length)).toBeCloseTo(25.5, 0)
  })

  it('keeps the first words of a text, and touches nothing it is not meant for', async () => {
    expect(degradeText('seen  today\nfor glare', { kind: 'truncate', level: 2 })).toBe('seen today')
    expect(degradeText('seen today', { kind: 'blur', level: 2 })).toBe('seen today')
    expect(await blurImage(half, { kind: 'truncate', level: 2 })).toBe(half)
    expect(addNoise(half, { kind: 'blur', level: 2 }, 'a')).toBe(half)
  })
})

import { describe, expect, it } from 'vitest'
import { darkPalette, lightPalette, aurocOption, lossOption } from '../../../../../renderer/composables/run/curve-options.ts'
import { svgOfOption } from '../../../../../renderer/composables/run/useChart.ts'

const curves = { trainLoss: [[1, 0.7], [2, 0.5]] as [number, number][], valLoss: [[1, 0.72], [2, 0.51]] as [number, number][], valMacroAuroc: [[1, 0.42], [2, 0.6]] as [number, number][], bestEpoch: 2 }
const words = { train: 'training', val: 'validation', epoch: 'Epoch', best: 'best: epoch 2' }

/** WCAG relative luminance and contrast of two #rrggbb colours. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string): number => {
    const [r, g, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number]
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue
  }
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

describe('learning-curve plots', () => {
  it.each([['light', lightPalette], ['dark', darkPalette]])('are readable in the %s theme', (_name, palette) => {
    for (const colour of [palette.text, palette.faint]) expect(contrast(colour, palette.background)).toBeGreaterThanOrEqual(4.5)
    for (const colour of [palette.first, palette.second, palette.third]) expect(contrast(colour, palette.background)).toBeGreaterThanOrEqual(3)
  })
  it('start the loss at zero and show an AUROC below chance', () => {
    expect(lossOption(curves, lightPalette, words)).toMatchObject({ yAxis: { min: 0 } })
    expect(aurocOption(curves, lightPalette, words)).toMatchObject({ yAxis: { min: 0.4, max: 1 } })
  })
  it('use no HTML tooltip, whose style attributes the security policy refuses', () => {
    expect(lossOption(curves, lightPalette, words)).toMatchObject({ tooltip: { renderMode: 'richText' } })
  })
  it('are saved as SVG with title and research note', async () => {
    const svg = await svgOfOption(lossOption(curves, lightPalette, words), 'Loss', 'Research use only.')
    for (const part of ['<svg', 'Loss', 'Research use only.', 'training', 'validation', 'Epoch']) expect(svg).toContain(part)
  })
})

import { describe, expect, it } from 'vitest'
import { interpolateGridBicubic, stretchPositions } from '../../../engine/backbones/encoders/positions.ts'

/** Expected numbers: torch.nn.functional.interpolate of torch 2.13.0 on the square roots of 1, 2, 3, ... */
const roots = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sqrt(i + 1))
const close = (actual: Float32Array, expected: number[]) => {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
}

describe('fitting position tables', () => {
  it('stretches text positions as the bilinear interpolation of the reference', () => {
    close(stretchPositions(roots(12), 4, 3, 7), [1.0, 1.414214, 1.732051, 1.357143, 1.707733, 1.988279, 1.928571, 2.177364, 2.398244, 2.322876, 2.532248, 2.724745, 2.682646, 2.863298, 3.03315, 2.977804, 3.142269, 3.298351, 3.162278, 3.316625, 3.464102])
    close(stretchPositions(roots(12), 4, 3, 2), [1.5, 1.825141, 2.090770, 2.904015, 3.072526, 3.232051])
  })

  it('interpolates image grids bicubically, and leaves one of the same size alone', () => {
    close(interpolateGridBicubic(roots(9), [3, 3], 1, 2, 5), [1.16779, 1.328357, 1.57959, 1.787581, 1.903625, 2.516508, 2.594975, 2.723114, 2.845246, 2.917527])
    close(interpolateGridBicubic(roots(6), [2, 3], 1, 3, 2), [0.999051, 1.610816, 1.564326, 2.042019, 2.129602, 2.473223])
    const own = roots(9)
    expect(interpolateGridBicubic(own, [3, 3], 1, 3, 3)).toBe(own)
  })
})

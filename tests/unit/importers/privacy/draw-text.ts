/** Pictures with and without letters, drawn by code: a 5 x 7 font, enlarged, on smooth or busy grounds. */
import type { RgbImage } from '../../../../engine/modalities/image-decode.ts'

/** Rows of five bits, from the top. */
const glyphs: Record<string, number[]> = {
  A: [14, 17, 17, 31, 17, 17, 17], B: [30, 17, 17, 30, 17, 17, 30], C: [14, 17, 16, 16, 16, 17, 14], D: [30, 17, 17, 17, 17, 17, 30], E: [31, 16, 16, 30, 16, 16, 31], H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14], L: [16, 16, 16, 16, 16, 16, 31], M: [17, 27, 21, 21, 17, 17, 17], N: [17, 25, 21, 19, 17, 17, 17], O: [14, 17, 17, 17, 17, 17, 14], P: [30, 17, 17, 30, 16, 16, 16],
  R: [30, 17, 17, 30, 20, 18, 17], S: [15, 16, 16, 14, 1, 1, 30], T: [31, 4, 4, 4, 4, 4, 4], U: [17, 17, 17, 17, 17, 17, 14], Y: [17, 17, 10, 4, 4, 4, 4], ' ': [0, 0, 0, 0, 0, 0, 0],
  0: [14, 17, 19, 21, 25, 17, 14], 1: [4, 12, 4, 4, 4, 4, 14], 2: [14, 17, 1, 2, 4, 8, 31], 4: [2, 6, 10, 18, 31, 2, 2], 7: [31, 1, 2, 4, 8, 8, 8], 8: [14, 17, 17, 14, 17, 17, 14],
}

/** Smooth waves as of a film, with some grain: [height, width, 3]. */
export function drawGround(width: number, height: number, seed = 1, grain = 6): RgbImage {
  const pixels = new Uint8Array(width * height * 3)
  let state = seed
  for (let i = 0; i < width * height; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const [x, y] = [i % width, Math.floor(i / width)]
    const value = 110 + 60 * Math.sin(x / 41 + seed) * Math.cos(y / 53) + grain * ((state >>> 16) / 32768 - 1)
    pixels.fill(Math.max(0, Math.min(255, value)), 3 * i, 3 * i + 3)
  }
  return { pixels, width, height }
}

/** Writes capitals and digits at (left, top), each dot of the font `size` pixels wide. */
export function drawText(image: RgbImage, text: string, left: number, top: number, size: number, level: number): RgbImage {
  const pixels = new Uint8Array(image.pixels)
  ;[...text].forEach((char, i) => glyphs[char]!.forEach((bits, row) => {
    for (let column = 0; column < 5; column++) {
      if ((bits & (16 >> column)) === 0) continue
      for (let dy = 0; dy < size; dy++) for (let dx = 0; dx < size; dx++) {
        const at = (top + row * size + dy) * image.width + left + (i * 6 + column) * size + dx
        pixels.fill(level, 3 * at, 3 * at + 3)
      }
    }
  }))
  return { ...image, pixels }
}

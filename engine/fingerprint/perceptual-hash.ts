/**
 * Perceptual hash of a picture by its lowest frequencies (pHash; Zauner 2010, "Implementation and benchmarking of perceptual image hash
 * functions", section 3.2.1): the 8 x 8 lowest coefficients of a two-dimensional discrete cosine transform of 32 x 32 grey cells, each one
 * bit, set where it lies above their median. Sizes, formats, compression and brightness move few bits; another picture moves half of them.
 * Rejected: difference hashes, which compare neighbouring cells and are noise where a picture is flat, as the black round a fundus is.
 */
import { thumbnailEdge } from '../domain/image-measures.ts'

const hashEdge = 8

/** cos(pi (2 x + 1) u / 64) at [u, x] for the eight lowest frequencies u. */
const cosines = Float64Array.from({ length: hashEdge * thumbnailEdge }, (_, i) =>
  Math.cos((Math.PI * (2 * (i % thumbnailEdge) + 1) * Math.floor(i / thumbnailEdge)) / (2 * thumbnailEdge)))

/**
 * The hash of 32 x 32 cells [32, 32] as 16 hexadecimal digits, lowest frequency first. Flat pictures all have the same hash: every
 * coefficient but the first is rounding noise there and counts as zero.
 */
export function hashPerceptually(cells: ArrayLike<number>): string {
  const E = thumbnailEdge
  const halves = new Float64Array(hashEdge * E)
  for (let y = 0; y < E; y++) {
    for (let u = 0; u < hashEdge; u++) {
      let sum = 0
      for (let x = 0; x < E; x++) sum += cells[y * E + x]! * cosines[u * E + x]!
      halves[u * E + y] = sum
    }
  }
  const coefficients = new Float64Array(hashEdge * hashEdge)
  for (let v = 0; v < hashEdge; v++) {
    for (let u = 0; u < hashEdge; u++) {
      let sum = 0
      for (let y = 0; y < E; y++) sum += halves[u * E + y]! * cosines[v * E + y]!
      coefficients[v * hashEdge + u] = Math.abs(sum) < 1e-6 ? 0 : sum
    }
  }
  const sorted = Float64Array.from(coefficients).sort()
  const median = (sorted[31]! + sorted[32]!) / 2
  let hex = ''
  for (let i = 0; i < coefficients.length; i += 4) {
    let digit = 0
    for (let k = 0; k < 4; k++) digit = digit * 2 + (coefficients[i + k]! > median ? 1 : 0)
    hex += digit.toString(16)
  }
  return hex
}

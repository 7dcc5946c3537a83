import { borderEdge, thumbnailEdge, type ImageMeasures } from '../domain/image-measures.ts'
import { hashPerceptually } from './perceptual-hash.ts'

/** Red, green and blue bytes row by row: [height, width, 3]. */
interface Pixels {
  pixels: Uint8Array
  width: number
  height: number
}

/** About as many pixels are looked at in a large image; a radiograph of 2k x 2k then costs milliseconds instead of tens of them. */
const maxSampledPixels = 1_000_000

/**
 * Mean, spread, perceptual hash, border and small grey picture of a decoded image, in one pass over its pixels. Images above a
 * megapixel are sampled on a regular grid of every n-th row and column.
 */
export function measureImage(image: Pixels, file: Pick<ImageMeasures, 'byteSize' | 'format'>): ImageMeasures {
  const { cells, mean, sd, isGrey } = averageCells(image)
  return {
    widthPx: image.width, heightPx: image.height, ...file, channels: isGrey ? 1 : 3, meanLuminance: mean, sdLuminance: sd,
    perceptualHash: hashPerceptually(cells), border: borderOf(cells), thumbnail: Uint8Array.from(cells, (value) => Math.round(value)),
  }
}

/** Mean luminance of each of the 32 x 32 cells, and of all pixels looked at. A pixel on the line between two cells counts for both by its share. */
function averageCells({ pixels, width, height }: Pixels): { cells: Float64Array; mean: number; sd: number; isGrey: boolean } {
  const E = thumbnailEdge
  const stride = Math.max(1, Math.floor(Math.sqrt((width * height) / maxSampledPixels)))
  const columns = sharesOf(width, stride)
  const rows = sharesOf(height, stride)
  const sums = new Float64Array(E * E)
  const weights = new Float64Array(E * E)
  const line = new Float64Array(E)
  let total = 0
  let squares = 0
  let count = 0
  let difference = 0
  for (let y = 0; y < height; y += stride) {
    line.fill(0)
    let at = y * width * 3
    for (let x = 0; x < width; x += stride, at += 3 * stride) {
      const red = pixels[at]!
      const green = pixels[at + 1]!
      const blue = pixels[at + 2]!
      difference |= (red ^ green) | (red ^ blue)
      const luminance = 0.299 * red + 0.587 * green + 0.114 * blue
      total += luminance
      squares += luminance * luminance
      const first = columns.first[x]!
      const share = columns.share[x]!
      line[first] = line[first]! + luminance * share
      if (share < 1) line[first + 1] = line[first + 1]! + luminance * (1 - share)
      count++
    }
    const first = rows.first[y]!
    const share = rows.share[y]!
    for (let c = 0; c < E; c++) {
      sums[first * E + c]! += line[c]! * share
      weights[first * E + c]! += columns.weight[c]! * share
      if (share < 1) {
        sums[(first + 1) * E + c]! += line[c]! * (1 - share)
        weights[(first + 1) * E + c]! += columns.weight[c]! * (1 - share)
      }
    }
  }
  const mean = total / count
  const cells = sums.map((sum, i) => sum / weights[i]!)
  fillEmptyCells(cells, weights, { pixels, width, height })
  return { cells, mean, sd: Math.sqrt(Math.max(0, squares / count - mean * mean)), isGrey: difference === 0 }
}

/** For each position along an edge: the first cell that it lies in, the share of it in that cell (the rest is in the next), and each cell's sum. */
function sharesOf(length: number, stride: number): { first: Uint8Array; share: Float64Array; weight: Float64Array } {
  const E = thumbnailEdge
  const first = new Uint8Array(length)
  const share = new Float64Array(length)
  const weight = new Float64Array(E)
  for (let i = 0; i < length; i += stride) {
    const from = (i * E) / length
    const to = ((i + 1) * E) / length
    const cell = Math.min(E - 1, Math.floor(from))
    first[i] = cell
    // Below 32 pixels one pixel covers several cells; the empty ones are filled afterwards.
    share[i] = cell === E - 1 || to <= cell + 1 ? 1 : (cell + 1 - from) / (to - from)
    weight[cell]! += share[i]!
    if (share[i]! < 1) weight[cell + 1]! += 1 - share[i]!
  }
  return { first, share, weight }
}

/** In images below 32 pixels, cells that no pixel begins in take the value of the pixel that covers their middle. */
function fillEmptyCells(cells: Float64Array, weights: Float64Array, { pixels, width, height }: Pixels): void {
  const E = thumbnailEdge
  if (width >= E && height >= E) return
  for (let i = 0; i < cells.length; i++) {
    if (weights[i]! > 0) continue
    const x = Math.floor((((i % E) + 0.5) * width) / E)
    const y = Math.floor(((Math.floor(i / E) + 0.5) * height) / E)
    const at = (y * width + x) * 3
    cells[i] = 0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!
  }
}

/** Outer ring of the 8 x 8 grid, clockwise from the top left: top edge, right edge, bottom edge, left edge. [28] */
function borderOf(cells: Float64Array): Float32Array<ArrayBuffer> {
  const last = borderEdge - 1
  const ring: [row: number, column: number][] = []
  for (let i = 0; i < last; i++) ring.push([0, i])
  for (let i = 0; i < last; i++) ring.push([i, last])
  for (let i = last; i > 0; i--) ring.push([last, i])
  for (let i = last; i > 0; i--) ring.push([i, 0])
  return Float32Array.from(ring, ([row, column]) => meanOfBlock(cells, row, column))
}

function meanOfBlock(cells: Float64Array, row: number, column: number): number {
  const size = thumbnailEdge / borderEdge
  let sum = 0
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) sum += cells[(row * size + y) * thumbnailEdge + column * size + x]!
  }
  return sum / (size * size)
}

/** Fitting a learned position table to another image size or text length, each way as the reference of its model does it. */

/** Convolution coefficient of the cubic filter in `torch.nn.functional.interpolate(mode='bicubic')`. */
const CUBIC = -0.75

/**
 * Bicubic interpolation with align_corners = false of a grid [own rows * own columns, D] to `rows` x `columns`, borders repeated, as PyTorch
 * does it for ViT, DeiT and CLIP (`interpolate_pos_encoding`). Returns [rows * columns, D]. That reference takes every grid for a square one:
 * where it is not, it stops or mixes rows up, and here the grid keeps its own shape.
 */
export function interpolateGridBicubic(grid: Float32Array, [ownRows, ownColumns]: readonly [rows: number, columns: number], width: number, rows: number, columns: number): Float32Array {
  if (rows === ownRows && columns === ownColumns) return grid
  const down = cubicTaps(ownRows, rows)
  const across = cubicTaps(ownColumns, columns)
  const between = new Float64Array(ownRows * columns * width) // columns first, then rows
  for (let r = 0; r < ownRows; r++) {
    across.forEach((taps, c) => {
      for (const { index, weight } of taps) {
        for (let d = 0; d < width; d++) between[(r * columns + c) * width + d]! += weight * grid[(r * ownColumns + index) * width + d]!
      }
    })
  }
  const result = new Float64Array(rows * columns * width)
  down.forEach((taps, r) => {
    for (const { index, weight } of taps) {
      const [from, to] = [index * columns * width, r * columns * width]
      for (let i = 0; i < columns * width; i++) result[to + i]! += weight * between[from + i]!
    }
  })
  return Float32Array.from(result)
}

interface Tap {
  index: number
  weight: number
}

/** For each of `length` places the four neighbours among `side` and their weights (Keys 1981). */
function cubicTaps(side: number, length: number): Tap[][] {
  return Array.from({ length }, (_, place) => {
    const at = ((place + 0.5) * side) / length - 0.5
    const base = Math.floor(at)
    const t = at - base
    const near = (x: number) => ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1
    const far = (x: number) => ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
      .map((weight, i) => ({ index: Math.min(Math.max(base - 1 + i, 0), side - 1), weight }))
  })
}

/**
 * Bilinear interpolation with align_corners = true of a square grid of `side` places to `rows` x `columns`, as `torch.nn.functional.interpolate`
 * does it for ViLT, as a matrix [rows * columns, side * side] of weights: a grid [side * side, D] is interpolated by one product, and its
 * gradient comes back through the transposed one.
 */
export function bilinearTaps(side: number, rows: number, columns: number): Float32Array {
  const weights = new Float32Array(rows * columns * side * side)
  const places = (length: number): { low: number; high: number; share: number }[] => Array.from({ length }, (_, place) => {
    const at = length > 1 ? (place * (side - 1)) / (length - 1) : 0
    const low = Math.floor(at)
    return { low, high: Math.min(low + 1, side - 1), share: at - low }
  })
  const across = places(columns)
  places(rows).forEach((y, r) => across.forEach((x, c) => {
    const start = (r * columns + c) * side * side
    for (const [row, down] of [[y.low, 1 - y.share], [y.high, y.share]] as const) {
      for (const [column, along] of [[x.low, 1 - x.share], [x.high, x.share]] as const) weights[start + row * side + column]! += down * along
    }
  }))
  return weights
}

/**
 * Linear interpolation with align_corners = false of a text position table [rows, D] to `length` rows, as the reference code of the
 * missing-aware prompts stretches ViLT's 40 positions (Lee et al. 2023, arXiv:2303.03369; MoRA's code inherits it). Returns [length, D].
 */
export function stretchPositions(table: Float32Array, rows: number, width: number, length: number): Float32Array {
  const result = new Float32Array(length * width)
  for (let place = 0; place < length; place++) {
    const at = Math.max(((place + 0.5) * rows) / length - 0.5, 0)
    const low = Math.min(Math.floor(at), rows - 1)
    const high = Math.min(low + 1, rows - 1)
    const share = at - low
    for (let d = 0; d < width; d++) result[place * width + d] = table[low * width + d]! * (1 - share) + table[high * width + d]! * share
  }
  return result
}

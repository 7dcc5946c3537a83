import type { RandomSource } from '../compute/random-source.ts'

/** Red, green and blue, each 0..255. */
export type Colour = readonly [number, number, number]

/** A square picture under work: `pixels` is [size, size, 3], row by row, 0..255, not yet rounded. */
export interface Raster {
  readonly size: number
  readonly pixels: Float32Array
}

export function createRaster(size: number): Raster {
  return { size, pixels: new Float32Array(size * size * 3) }
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value
}

/** 0 below `from`, 1 above `to`, smooth in between (cubic Hermite). */
export function smoothStep(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from), 0, 1)
  return t * t * (3 - 2 * t)
}

export interface Spot {
  x: number
  y: number
  /** Half axes in pixels before the rotation. */
  radiusX: number
  radiusY: number
  /** Rotation in radians. */
  angle: number
  /** Share of the radius over which the edge fades, 0 (hard) to 1 (from the centre on). */
  softness: number
  /** Opacity in the middle, 0..1. */
  opacity: number
}

/** Blends an ellipse of one colour into the picture. */
export function blendSpot(raster: Raster, spot: Spot, colour: Colour): void {
  const { size, pixels } = raster
  forEachInside(size, spot, (index, strength) => {
    const at = index * 3
    for (let channel = 0; channel < 3; channel++) {
      pixels[at + channel]! += (colour[channel]! - pixels[at + channel]!) * strength
    }
  })
}

/** Raises a one-channel layer [size, size] to at least the spot's strength: overlapping stamps of one vessel do not add up. */
export function stampSpot(layer: Float32Array, size: number, spot: Spot): void {
  forEachInside(size, spot, (index, strength) => {
    if (strength > layer[index]!) layer[index] = strength
  })
}

function forEachInside(size: number, spot: Spot, visit: (index: number, strength: number) => void): void {
  const reach = Math.max(spot.radiusX, spot.radiusY) + 1
  const cos = Math.cos(spot.angle)
  const sin = Math.sin(spot.angle)
  const lastX = Math.min(size - 1, Math.ceil(spot.x + reach))
  const lastY = Math.min(size - 1, Math.ceil(spot.y + reach))
  for (let y = Math.max(0, Math.floor(spot.y - reach)); y <= lastY; y++) {
    for (let x = Math.max(0, Math.floor(spot.x - reach)); x <= lastX; x++) {
      const dx = x - spot.x
      const dy = y - spot.y
      const along = (dx * cos + dy * sin) / spot.radiusX
      const across = (dy * cos - dx * sin) / spot.radiusY
      const distance = Math.sqrt(along * along + across * across)
      if (distance >= 1) continue
      visit(y * size + x, spot.opacity * (1 - smoothStep(1 - spot.softness, 1, distance)))
    }
  }
}

/** Smooth noise [size, size] of values in -1..1: a random lattice of `cells` by `cells`, interpolated. */
export function smoothNoise(random: RandomSource, size: number, cells: number): Float32Array {
  const width = cells + 1
  const lattice = Float32Array.from({ length: width * width }, () => random.uniform() * 2 - 1)
  const noise = new Float32Array(size * size)
  const scale = cells / size
  for (let y = 0; y < size; y++) {
    const row = Math.floor(y * scale)
    const ty = smoothStep(0, 1, y * scale - row)
    for (let x = 0; x < size; x++) {
      const column = Math.floor(x * scale)
      const tx = smoothStep(0, 1, x * scale - column)
      const at = row * width + column
      const top = lattice[at]! + (lattice[at + 1]! - lattice[at]!) * tx
      const bottom = lattice[at + width]! + (lattice[at + width + 1]! - lattice[at + width]!) * tx
      noise[y * size + x] = top + (bottom - top) * ty
    }
  }
  return noise
}

/** Blurs the picture in place: three passes of a box filter, close to a Gaussian of the given standard deviation in pixels. */
export function blur(raster: Raster, deviation: number): void {
  if (deviation < 0.2) return
  // Three boxes of half width r have the variance r (r + 1); the fractional part is met by mixing two widths.
  const exact = (Math.sqrt(1 + 4 * deviation * deviation) - 1) / 2
  const narrow = Math.floor(exact)
  const share = exact - narrow
  const { size, pixels } = raster
  const padding = narrow + 1
  const line = new Float32Array(size + 2 * padding)
  for (let pass = 0; pass < 3; pass++) {
    for (let channel = 0; channel < 3; channel++) {
      for (let i = 0; i < size; i++) {
        blurLine(pixels, line, i * size * 3 + channel, 3, size, narrow, share)
        blurLine(pixels, line, i * 3 + channel, size * 3, size, narrow, share)
      }
    }
  }
}

/** One box filter along one row or column; the ends are repeated into the padding of `line`. */
function blurLine(pixels: Float32Array, line: Float32Array, start: number, step: number, size: number, narrow: number, share: number): void {
  const padding = narrow + 1
  for (let i = 0, at = start; i < size; i++, at += step) line[padding + i] = pixels[at]!
  line.fill(line[padding]!, 0, padding)
  line.fill(line[padding + size - 1]!, padding + size)
  const reach = 2 * narrow + 1
  let sum = 0
  for (let i = 1; i <= reach; i++) sum += line[i]!
  const scale = 1 / (reach + 2 * share)
  for (let i = 0, at = start; i < size; i++, at += step) {
    const after = line[i + reach + 1]!
    pixels[at] = (sum + share * (line[i]! + after)) * scale
    sum += after - line[i + 1]!
  }
}

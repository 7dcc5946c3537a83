/**
 * Pillow's resampling (Image.resize) in the same integers: separable, antialiased, horizontal pass first, each pass
 * rounded to bytes. Reimplemented because models were trained on exactly these bytes; other resizers differ by several
 * grey levels. Weights: 22 fractional bits, accumulated in 32-bit integers.
 */
import type { RgbImage } from './image-decode.ts'

export type ResampleFilter = 'bilinear' | 'bicubic'

const PRECISION_BITS = 22
const HALF = 1 << (PRECISION_BITS - 1)
const CACHE_LIMIT = 256

/** Which input samples enter each output sample, and with what weight. */
interface ResampleTable {
  /** First input index of each output [out]. */
  starts: Int32Array
  /** Number of inputs of each output [out]. */
  counts: Int32Array
  /** Weights, `stride` slots for each output [out * stride]. */
  weights: Int32Array
  stride: number
}

const tables = new Map<string, ResampleTable>()

/** Resizes to width x height (both > 0). A pass whose size does not change is skipped; the input is never modified. */
export function resample(image: RgbImage, width: number, height: number, filter: ResampleFilter): RgbImage {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new RangeError(`Cannot resize to ${width} x ${height}.`)
  }
  if (image.pixels.length !== image.width * image.height * 3) throw new RangeError('Pixel count and size disagree.')
  const wide = image.width === width ? image : resampleRows(image, tableFor(image.width, width, filter), width)
  if (wide.height !== height) return resampleColumns(wide, tableFor(wide.height, height, filter), height)
  return wide === image ? { pixels: image.pixels.slice(), width, height } : wide
}

/** The size that a picture is wanted in, known from its own, and by which filter it gets there. */
export interface Reduction {
  filter: ResampleFilter
  size: (image: { width: number; height: number }) => { width: number; height: number }
}

/** The same for one channel, [height, width]: millions of grey pixels are reduced before they are made three times as many. */
export function resamplePlane(plane: Uint8Array, from: { width: number; height: number }, to: { width: number; height: number }, filter: ResampleFilter): Uint8Array {
  const wide = from.width === to.width ? plane : resamplePlaneRows(plane, from, tableFor(from.width, to.width, filter), to.width)
  return from.height === to.height ? (wide === plane ? plane.slice() : wide) : resampleLines(wide, to.width, tableFor(from.height, to.height, filter), to.height)
}

/** Four rows side by side: each weight is read once for four pixels. */
function resamplePlaneRows(plane: Uint8Array, from: { width: number; height: number }, { starts, counts, weights, stride }: ResampleTable, width: number): Uint8Array {
  const output = new Uint8Array(width * from.height)
  const [one, two, three] = [from.width, 2 * from.width, 3 * from.width]
  for (let y = 0; y < from.height; y += 4) {
    const rows = Math.min(4, from.height - y)
    for (let x = 0; x < width; x += 1) {
      let source = y * from.width + starts[x]!
      let slot = x * stride
      const end = slot + counts[x]!
      let target = y * width + x
      if (rows < 4) {
        for (let row = 0; row < rows; row += 1, target += width, source += from.width) {
          let sum = HALF
          for (let i = 0; i < end - slot; i += 1) sum = (sum + Math.imul(plane[source + i]!, weights[slot + i]!)) | 0
          output[target] = clipByte(sum >> PRECISION_BITS)
        }
        continue
      }
      let first = HALF
      let second = HALF
      let third = HALF
      let fourth = HALF
      for (; slot < end; slot += 1, source += 1) {
        const weight = weights[slot]!
        first = (first + Math.imul(plane[source]!, weight)) | 0
        second = (second + Math.imul(plane[source + one]!, weight)) | 0
        third = (third + Math.imul(plane[source + two]!, weight)) | 0
        fourth = (fourth + Math.imul(plane[source + three]!, weight)) | 0
      }
      output[target] = clipByte(first >> PRECISION_BITS)
      output[target + width] = clipByte(second >> PRECISION_BITS)
      output[target + 2 * width] = clipByte(third >> PRECISION_BITS)
      output[target + 3 * width] = clipByte(fourth >> PRECISION_BITS)
    }
  }
  return output
}

function resampleRows(image: RgbImage, table: ResampleTable, width: number): RgbImage {
  const { starts, counts, weights, stride } = table
  if (image.isGrey === true) return resampleGreyRows(image, table, width)
  const { pixels, height } = image
  const output = new Uint8Array(width * height * 3)
  let target = 0
  for (let y = 0; y < height; y += 1) {
    const row = y * image.width * 3
    for (let x = 0; x < width; x += 1) {
      let source = row + starts[x]! * 3
      let slot = x * stride
      const end = slot + counts[x]!
      let red = HALF
      let green = HALF
      let blue = HALF
      for (; slot < end; slot += 1, source += 3) {
        const weight = weights[slot]!
        red = (red + Math.imul(pixels[source]!, weight)) | 0
        green = (green + Math.imul(pixels[source + 1]!, weight)) | 0
        blue = (blue + Math.imul(pixels[source + 2]!, weight)) | 0
      }
      output[target] = clipByte(red >> PRECISION_BITS)
      output[target + 1] = clipByte(green >> PRECISION_BITS)
      output[target + 2] = clipByte(blue >> PRECISION_BITS)
      target += 3
    }
  }
  return { pixels: output, width, height }
}

/** The same for three equal channels: radiographs of millions of pixels take a third of the time. */
function resampleGreyRows(image: RgbImage, table: ResampleTable, width: number): RgbImage {
  const { starts, counts, weights, stride } = table
  const { pixels, height } = image
  const output = new Uint8Array(width * height * 3)
  let target = 0
  for (let y = 0; y < height; y += 1) {
    const row = y * image.width * 3
    for (let x = 0; x < width; x += 1) {
      let source = row + starts[x]! * 3
      const end = x * stride + counts[x]!
      let sum = HALF
      for (let slot = x * stride; slot < end; slot += 1, source += 3) sum = (sum + Math.imul(pixels[source]!, weights[slot]!)) | 0
      const value = clipByte(sum >> PRECISION_BITS)
      output[target] = value
      output[target + 1] = value
      output[target + 2] = value
      target += 3
    }
  }
  return { pixels: output, width, height }
}

function resampleColumns({ pixels, width }: RgbImage, table: ResampleTable, height: number): RgbImage {
  return { pixels: resampleLines(pixels, width * 3, table, height), width, height }
}

// Row by row with one accumulator for each byte of the row: memory is walked in order.
function resampleLines(pixels: Uint8Array, rowLength: number, { starts, counts, weights, stride }: ResampleTable, height: number): Uint8Array {
  const output = new Uint8Array(rowLength * height)
  const sums = new Int32Array(rowLength)
  for (let y = 0; y < height; y += 1) {
    sums.fill(HALF)
    for (let tap = 0; tap < counts[y]!; tap += 1) {
      const weight = weights[y * stride + tap]!
      const source = (starts[y]! + tap) * rowLength
      for (let i = 0; i < rowLength; i += 1) sums[i] = (sums[i]! + Math.imul(pixels[source + i]!, weight)) | 0
    }
    const target = y * rowLength
    for (let i = 0; i < rowLength; i += 1) output[target + i] = clipByte(sums[i]! >> PRECISION_BITS)
  }
  return output
}

function clipByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value
}

function tableFor(inputSize: number, outputSize: number, filter: ResampleFilter): ResampleTable {
  const key = `${inputSize}/${outputSize}/${filter}`
  let table = tables.get(key)
  if (table === undefined) {
    table = buildTable(inputSize, outputSize, filter)
    // A delivery has few distinct sizes; a long run over odd sizes must not grow without bound.
    if (tables.size >= CACHE_LIMIT) tables.clear()
    tables.set(key, table)
  }
  return table
}

function buildTable(inputSize: number, outputSize: number, filter: ResampleFilter): ResampleTable {
  const { kernel, radius } = filters[filter]
  const scale = inputSize / outputSize
  const stretch = Math.max(scale, 1)
  const support = radius * stretch
  const inverse = 1 / stretch
  const stride = Math.ceil(support) * 2 + 1
  const table: ResampleTable = {
    starts: new Int32Array(outputSize),
    counts: new Int32Array(outputSize),
    weights: new Int32Array(outputSize * stride),
    stride,
  }
  const exact = new Float64Array(stride)
  for (let output = 0; output < outputSize; output += 1) {
    const centre = (output + 0.5) * scale
    const start = Math.max(0, Math.trunc(centre - support + 0.5))
    const count = Math.min(inputSize, Math.trunc(centre + support + 0.5)) - start
    let total = 0
    for (let tap = 0; tap < count; tap += 1) {
      exact[tap] = kernel((tap + start - centre + 0.5) * inverse)
      total += exact[tap]!
    }
    table.starts[output] = start
    table.counts[output] = count
    for (let tap = 0; tap < count; tap += 1) {
      const weight = (total === 0 ? exact[tap]! : exact[tap]! / total) * (1 << PRECISION_BITS)
      table.weights[output * stride + tap] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5))
    }
  }
  return table
}

const filters: Record<ResampleFilter, { kernel: (x: number) => number; radius: number }> = {
  bilinear: { kernel: (x) => Math.max(0, 1 - Math.abs(x)), radius: 1 },
  bicubic: { kernel: bicubicKernel, radius: 2 },
}

// Keys 1981 with a = -0.5, written in Pillow's order of operations: the rounding of the weights depends on it.
function bicubicKernel(x: number): number {
  const a = -0.5
  const distance = Math.abs(x)
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a
  return 0
}

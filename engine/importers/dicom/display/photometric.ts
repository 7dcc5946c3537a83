/** Colour frames -> red, green, blue bytes: palettes and luminance-chroma. PS3.3 C.7.6.3.1. */
import { AppError } from '../../../domain/errors.ts'
import type { DicomDataSet } from '../data-set.ts'
import { readEntries } from './grayscale-header.ts'
import type { FrameSamples } from '../codecs/samples.ts'

/** A palette as bytes for each stored value from `first` on. */
interface Palette {
  first: number
  red: Uint8Array
  green: Uint8Array
  blue: Uint8Array
}

const descriptorTags = ['0028,1101', '0028,1102', '0028,1103']
const dataTags = ['0028,1201', '0028,1202', '0028,1203']
const segmentedTags = ['0028,1221', '0028,1222', '0028,1223']

/** Colours as stored, more than 8 bits scaled by 255 / (2^bits - 1). Result: [rows, columns, 3]. */
export function scaleColour({ data }: FrameSamples, bitsStored: number): Uint8Array {
  if (data instanceof Uint8Array && bitsStored === 8) return data
  const largest = 2 ** bitsStored - 1
  return Uint8Array.from(data, (value) => Math.min(255, Math.max(0, Math.floor((value * 255) / largest + 0.5))))
}

/** Full-range luminance and chroma -> RGB, the inverse of PS3.3 C.7.6.3.1.2, rounded half up. [rows, columns, 3] in and out. */
export function ybrToRgb(ybr: Uint8Array): Uint8Array {
  const rgb = new Uint8ClampedArray(ybr.length)
  for (let i = 0; i < ybr.length; i += 3) {
    const y = ybr[i]! + 0.5
    const cb = ybr[i + 1]! - 128
    const cr = ybr[i + 2]! - 128
    // A clamped array would round half to even; floor makes it half up.
    rgb[i] = Math.floor(y + 1.402 * cr)
    rgb[i + 1] = Math.floor(y - (0.114 * 1.772 / 0.587) * cb - (0.299 * 1.402 / 0.587) * cr)
    rgb[i + 2] = Math.floor(y + 1.772 * cb)
  }
  return new Uint8Array(rgb.buffer)
}

/**
 * Palette colours of stored values. Result: [rows, columns, 3].
 * @throws AppError DICOM_HEADER_INCOMPLETE when a palette is missing or too short
 */
export function applyPalette({ data }: FrameSamples, dataSet: DicomDataSet, isSigned: boolean): Uint8Array {
  const { first, red, green, blue } = readPalette(dataSet, isSigned)
  const rgb = new Uint8Array(data.length * 3)
  const last = red.length - 1
  for (let i = 0, at = 0; i < data.length; i++) {
    const entry = Math.min(last, Math.max(0, data[i]! - first))
    rgb[at++] = red[entry]!
    rgb[at++] = green[entry]!
    rgb[at++] = blue[entry]!
  }
  return rgb
}

function readPalette(dataSet: DicomDataSet, isSigned: boolean): Palette {
  const [count = 1, , bits] = dataSet.words(descriptorTags[0]!)
  const first = dataSet.words(descriptorTags[0]!, isSigned)[1]
  const length = count === 0 ? 65_536 : count
  const channels = dataTags.map((tag, i) => readEntries(dataSet, tag, length) ?? expandSegments(dataSet.words(segmentedTags[i]!), length))
  const [red, green, blue] = channels
  if (first === undefined || !red || !green || !blue) throw new AppError('DICOM_HEADER_INCOMPLETE', 'The image is stored with a colour palette, and the palette is missing or cut short.')
  // Some writers say 16 bits and fill only the low 8: taken by the word, such an image would be black.
  const isWide = bits === 16 && channels.some((entries) => entries!.some((entry) => entry > 255))
  const toBytes = (entries: Uint16Array): Uint8Array => Uint8Array.from(entries, (entry) => (isWide ? entry >> 8 : entry))
  return { first, red: toBytes(red), green: toBytes(green), blue: toBytes(blue) }
}

/** Segmented palettes, PS3.3 C.7.9.2: runs of values, straight lines to a value, and repetitions of earlier segments. */
function expandSegments(words: readonly number[], length: number): Uint16Array | null {
  const entries: number[] = []
  const run = (from: number, segmentLimit: number): void => {
    for (let at = from, done = 0; at + 2 <= words.length && done < segmentLimit && entries.length < length; done++) {
      const [code, size] = [words[at]!, words[at + 1]!]
      if (code === 0) entries.push(...words.slice(at + 2, at + 2 + size))
      else if (code === 1) {
        const start = entries.at(-1) ?? 0
        const end = words[at + 2] ?? start
        for (let i = 1; i <= size; i++) entries.push(Math.round(start + ((end - start) * i) / size))
      } else if (code === 2 && from === 0) run((words[at + 2] ?? 0) + (words[at + 3] ?? 0) * 65_536, size)
      else return
      at += code === 0 ? 2 + size : code === 1 ? 3 : 4
    }
  }
  run(0, Infinity)
  return entries.length >= length && words.length > 0 ? Uint16Array.from(entries.slice(0, length)) : null
}

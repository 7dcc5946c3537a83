/** One frame -> the 8-bit picture that the model sees and the screen shows. */
import type { DecodedFrame } from '../codecs/decode-frame.ts'
import type { DicomDataSet } from '../data-set.ts'
import { frameScopes, readModality, readPresets } from './grayscale-header.ts'
import { displayByte, modalityValue, voiValue, type ModalityTransform, type VoiTransform } from './grayscale.ts'
import { applyPalette, scaleColour, ybrToRgb } from './photometric.ts'
import type { PixelDescription } from '../pixel-description.ts'
import type { SampleArray } from '../codecs/samples.ts'

/** A picture of 8 bits: [height, width, channels]. */
export interface DisplayFrame {
  width: number
  height: number
  channels: 1 | 3
  pixels: Uint8Array
  /** What was shown of a grey image; null for colours, which are shown as they are. */
  voi: VoiTransform | null
}

/** Draws a decoded frame; `voi` replaces what the file asks for and is ignored for colours. */
export function drawFrame(frame: DecodedFrame, index: number, description: PixelDescription, dataSet: DicomDataSet, voi: VoiTransform | null): DisplayFrame {
  const size = { width: description.columns, height: description.rows }
  const { photometric, isSigned } = description
  if (photometric === 'PALETTE COLOR') return { ...size, channels: 3, pixels: applyPalette(frame, dataSet, isSigned), voi: null }
  if (description.samples === 3) return { ...size, channels: 3, pixels: toRgb(frame, description), voi: null }
  const scopes = frameScopes(dataSet, index)
  const modality = readModality(scopes, isSigned)
  const shown = voi ?? readPresets(scopes, isSigned)[0] ?? fullRange(frame.data, modality)
  return { ...size, channels: 1, pixels: drawGrey(frame.data, modality, shown, description), voi: shown }
}

function toRgb(frame: DecodedFrame, { photometric, bitsStored }: PixelDescription): Uint8Array {
  const bytes = scaleColour(frame, bitsStored)
  const isYbr = frame.colour === null ? photometric === 'YBR_FULL' || photometric === 'YBR_FULL_422' : frame.colour === 'ybr'
  return isYbr ? ybrToRgb(bytes) : bytes
}

/** From the smallest to the largest modality value of the frame. */
export function fullRange(data: SampleArray, modality: ModalityTransform): VoiTransform {
  let [low, high] = [Infinity, -Infinity]
  const note = (value: number): void => {
    if (value < low) low = value
    if (value > high) high = value
  }
  // Straight transforms keep the extremes at the extremes; a table may not.
  if (modality.kind === 'lut') for (const stored of data) note(modalityValue(stored, modality))
  else for (const stored of storedRange(data)) note(modalityValue(stored, modality))
  return { kind: 'range', low, high }
}

function storedRange(data: SampleArray): [number, number] {
  let [low, high] = [data[0]!, data[0]!]
  for (let i = 1; i < data.length; i++) {
    const value = data[i]!
    if (value < low) low = value
    else if (value > high) high = value
  }
  return [low, high]
}

/** Every stored value is computed once: an image has far more pixels than a 16-bit word has values. */
function drawGrey(data: SampleArray, modality: ModalityTransform, voi: VoiTransform, { photometric, bitsStored, isSigned }: PixelDescription): Uint8Array {
  const isInverted = photometric === 'MONOCHROME1'
  const show = (stored: number): number => displayByte(voiValue(modalityValue(stored, modality), voi), isInverted)
  const pixels = new Uint8Array(data.length)
  // Looking for the smallest and largest value takes longer than a table of all that the bits can hold, unless the image is small.
  const isWhole = bitsStored <= 16 && data.length > 2 ** bitsStored
  const [low, high] = isWhole ? bitRange(bitsStored, isSigned) : storedRange(data)
  if (high - low >= 1 << 16) {
    for (let i = 0; i < data.length; i++) pixels[i] = show(data[i]!)
    return pixels
  }
  const table = Uint8Array.from({ length: high - low + 1 }, (_, i) => show(low + i))
  for (let i = 0; i < data.length; i++) pixels[i] = table[data[i]! - low]!
  return pixels
}

/** What stored values can be: they are masked to their bits when a frame is read. */
function bitRange(bits: number, isSigned: boolean): [number, number] {
  return isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
}

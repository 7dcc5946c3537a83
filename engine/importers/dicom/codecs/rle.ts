/** RLE lossless, PS3.5 annex G: PackBits segments, one for each byte of each sample, the highest byte first. */
import { AppError } from '../../../domain/errors.ts'
import type { PixelDescription } from '../pixel-description.ts'
import { sampleCount } from './samples.ts'

const headerBytes = 64

/**
 * One RLE frame -> little-endian samples, colours interleaved.
 * @throws AppError DICOM_FRAME_DAMAGED
 */
export function decodeRle(bytes: Uint8Array, description: PixelDescription): Uint8Array {
  const { rows, columns, samples, bitsAllocated } = description
  const bytesEach = Math.max(1, bitsAllocated >> 3)
  const pixelCount = rows * columns
  if (bytes.length < headerBytes) throw damaged('its header is missing')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const segmentCount = view.getUint32(0, true)
  if (segmentCount !== samples * bytesEach) throw damaged(`it has ${segmentCount} segments where ${samples * bytesEach} belong`)
  const offsets = Array.from({ length: segmentCount }, (_, i) => view.getUint32(4 + 4 * i, true))
  if (offsets.some((offset, i) => offset < headerBytes || offset > bytes.length || (i > 0 && offset < offsets[i - 1]!))) throw damaged('its segment table points outside')
  const decoded = new Uint8Array(sampleCount(description) * bytesEach)
  const stride = samples * bytesEach
  offsets.forEach((offset, segment) => {
    const sample = Math.floor(segment / bytesEach)
    const byte = bytesEach - 1 - (segment % bytesEach)
    unpackSegment(bytes.subarray(offset, offsets[segment + 1] ?? bytes.length), decoded, sample * bytesEach + byte, stride, pixelCount)
  })
  return decoded
}

function unpackSegment(packed: Uint8Array, target: Uint8Array, start: number, stride: number, count: number): void {
  let done = 0
  for (let at = 0; at < packed.length && done < count;) {
    const control = packed[at++]!
    if (control === 128) continue
    if (control < 128) {
      const end = Math.min(at + control + 1, packed.length)
      for (; at < end && done < count; done++) target[start + done * stride] = packed[at++]!
    } else {
      const value = packed[at++]
      if (value === undefined) break
      for (let run = 257 - control; run > 0 && done < count; run--, done++) target[start + done * stride] = value
    }
  }
  if (done < count) throw damaged(`it ends after ${done} of ${count} pixels`)
}

function damaged(why: string): AppError {
  return new AppError('DICOM_FRAME_DAMAGED', `An RLE-compressed frame is damaged: ${why}.`)
}

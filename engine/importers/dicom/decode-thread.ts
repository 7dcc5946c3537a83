/** A thread that decodes DICOM frames for decode-pool.ts: bytes in, red-green-blue pixels or facts out, nothing kept between messages. */
import { parentPort } from 'node:worker_threads'
import { toErrorOutcome, type ErrorOutcome } from '../../domain/errors.ts'
import { resample, resamplePlane, type ResampleFilter } from '../../modalities/image-resample.ts'
import type { VoiTransform } from './display/grayscale.ts'
import type { DicomFacts } from './facts.ts'
import { readDicom } from './read-dicom.ts'

export interface DrawRequest {
  kind: 'draw'
  bytes: Uint8Array
  frame: number
  /** Replaces the window that the file proposes; null keeps it. */
  voi: VoiTransform | null
  /** The size that is wanted; null for that of the file. Reduced here, millions of pixels need not be sent. */
  to: { width: number; height: number; filter: ResampleFilter } | null
}

/** A frame as every other picture format gives it. */
export interface DrawnFrame {
  /** [height, width, 3] */
  pixels: Uint8Array
  width: number
  height: number
  isGrey: boolean
  frameCount: number
  bitsStored: number
}

export interface DescribeRequest {
  kind: 'describe'
  bytes: Uint8Array
  frame: number
}

/** What can be said of a frame without showing it. */
export interface FrameDescription {
  facts: DicomFacts
  /** What the file's own way of showing the frame is, and all ways that it proposes; null and none for colours. */
  voi: VoiTransform | null
  presets: VoiTransform[]
  /** From the smallest to the largest value; null for colours. */
  range: VoiTransform | null
  isInverted: boolean
}

interface Results { draw: DrawnFrame; describe: FrameDescription }
export type ThreadRequest = DrawRequest | DescribeRequest
export type ThreadResult<R extends ThreadRequest> = Results[R['kind']]
/** `cpuMs` is the processor time of the whole thread so far. */
export type ThreadReply = ({ ok: true; value: Results[keyof Results] } | { ok: false; error: ErrorOutcome }) & { cpuMs: number }

function draw({ bytes, frame, voi, to }: DrawRequest): DrawnFrame {
  const image = readDicom(bytes)
  const { pixels, width, height, channels } = image.renderFrame(frame, voi ?? undefined)
  const { frameCount, bitsStored } = image.description
  const facts = { isGrey: channels === 1, frameCount, bitsStored }
  if (to === null) return { pixels: channels === 3 ? pixels : toThreeChannels(pixels), width, height, ...facts }
  const small = channels === 3 ? resample({ pixels, width, height }, to.width, to.height, to.filter).pixels : toThreeChannels(resamplePlane(pixels, { width, height }, to, to.filter))
  return { pixels: small, width: to.width, height: to.height, ...facts }
}

function describe({ bytes, frame }: DescribeRequest): FrameDescription {
  const image = readDicom(bytes, frame)
  const { voi } = image.renderFrame(frame)
  return { facts: image.facts, voi, presets: image.presets, range: voi === null ? null : image.fullRange(frame), isInverted: image.description.photometric === 'MONOCHROME1' }
}

function toThreeChannels(grey: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(grey.length * 3)
  // Four pixels fill three words (little endian, as every machine this runs on): a third of the time of single bytes.
  const whole = grey.length >> 2
  const words = new Uint32Array(pixels.buffer, 0, whole * 3)
  for (let i = 0, at = 0; i < whole * 4; i += 4, at += 3) {
    const a = grey[i]!
    const b = grey[i + 1]!
    const c = grey[i + 2]!
    const d = grey[i + 3]!
    words[at] = a | (a << 8) | (a << 16) | (b << 24)
    words[at + 1] = b | (b << 8) | (c << 16) | (c << 24)
    words[at + 2] = c | (d << 8) | (d << 16) | (d << 24)
  }
  for (let i = whole * 4; i < grey.length; i++) pixels.fill(grey[i]!, i * 3, i * 3 + 3)
  return pixels
}

parentPort?.on('message', (request: ThreadRequest) => {
  let reply: ThreadReply
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  try {
    reply = { ok: true, value: request.kind === 'draw' ? draw(request) : describe(request), cpuMs: cpuMs() }
  } catch (error) {
    reply = { ok: false, error: toErrorOutcome(error, 'DICOM_FRAME_DAMAGED'), cpuMs: cpuMs() }
  }
  const pixels = reply.ok && 'pixels' in reply.value ? reply.value.pixels : null
  // A view into a larger buffer is copied; a buffer of its own changes hands.
  parentPort!.postMessage(reply, pixels !== null && pixels.byteLength === pixels.buffer.byteLength ? [pixels.buffer as ArrayBuffer] : [])
})

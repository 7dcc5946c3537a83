/**
 * The WebAssembly build of dcmjs-codecs: IJG JPEG for 8, 12 and 16 bits, CharLS, OpenJPEG and OpenJPH behind one small C
 * interface. Instantiated by hand instead of through the package's JavaScript, which fixes neither the memory nor the life of
 * an instance: here the memory's limits are edited, and an instance that failed is put back byte for byte to its start.
 */
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { AppError } from '../../../domain/errors.ts'

type Decoder = 'DecodeJpeg' | 'DecodeJpegLs' | 'DecodeJpeg2000' | 'DecodeHtJpeg2000'

/** What the codec is told of a frame; sizes must already agree with the compressed header, which the codec trusts. */
export interface CodecFrame {
  bytes: Uint8Array
  rows: number
  columns: number
  samples: number
  /** Bits of one decoded sample: 8 or 16. */
  bitsAllocated: 8 | 16
  bitsStored: number
  isSigned: boolean
}

/** 64 KiB pages: 640 MiB for one frame with all that its codec holds, which a 64-megapixel radiograph of 16 bits fits. */
const maxPages = 10_240
/** The module asks for 256 MiB at once, which the collector takes for garbage of that size each time; it grows by itself. */
const initialPages = 64
/** An instance that grew beyond is let go, so that one large frame does not hold its memory for ever. */
const keptBytes = 128 * 2 ** 20
/** Up to here putting a failed instance back to its start is quicker than making a new one. */
const restoredBytes = 32 * 2 ** 20
/** Samples of a frame that every codec was seen to decode inside that memory; above it a failure may be for want of it. */
const surelyFitting = 40_000_000
/** What libjpeg goes on after, returning grey or repeated lines for what is lost (jerror.h: JWRN_JPEG_EOF, HIT_MARKER, HUFF_BAD_CODE). */
const seriousWarnings = /premature end|bad huffman code|corrupt JPEG data: bad/i

type CodecExports = Record<string, (...args: number[]) => number> & { memory: { buffer: ArrayBuffer } }

interface Instance {
  exports: CodecExports
  failure: string
  warning: string
  /** All of the memory right after the start, and the stack pointer: the only other state that the module has. */
  start: { bytes: Uint8Array; stack: number }
}

/** What of WebAssembly is used; the types of Node leave most of it to the DOM library, which the engine does without. */
const wasm = (globalThis as unknown as {
  WebAssembly: { Module: new (bytes: Uint8Array) => object; Instance: new (module: object, imports: object) => { exports: CodecExports } }
}).WebAssembly

let compiled: object | null = null
let current: Instance | null = null

/**
 * Runs one decoder; the result is a copy of its output.
 * @throws AppError DICOM_FRAME_DAMAGED with the codec's words, when it fails or had to make up pixels; IMAGE_TOO_LARGE
 */
export function decodeWithWasm(decoder: Decoder, frame: CodecFrame): Uint8Array {
  const instance = current ?? instantiate()
  current = null
  instance.warning = ''
  instance.failure = ''
  let decoded: Uint8Array
  try {
    decoded = decodeIn(instance, decoder, frame)
  } catch (cause) {
    restore(instance)
    if (frame.rows * frame.columns * frame.samples > surelyFitting) {
      throw new AppError('IMAGE_TOO_LARGE', 'A compressed frame of this size takes more memory than decoding may have, or is damaged.', { cause })
    }
    // A codec that finds no way on stops without a word.
    const why = instance.failure || 'its data are damaged'
    throw new AppError('DICOM_FRAME_DAMAGED', `A compressed frame cannot be decoded: ${plainWords(why)}.`, { cause })
  }
  if (instance.exports.memory.buffer.byteLength <= keptBytes) current = instance
  if (instance.warning !== '') throw new AppError('DICOM_FRAME_DAMAGED', `A compressed frame is damaged or cut short: ${plainWords(instance.warning)}.`)
  return decoded
}

function decodeIn({ exports }: Instance, decoder: Decoder, frame: CodecFrame): Uint8Array {
  const call = (name: string, ...args: number[]): number => exports[name]!(...args) >>> 0
  const context = call('CreateCodecsContext')
  call('SetColumns', context, frame.columns)
  call('SetRows', context, frame.rows)
  call('SetBitsAllocated', context, frame.bitsAllocated)
  call('SetBitsStored', context, frame.bitsStored)
  call('SetSamplesPerPixel', context, frame.samples)
  call('SetPixelRepresentation', context, frame.isSigned ? 1 : 0)
  call('SetPlanarConfiguration', context, 0)
  call('SetEncodedBufferSize', context, frame.bytes.length)
  new Uint8Array(exports.memory.buffer).set(frame.bytes, call('GetEncodedBuffer', context))
  const parameters = call('CreateDecoderParameters')
  // Colours are converted after decoding, in one place for all codecs.
  call('SetConvertColorspaceToRgb', parameters, 0)
  call(decoder, context, parameters)
  call('ReleaseDecoderParameters', parameters)
  const from = call('GetDecodedBuffer', context)
  const size = call('GetDecodedBufferSize', context)
  const decoded = new Uint8Array(exports.memory.buffer).slice(from, from + size)
  call('ReleaseCodecsContext', context)
  return decoded
}

/** An exception leaves stack and heap as they were at that moment, perhaps overwritten by a damaged frame: everything back, or never again. */
function restore(instance: Instance): void {
  const { exports, start } = instance
  if (exports.memory.buffer.byteLength > restoredBytes) return
  const memory = new Uint8Array(exports.memory.buffer)
  memory.set(start.bytes)
  memory.fill(0, start.bytes.length)
  exports['_emscripten_stack_restore']!(start.stack)
  current = instance
}

function instantiate(): Instance {
  compiled ??= new wasm.Module(limitMemory(readFileSync(createRequire(import.meta.url).resolve('dcmjs-codecs/build/dcmjs-native-codecs.wasm'))))
  const read = (at: number, length: number): string => Buffer.from(instance.exports.memory.buffer, at, length).toString('latin1')
  const zeroes = (...at: number[]): number => {
    const view = new DataView(instance.exports.memory.buffer)
    for (const place of at) view.setUint32(place, 0, true)
    return 0
  }
  const { exports } = new wasm.Instance(compiled, {
    env: {
      onCodecsException: (at: number, length: number) => { instance.failure = read(at, length) },
      onCodecsInfo: (at: number, length: number) => {
        const text = read(at, length)
        if (seriousWarnings.test(text)) instance.warning ||= text
      },
      onCodecsTrace: () => undefined,
      emscripten_notify_memory_growth: () => undefined,
    },
    wasi_snapshot_preview1: {
      proc_exit: (status: number) => { throw new Error(`the codec stopped with status ${status}`) },
      clock_time_get: () => 0,
      // What a library prints is dropped: it may quote the file.
      fd_write: (_file: number, list: number, count: number, written: number) => {
        const view = new DataView(instance.exports.memory.buffer)
        let total = 0
        for (let i = 0; i < count; i++) total += view.getUint32(list + 8 * i + 4, true)
        view.setUint32(written, total, true)
        return 0
      },
      fd_close: () => 0,
      fd_seek: () => 0,
      environ_sizes_get: (count: number, size: number) => zeroes(count, size),
      environ_get: () => 0,
    },
  })
  const instance: Instance = { exports, failure: '', warning: '', start: { bytes: new Uint8Array(), stack: 0 } }
  exports['_initialize']!()
  instance.start = { bytes: new Uint8Array(exports.memory.buffer).slice(), stack: exports['emscripten_stack_get_current']!() }
  return instance
}

/** The module with its memory between `initialPages` and `maxPages`: section 5 holds count, flags, initial and maximum pages as LEB128. */
function limitMemory(module: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(module)
  const readLeb = (at: number): { value: number; next: number } => {
    let value = 0
    for (let shift = 0, next = at; ; shift += 7) {
      const byte = bytes[next++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return { value, next }
    }
  }
  // Padded to the length that stands there, so that no size before it changes.
  const writeLeb = (from: number, end: number, value: number): void => {
    for (let place = from, rest = value; place < end; place++, rest >>= 7) bytes[place] = (rest & 0x7f) | (place < end - 1 ? 0x80 : 0)
  }
  for (let at = 8; at < bytes.length;) {
    const { value: length, next: start } = readLeb(at + 1)
    if (bytes[at] === 5) {
      const { next: maximum } = readLeb(start + 2)
      writeLeb(start + 2, maximum, initialPages)
      writeLeb(maximum, readLeb(maximum).next, maxPages)
      return bytes
    }
    at = start + length
  }
  throw new Error('The codec module has no memory section.')
}

/** A codec's message without its internal names. */
function plainWords(message: string): string {
  return message.split('::').at(-1)!.trim().replace(/\.$/, '').slice(0, 120) || 'unknown error'
}

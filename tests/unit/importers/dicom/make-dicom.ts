/** Writes synthetic DICOM files: only what the tests need, with every mistake that real writers make available on request. */
import { deflateRawSync } from 'node:zlib'
import dcmjsCodecs from 'dcmjs-codecs'

export const syntaxes = {
  implicit: '1.2.840.10008.1.2', explicit: '1.2.840.10008.1.2.1', bigEndian: '1.2.840.10008.1.2.2', deflated: '1.2.840.10008.1.2.1.99',
  jpegBaseline: '1.2.840.10008.1.2.4.50', jpegExtended: '1.2.840.10008.1.2.4.51', jpegLossless: '1.2.840.10008.1.2.4.70', jpegLs: '1.2.840.10008.1.2.4.80',
  jpeg2000: '1.2.840.10008.1.2.4.90', highThroughput: '1.2.840.10008.1.2.4.201', rle: '1.2.840.10008.1.2.5', deflatedFrame: '1.2.840.10008.1.2.8.1', video: '1.2.840.10008.1.2.4.102',
} as const

/** A value of an element: text, 16-bit words, bytes, or the items of a sequence. */
export type Value = string | number[] | Uint8Array | Elements[]
/** Elements by `gggg,eeee`. */
export type Elements = Record<string, [vr: string, value: Value]>

export interface FileOptions {
  syntax?: string | null
  isImplicit?: boolean
  isBigEndian?: boolean
  hasPreamble?: boolean
  hasMeta?: boolean
}

const longVrs = new Set(['OB', 'OF', 'OW', 'SQ', 'UN', 'UT', 'OV'])

function bytesOf(value: Value, options: FileOptions): Buffer {
  if (typeof value === 'string') return Buffer.from(value.length % 2 === 1 ? `${value} ` : value, 'utf8')
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (value.length > 0 && typeof value[0] === 'object') {
    return Buffer.concat((value as Elements[]).map((item) => {
      const content = writeElements(item, options)
      return Buffer.concat([words([0xfffe, 0xe000], options), long(content.length, options), content])
    }))
  }
  return words(value as number[], options)
}

function words(values: readonly number[], { isBigEndian }: FileOptions): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  values.forEach((value, i) => (isBigEndian ? bytes.writeUInt16BE(value & 0xffff, 2 * i) : bytes.writeUInt16LE(value & 0xffff, 2 * i)))
  return bytes
}

function long(value: number, { isBigEndian }: FileOptions): Buffer {
  const bytes = Buffer.alloc(4)
  if (isBigEndian) bytes.writeUInt32BE(value)
  else bytes.writeUInt32LE(value)
  return bytes
}

function writeElement(tag: string, vr: string, content: Buffer, length: number, options: FileOptions): Buffer {
  const head = words(tag.split(',').map((part) => parseInt(part, 16)), options)
  if (options.isImplicit) return Buffer.concat([head, long(length, options), content])
  const name = Buffer.from(vr, 'latin1')
  if (longVrs.has(vr)) return Buffer.concat([head, name, Buffer.alloc(2), long(length, options), content])
  return Buffer.concat([head, name, words([length], options), content])
}

export function writeElements(elements: Elements, options: FileOptions = {}): Buffer {
  const sorted = Object.entries(elements).sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.concat(sorted.map(([tag, [vr, value]]) => {
    const content = bytesOf(value, options)
    return writeElement(tag, vr, content, content.length, options)
  }))
}

/** A file of these elements; pixels come last as raw bytes or, as a list, in fragments behind an offset table. */
export function writeDicom(elements: Elements, pixels: Uint8Array | { table: number[]; fragments: Uint8Array[] } | null, options: FileOptions = {}): Buffer {
  const { syntax = syntaxes.explicit, hasPreamble = true, hasMeta = true } = options
  const layout = { ...options, isBigEndian: options.isBigEndian ?? syntax === syntaxes.bigEndian, isImplicit: options.isImplicit ?? syntax === syntaxes.implicit }
  let body = writeElements(elements, layout)
  if (pixels instanceof Uint8Array) body = Buffer.concat([body, writeElement('7fe0,0010', 'OW', Buffer.from(pixels), pixels.length, layout)])
  else if (pixels !== null) body = Buffer.concat([body, writeElement('7fe0,0010', 'OB', encapsulate(pixels.table, pixels.fragments), 0xffffffff, layout)])
  if (syntax === syntaxes.deflated) body = deflateRawSync(body)
  const meta: Elements = { '0002,0002': ['UI', '1.2.840.10008.5.1.4.1.1.7'] }
  if (syntax !== null) meta['0002,0010'] = ['UI', syntax]
  return Buffer.concat([
    ...(hasPreamble ? [Buffer.alloc(128), Buffer.from('DICM')] : []),
    ...(hasMeta ? [writeElements(meta)] : []),
    body,
  ])
}

export function encapsulate(table: readonly number[], fragments: readonly Uint8Array[]): Buffer {
  const item = (content: Uint8Array): Buffer => Buffer.concat([words([0xfffe, 0xe000], {}), long(content.length, {}), content])
  const offsets = Buffer.concat(table.map((offset) => long(offset, {})))
  return Buffer.concat([item(offsets), ...fragments.map((fragment) => item(fragment.length % 2 === 1 ? Buffer.concat([fragment, Buffer.alloc(1)]) : fragment)), words([0xfffe, 0xe0dd], {}), long(0, {})])
}

export interface Shape {
  rows: number
  columns: number
  bits: number
  isSigned?: boolean
  samples?: 1 | 3
  frames?: number
  photometric?: string
}

/** Header of an image without identity. */
export function imageElements({ rows, columns, bits, isSigned = false, samples = 1, frames = 1, photometric }: Shape): Elements {
  const allocated = bits === 1 ? 1 : bits <= 8 ? 8 : bits <= 16 ? 16 : 32
  return {
    '0008,0016': ['UI', '1.2.840.10008.5.1.4.1.1.7'], '0008,0060': ['CS', 'OT'],
    '0028,0002': ['US', [samples]], '0028,0004': ['CS', photometric ?? (samples === 3 ? 'RGB' : 'MONOCHROME2')],
    ...(samples === 3 ? { '0028,0006': ['US', [0]] } : {}), ...(frames > 1 ? { '0028,0008': ['IS', String(frames)] } : {}),
    '0028,0010': ['US', [rows]], '0028,0011': ['US', [columns]], '0028,0100': ['US', [allocated]], '0028,0101': ['US', [bits]], '0028,0102': ['US', [bits - 1]],
    '0028,0103': ['US', [isSigned ? 1 : 0]],
  } as Elements
}

/** Smooth values with some noise, over the whole range of the bits: [rows, columns, samples]. */
export function makeValues({ rows, columns, bits, isSigned = false, samples = 1 }: Shape, seed = 1): Int32Array {
  const range = 2 ** bits
  const values = new Int32Array(rows * columns * samples)
  let state = seed
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const pixel = Math.floor(i / samples)
    const wave = 0.5 + 0.45 * Math.sin((pixel % columns) / 7 + (i % samples)) * Math.cos(Math.floor(pixel / columns) / 5)
    const value = Math.min(range - 1, Math.floor(wave * range) ^ (state >>> 30))
    values[i] = isSigned ? value - range / 2 : value
  }
  values[0] = isSigned ? -range / 2 : 0
  values[1] = isSigned ? range / 2 - 1 : range - 1
  return values
}

/** Little-endian bytes of values. */
export function toBytes(values: ArrayLike<number>, bytesEach: 1 | 2 | 4): Buffer {
  const bytes = Buffer.alloc(values.length * bytesEach)
  for (let i = 0; i < values.length; i++) {
    if (bytesEach === 1) bytes[i] = values[i]! & 255
    else if (bytesEach === 2) bytes.writeUInt16LE(values[i]! & 0xffff, 2 * i)
    else bytes.writeUInt32LE(values[i]! >>> 0, 4 * i)
  }
  return bytes
}

export type Encoder = 'encodeJpeg' | 'encodeJpegLs' | 'encodeJpeg2000' | 'encodeHtJpeg2000' | 'encodeRle'

/** Compresses one frame with the encoders that come with the decoders. */
export async function encode(encoder: Encoder, values: ArrayLike<number>, shape: Shape, parameters: Record<string, unknown> = {}): Promise<Uint8Array> {
  const { NativeCodecs, Context } = dcmjsCodecs as unknown as {
    NativeCodecs: { isInitialized(): boolean; initializeAsync(): Promise<void> } & Record<Encoder, (context: object, parameters: object) => { getEncodedBuffer(): Uint8Array }>
    Context: new (options: object) => object
  }
  if (!NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync()
  const allocated = shape.bits <= 8 ? 8 : 16
  const context = new Context({
    width: shape.columns, height: shape.rows, bitsAllocated: allocated, bitsStored: shape.bits, samplesPerPixel: shape.samples ?? 1,
    pixelRepresentation: shape.isSigned ? 1 : 0, planarConfiguration: 0, photometricInterpretation: shape.photometric ?? (shape.samples === 3 ? 'RGB' : 'MONOCHROME2'),
    decodedBuffer: toBytes(values, allocated === 8 ? 1 : 2),
  })
  return NativeCodecs[encoder](context, parameters).getEncodedBuffer()
}

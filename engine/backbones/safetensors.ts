/**
 * Safe reader and writer for the safetensors format: an 8-byte little-endian header length, a JSON header, raw tensor bytes.
 * A file is refused before anything large is allocated: the header must fit the file, every tensor's byte range must lie inside it,
 * match its shape and not overlap another one.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AppError } from '../domain/errors.ts'

const bytesPerElement = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const
type StoredType = keyof typeof bytesPerElement
const HEADER_LIMIT_BYTES = 100 * 1024 * 1024

export interface TensorEntry {
  name: string
  storedType: StoredType
  shape: number[]
  /** Byte range inside the file. */
  begin: number
  end: number
}

export interface HostTensor {
  shape: number[]
  values: Float32Array
}

export interface SafetensorsFile {
  entries: Map<string, TensorEntry>
  metadata: Record<string, string>
  /** Reads one tensor as float32 (integers are converted); throws WEIGHTS_TENSOR_MISSING or WEIGHTS_FILE_INVALID. */
  readFloats(name: string): HostTensor
  close(): void
}

/** Opens a safetensors file and checks its header; tensors are read one at a time, so memory stays at one tensor. */
export function openSafetensors(file: string): SafetensorsFile {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    throw new AppError('WEIGHTS_FILE_MISSING', `The weights file ${file} cannot be opened.`, { cause: error })
  }
  try {
    const size = fstatSync(descriptor).size
    const read = (begin: number, length: number): Buffer => {
      const buffer = Buffer.allocUnsafe(length)
      let done = 0
      while (done < length) {
        const count = readSync(descriptor, buffer, done, length - done, begin + done)
        if (count === 0) throw invalid(file, 'it ends before its header says')
        done += count
      }
      return buffer
    }
    const { entries, metadata } = parseHeader(file, size, read)
    return {
      entries,
      metadata,
      readFloats: (name) => {
        const entry = entries.get(name)
        if (entry === undefined) throw new AppError('WEIGHTS_TENSOR_MISSING', `The weights file ${file} has no tensor "${name}".`)
        return { shape: entry.shape, values: toFloats(read(entry.begin, entry.end - entry.begin), entry.storedType) }
      },
      close: () => closeSync(descriptor),
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

function invalid(file: string, what: string): AppError {
  return new AppError('WEIGHTS_FILE_INVALID', `The weights file ${file} is damaged or not a safetensors file: ${what}.`)
}

function parseHeader(
  file: string, size: number, read: (begin: number, length: number) => Buffer,
): { entries: Map<string, TensorEntry>; metadata: Record<string, string> } {
  if (size < 8) throw invalid(file, 'it is shorter than its header length field')
  const headerLength = read(0, 8).readBigUInt64LE(0)
  if (headerLength > BigInt(HEADER_LIMIT_BYTES) || headerLength > BigInt(size - 8)) {
    throw invalid(file, `its header claims ${headerLength} bytes`)
  }
  const dataBegin = 8 + Number(headerLength)
  let header: unknown
  try {
    header = JSON.parse(read(8, Number(headerLength)).toString('utf8'))
  } catch (error) {
    throw new AppError('WEIGHTS_FILE_INVALID', `The weights file ${file} has an unreadable header.`, { cause: error })
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw invalid(file, 'its header is not an object')
  const entries = new Map<string, TensorEntry>()
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = value as Record<string, string>
    else entries.set(name, parseEntry(file, name, value, dataBegin, size))
  }
  const ordered = [...entries.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)
  for (let i = 1; i < ordered.length; i++) {
    const previous = ordered[i - 1]!
    if (ordered[i]!.begin < previous.end) throw invalid(file, `tensors "${previous.name}" and "${ordered[i]!.name}" overlap`)
  }
  return { entries, metadata }
}

function parseEntry(file: string, name: string, value: unknown, dataBegin: number, size: number): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0
  if (typeof dtype !== 'string' || !(dtype in bytesPerElement)) throw invalid(file, `tensor "${name}" has the unknown type ${String(dtype)}`)
  if (!Array.isArray(shape) || !shape.every(isCount)) throw invalid(file, `tensor "${name}" has no valid shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) throw invalid(file, `tensor "${name}" has no valid byte range`)
  const storedType = dtype as StoredType
  const begin = dataBegin + (offsets[0] as number)
  const end = dataBegin + (offsets[1] as number)
  const expected = shape.reduce((product: number, n: number) => product * n, 1) * bytesPerElement[storedType]
  if (end < begin || end > size) throw invalid(file, `tensor "${name}" lies outside the file`)
  if (end - begin !== expected) throw invalid(file, `tensor "${name}" has ${end - begin} bytes where its shape needs ${expected}`)
  return { name, storedType, shape, begin, end }
}

function toFloats(bytes: Buffer, type: StoredType): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const width = bytesPerElement[type]
  const count = bytes.byteLength / width
  if (type === 'F32') {
    const copy = new Float32Array(count)
    new Uint8Array(copy.buffer).set(bytes)
    return copy
  }
  const values = new Float32Array(count)
  const readers: Record<Exclude<StoredType, 'F32'>, (offset: number) => number> = {
    F64: (o) => view.getFloat64(o, true),
    F16: (o) => halfToFloat(view.getUint16(o, true)),
    BF16: (o) => bfloatToFloat(view.getUint16(o, true)),
    I64: (o) => Number(view.getBigInt64(o, true)),
    I32: (o) => view.getInt32(o, true),
    I16: (o) => view.getInt16(o, true),
    I8: (o) => view.getInt8(o),
    U8: (o) => view.getUint8(o),
    BOOL: (o) => view.getUint8(o),
  }
  const reader = readers[type]
  for (let i = 0; i < count; i++) values[i] = reader(i * width)
  return values
}

const scratch = new DataView(new ArrayBuffer(4))

function bfloatToFloat(bits: number): number {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}

/** IEEE 754 half precision to a number, with subnormals, infinities and NaN. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Serialises float32 tensors; names are written in sorted order so that equal tensors give equal bytes. */
export function encodeSafetensors(tensors: Record<string, HostTensor>, metadata: Record<string, string> = {}): Uint8Array {
  const names = Object.keys(tensors).sort()
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const name of names) {
    const { shape, values } = tensors[name]!
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] }
    offset += values.byteLength
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8')
  const padded = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + padded + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.fill(0x20, 8, 8 + padded)
  bytes.set(json, 8)
  let position = 8 + padded
  for (const name of names) {
    const { values } = tensors[name]!
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position)
    position += values.byteLength
  }
  return bytes
}

/**
 * Safe reader and writer for the safetensors format: an 8-byte little-endian header length, a JSON header, raw tensor bytes.
 * A file is refused before anything large is allocated: the header must fit the file, every tensor's byte range must lie inside it,
 * match its shape, and the ranges must follow one another without overlap or gap; names come once, as the format demands.
 */
import { AppError } from '../domain/errors.ts'
import {
  DIMENSIONS_LIMIT, type HostTensor, type RangedFile, type StoredType, type TensorFile, type TensorInfo, bytesPerElement, decodeFloats, elementCount, invalidWeights, openRangedFile,
} from './files/tensor-file.ts'

/** Headers of real models take some hundred kilobytes; parsing a larger one would cost more memory than it is worth. */
const HEADER_LIMIT_BYTES = 16 * 1024 * 1024

interface TensorEntry extends TensorInfo {
  /** Byte range inside the file. */
  begin: number
  end: number
}

export interface SafetensorsFile extends TensorFile {
  readonly metadata: Record<string, string>
}

/** Opens a safetensors file and checks its header; tensors are read one at a time, so memory stays at one tensor. */
export function openSafetensors(path: string): SafetensorsFile {
  const file = openRangedFile(path)
  try {
    const { entries, metadata } = parseHeader(file)
    return {
      entries,
      metadata,
      readFloats: (name) => {
        const entry = entries.get(name)
        if (entry === undefined) throw new AppError('WEIGHTS_TENSOR_MISSING', `The weights file ${path} has no tensor "${name}".`)
        return { shape: [...entry.shape], values: decodeFloats(file.read(entry.begin, entry.end - entry.begin), entry.storedType) }
      },
      close: file.close,
    }
  } catch (error) {
    file.close()
    throw error
  }
}

function parseHeader(file: RangedFile): { entries: Map<string, TensorEntry>; metadata: Record<string, string> } {
  const { path, size } = file
  if (size < 8) throw invalidWeights(path, 'it is shorter than its header length field')
  const headerLength = new DataView(file.read(0, 8).buffer).getBigUint64(0, true)
  if (headerLength > BigInt(size - 8)) throw invalidWeights(path, `its header claims ${headerLength} bytes and the file has ${size}`)
  if (headerLength > BigInt(HEADER_LIMIT_BYTES)) throw new AppError('WEIGHTS_CLAIM_TOO_LARGE', `The header of ${path} claims ${headerLength} bytes.`)
  const dataBegin = 8 + Number(headerLength)
  let header: unknown
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(file.read(8, Number(headerLength)))
    header = JSON.parse(text)
  } catch (error) {
    throw invalidWeights(path, 'its header is not readable', error)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw invalidWeights(path, 'its header is not an object')
  const entries = new Map<string, TensorEntry>()
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = parseMetadata(path, value)
    else entries.set(name, parseEntry(file, name, value, dataBegin))
  }
  // JSON.parse keeps the last of several values of one name, another reader perhaps the first.
  const names = Object.values(header).reduce<number>((sum, value) => sum + (typeof value === 'object' && value !== null ? Object.keys(value as object).length : 0), Object.keys(header).length)
  if (namesIn(text) !== names) throw invalidWeights(path, 'its header names something twice')
  const ordered = [...entries.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)
  let end = dataBegin
  for (const { name, begin, end: own } of ordered) {
    if (begin < end) throw invalidWeights(path, `tensor "${name}" overlaps another one`)
    if (begin > end) throw invalidWeights(path, `${begin - end} bytes before tensor "${name}" belong to none`)
    end = own
  }
  if (end !== size) throw invalidWeights(path, `${size - end} bytes follow its last tensor`)
  return { entries, metadata }
}

/** Names of members in a JSON text, each as often as it stands there. */
function namesIn(json: string): number {
  let count = 0
  for (let i = json.indexOf('"'); i >= 0; i = json.indexOf('"', i + 1)) {
    for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++
    let next = i + 1
    while (' \t\r\n'.includes(json[next] ?? '-')) next++
    if (json[next] === ':') count++
  }
  return count
}

function parseMetadata(path: string, value: unknown): Record<string, string> {
  const isText = typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
  if (!isText) throw invalidWeights(path, 'its metadata are not texts')
  return value as Record<string, string>
}

function parseEntry({ path, size }: RangedFile, name: string, value: unknown, dataBegin: number): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0
  if (typeof dtype !== 'string' || !Object.hasOwn(bytesPerElement, dtype)) throw invalidWeights(path, `tensor "${name}" has ${typeof dtype === 'string' ? `the unknown type ${dtype}` : 'no type'}`)
  if (!Array.isArray(shape) || shape.length > DIMENSIONS_LIMIT || !shape.every(isCount)) throw invalidWeights(path, `tensor "${name}" has no valid shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) throw invalidWeights(path, `tensor "${name}" has no valid byte range`)
  const storedType = dtype as StoredType
  const begin = dataBegin + (offsets[0] as number)
  const end = dataBegin + (offsets[1] as number)
  const expected = elementCount(shape) * bytesPerElement[storedType]
  if (end < begin || end > size) throw invalidWeights(path, `tensor "${name}" lies outside the file`)
  if (end - begin !== expected) throw invalidWeights(path, `tensor "${name}" has ${end - begin} bytes where its shape needs ${expected}`)
  return { name, storedType, shape, begin, end }
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

/** What every weights file is read as, whatever its format: named tensors with byte ranges, read one at a time. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AppError } from '../../domain/errors.ts'

export const bytesPerElement = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const
export type StoredType = keyof typeof bytesPerElement

export interface TensorInfo {
  name: string
  storedType: StoredType
  shape: readonly number[]
}

export interface HostTensor {
  shape: number[]
  values: Float32Array
}

export interface TensorFile {
  readonly entries: ReadonlyMap<string, TensorInfo>
  /** Reads one tensor as float32 (integers are converted); throws WEIGHTS_TENSOR_MISSING or WEIGHTS_FILE_INVALID. */
  readFloats(name: string): HostTensor
  close(): void
}

/** A file open for reading pieces at known places, so that memory stays at one piece. */
export interface RangedFile {
  readonly path: string
  readonly size: number
  /** Throws WEIGHTS_FILE_INVALID when the file ends before the range does. */
  read(begin: number, length: number): Uint8Array<ArrayBuffer>
  close(): void
}

export function openRangedFile(path: string): RangedFile {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    throw new AppError('WEIGHTS_FILE_MISSING', `The weights file ${path} cannot be opened.`, { cause: error })
  }
  const { size } = fstatSync(descriptor)
  return {
    path,
    size,
    read: (begin, length) => {
      // Checked before allocating: a claim of gigabytes must cost nothing.
      if (begin < 0 || length < 0 || begin + length > size) throw invalidWeights(path, 'it ends before its header says')
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const count = readSync(descriptor, bytes, done, length - done, begin + done)
        if (count === 0) throw invalidWeights(path, 'it ends before its header says')
        done += count
      }
      return bytes
    },
    close: () => closeSync(descriptor),
  }
}

/** Names in a hostile file may be megabytes long; a message is for reading. */
const MESSAGE_LIMIT = 300

export function invalidWeights(path: string, what: string, cause?: unknown): AppError {
  return new AppError('WEIGHTS_FILE_INVALID', `The weights file ${path} is damaged or of another kind: ${what.slice(0, MESSAGE_LIMIT)}.`, { cause })
}

/** Axes that a tensor may have; those of real models have at most five. */
export const DIMENSIONS_LIMIT = 8

/** Elements of a shape; Infinity is possible and never equals a real count. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}

/** Stored little-endian bytes as float32; float32 itself is not copied. */
export function decodeFloats(bytes: Uint8Array<ArrayBuffer>, type: StoredType): Float32Array<ArrayBuffer> {
  const { buffer } = bytes
  switch (type) {
    case 'F32': return new Float32Array(buffer)
    case 'F16': return new Float32Array(new Float16Array(buffer))
    case 'BF16': {
      // bfloat16 is the upper half of a float32.
      const halves = new Uint16Array(buffer)
      const words = new Uint32Array(halves.length)
      for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16
      return new Float32Array(words.buffer)
    }
    case 'F64': return new Float32Array(new Float64Array(buffer))
    case 'I64': return Float32Array.from(new BigInt64Array(buffer), Number)
    case 'I32': return new Float32Array(new Int32Array(buffer))
    case 'I16': return new Float32Array(new Int16Array(buffer))
    case 'I8': return new Float32Array(new Int8Array(buffer))
    case 'U8':
    case 'BOOL': return new Float32Array(bytes)
  }
}

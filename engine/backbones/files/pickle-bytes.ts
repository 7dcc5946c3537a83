import type { AppError } from '../../domain/errors.ts'
import { invalidWeights } from './tensor-file.ts'

/** Reads the arguments of pickle instructions one after the other; every length is checked against what is there. */
export interface PickleBytes {
  position(): number
  byte(): number
  take(length: number): Uint8Array
  /** Little-endian, 2, 4 or 8 bytes. */
  unsigned(length: number): number
  /** Little-endian two's complement of any length up to 16 bytes; beyond 2^53 a bigint. */
  long(length: number): number | bigint
  /** Big-endian, as Python writes it. */
  double(): number
  text(length: number): string
  /** Up to the next newline. */
  line(): string
  /** A number written as text in one line. */
  decimal(): number | boolean
  damaged(what: string): AppError
}

export function pickleBytes(data: Uint8Array, begin: number, path: string): PickleBytes {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const decoder = new TextDecoder('utf-8')
  let at = begin
  const damaged = (what: string) => invalidWeights(path, what)
  const advance = (length: number): number => {
    if (!Number.isSafeInteger(length) || length < 0 || at + length > data.length) throw damaged('its pickled part is cut short')
    at += length
    return at - length
  }
  const unsigned = (length: number): number => {
    const from = advance(length)
    return length === 2 ? view.getUint16(from, true) : length === 4 ? view.getUint32(from, true) : Number(view.getBigUint64(from, true))
  }
  const line = (): string => {
    const end = data.indexOf(0x0a, at)
    if (end < 0) throw damaged('its pickled part is cut short')
    const from = at
    at = end + 1
    return decoder.decode(data.subarray(from, end))
  }
  return {
    damaged, unsigned, line,
    position: () => at,
    byte: () => data[advance(1)]!,
    take: (length) => data.subarray(advance(length), at),
    text: (length) => decoder.decode(data.subarray(advance(length), at)),
    double: () => view.getFloat64(advance(8), false),
    long: (length) => {
      if (length > 16) throw damaged('it holds a number of more than 16 bytes')
      const from = advance(length)
      let value = 0n
      for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(data[from + i]!)
      const signed = BigInt.asIntN(8 * length, value)
      return signed >= BigInt(Number.MIN_SAFE_INTEGER) && signed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(signed) : signed
    },
    decimal: () => {
      const text = line()
      if (text === '00' || text === '01') return text === '01'
      const value = Number(text.replace(/L$/, ''))
      if (Number.isNaN(value)) throw damaged('it holds a number that is none')
      return value
    },
  }
}

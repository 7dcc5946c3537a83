import { mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeFloats } from '../../../engine/backbones/files/tensor-file.ts'
import { encodeSafetensors, openSafetensors } from '../../../engine/backbones/safetensors.ts'
import { AppError } from '../../../engine/domain/errors.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'safetensors-'))
let files = 0
function fileOf(bytes: Uint8Array): string {
  const file = path.join(folder, `${files++}.safetensors`)
  writeFileSync(file, bytes)
  return file
}
function raw(header: string, data = new Uint8Array(0), claimed?: bigint): string {
  const json = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(claimed ?? BigInt(json.length))
  return fileOf(Buffer.concat([length, json, data]))
}
function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
  return 'none'
}

describe('a good file', () => {
  it('comes back as it was written', () => {
    const tensors = { b: { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }, a: { shape: [1], values: Float32Array.of(-0.5) } }
    const file = openSafetensors(fileOf(encodeSafetensors(tensors, { format: 'pt' })))
    expect(file.metadata).toEqual({ format: 'pt' })
    expect(file.readFloats('b')).toEqual(tensors.b)
    expect(codeOf(() => file.readFloats('c'))).toBe('WEIGHTS_TENSOR_MISSING')
    file.close()
  })

  it('may hold half precision, bfloat16 and 64-bit integers', () => {
    const data = new Uint8Array(2 + 2 + 8)
    const view = new DataView(data.buffer)
    view.setUint16(0, 0xc000, true)
    view.setUint16(2, 0x3fc0, true)
    view.setBigInt64(4, -7n, true)
    const file = openSafetensors(raw(JSON.stringify({
      h: { dtype: 'F16', shape: [1], data_offsets: [0, 2] }, b: { dtype: 'BF16', shape: [], data_offsets: [2, 4] }, i: { dtype: 'I64', shape: [1], data_offsets: [4, 12] },
    }), data))
    expect(['h', 'b', 'i'].map((name) => file.readFloats(name).values[0])).toEqual([-2, 1.5, -7])
    file.close()
  })

  it('reads half precision at its edges', () => {
    const bits = Uint16Array.of(0x0001, 0x03ff, 0x7bff, 0xfc00, 0x7e00)
    expect([...decodeFloats(new Uint8Array(bits.buffer), 'F16')]).toEqual([2 ** -24, 1023 * 2 ** -24, 65504, -Infinity, NaN])
  })
})

it('may have quotation marks, colons and nothing at all in its names', () => {
  const names = ['a": "b', 'c\\', '', 'd:', '__proto__']
  const header = `{${names.map((name, i) => `${JSON.stringify(name)} : {"dtype": "U8", "shape": [1], "data_offsets": [${i}, ${i + 1}]}`).join(',')}, "__metadata__": {"note": "\\":"}}`
  const file = openSafetensors(raw(header, Uint8Array.of(1, 2, 3, 4, 5)))
  expect(names.map((name) => file.readFloats(name).values[0])).toEqual([1, 2, 3, 4, 5])
  file.close()
})

describe('a bad file is refused before anything large is read', () => {
  const entry = (changes: object): string => JSON.stringify({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changes } })
  const data = new Uint8Array(8)
  it.each([
    ['an empty file', () => fileOf(new Uint8Array(0))],
    ['a header of 10 GB', () => raw('{}', data, 10n ** 10n)],
    ['a header longer than the file', () => raw('{}', data, 1000n)],
    ['a header that is not JSON', () => raw('{oops')],
    ['a header that is a list', () => raw('[]')],
    ['an unknown type', () => raw(entry({ dtype: 'PICKLE' }), data)],
    ['a negative size', () => raw(entry({ shape: [-2] }), data)],
    ['a size whose product overflows', () => raw(entry({ shape: [2 ** 40, 2 ** 40] }), data)],
    ['a range outside the file', () => raw(entry({ data_offsets: [0, 800], shape: [200] }), data)],
    ['a range that runs backwards', () => raw(entry({ data_offsets: [8, 0] }), data)],
    ['a range that does not match its shape', () => raw(entry({ shape: [1] }), data)],
    ['an entry that is null', () => raw('{"x": null}', data)],
    ['a type that is a thousand lists in one another', () => raw(`{"x": {"dtype": ${'['.repeat(50_000)}${']'.repeat(50_000)}, "shape": [2], "data_offsets": [0, 8]}}`, data)],
    ['a tensor of a million axes', () => raw(entry({ shape: new Array<number>(1_000_000).fill(0), data_offsets: [0, 0] }), new Uint8Array(0))],
    ['a header that is not UTF-8', () => fileOf(Buffer.concat([Buffer.of(4, 0, 0, 0, 0, 0, 0, 0), Buffer.of(0x7b, 0xff, 0x20, 0x7d)]))],
    ['one name twice', () => raw(`{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}`, data)],
    ['one shape twice', () => raw('{"x": {"dtype": "F32", "shape": [1], "shape": [2], "data_offsets": [0, 8]}}', data)],
    ['bytes between two tensors', () => raw(JSON.stringify({ a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] }, b: { dtype: 'U8', shape: [2], data_offsets: [6, 8] } }), data)],
    ['bytes before the first tensor', () => raw(entry({ shape: [1], data_offsets: [4, 8] }), data)],
    ['two tensors over the same bytes', () => raw(JSON.stringify({
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] }, b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
    }), data)],
  ])('%s', (_name, make) => {
    expect(codeOf(() => openSafetensors(make()))).toBe('WEIGHTS_FILE_INVALID')
  })

  it('a file cut short', () => {
    const file = fileOf(encodeSafetensors({ a: { shape: [100], values: new Float32Array(100) } }))
    truncateSync(file, 200)
    expect(codeOf(() => openSafetensors(file))).toBe('WEIGHTS_FILE_INVALID')
    expect(codeOf(() => openSafetensors(path.join(folder, 'absent')))).toBe('WEIGHTS_FILE_MISSING')
  })
})

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTorchFile } from '../../../engine/backbones/files/torch-file.ts'
import { AppError } from '../../../engine/domain/errors.ts'

/** Files that PyTorch wrote (tests/fixtures/weights/make.py), and the same files after an attack. */
const fixtures = path.join(import.meta.dirname, '..', '..', 'fixtures', 'weights')
const folder = mkdtempSync(path.join(tmpdir(), 'torch-file-'))
const expected = JSON.parse(readFileSync(path.join(fixtures, 'expected.json'), 'utf8')) as Record<string, { shape: number[]; values: number[] }>
let files = 0

/** A changed copy of a fixture. */
function changed(name: string, change: (bytes: Buffer) => Buffer): string {
  const file = path.join(folder, `${files++}.bin`)
  writeFileSync(file, change(readFileSync(path.join(fixtures, name))))
  return file
}

function codeOf(file: string): string {
  try {
    openTorchFile(file).close()
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
  return 'none'
}

/** Replaces the only occurrence of `from`; both have the same length. */
const swap = (from: string, to: string) => (bytes: Buffer): Buffer => {
  const at = bytes.indexOf(from, 0, 'latin1')
  if (at < 0 || from.length !== to.length) throw new Error('the fixture has changed')
  bytes.write(to, at, 'latin1')
  return bytes
}

/** The older format around any pickle, so that single instructions can be tried. */
const legacyWith = (...pickle: (number | string)[]): string => {
  const file = path.join(folder, `${files++}.bin`)
  const magic = Buffer.from('80028a0a6cfc9c46f9206aa85019' + '2e', 'hex')
  const protocol = Buffer.from('80024de9032e', 'hex')
  const system = Buffer.from('80027d2e', 'hex')
  const body = Buffer.concat([Buffer.from([0x80, 2]), ...pickle.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part, 'latin1')))])
  writeFileSync(file, Buffer.concat([magic, protocol, system, body]))
  return file
}

describe('a file that PyTorch wrote', () => {
  it.each(['state.bin', 'state-legacy.bin', 'state-protocol4.bin', 'lightning.ckpt'])('%s comes back as it was saved', (name) => {
    const file = openTorchFile(path.join(fixtures, name))
    const found = Object.fromEntries([...file.entries.keys()].map((tensor) => [tensor, file.readFloats(tensor)]))
    file.close()
    expect(Object.keys(found)).toEqual(Object.keys(expected))
    for (const [tensor, { shape, values }] of Object.entries(expected)) {
      expect(found[tensor]!.shape, tensor).toEqual(shape)
      expect([...found[tensor]!.values], tensor).toEqual(values.map(Math.fround))
    }
  })
})

describe('anything but tensors is refused and never run', () => {
  it.each(['evil.bin', 'evil-legacy.bin', 'whole-module.bin', 'parameter.bin', 'script.pt'])('%s', (name) => {
    expect(codeOf(path.join(fixtures, name))).toBe('WEIGHTS_PICKLE_REFUSED')
    expect(existsSync('/tmp/lacuna-was-here')).toBe(false)
  })

  it.each<[string, (number | string)[]]>([
    ['a system call', ['cos\nsystem\n', 'X\x04\x00\x00\x00true', 0x85, 0x52, 0x2e]],
    ['eval', ['c__builtin__\neval\n', ')', 0x52, 0x2e]],
    ['a nested attribute of an allowed module', ['ctorch._utils\n_rebuild_tensor_v2.__globals__\n', 0x2e]],
    ['another rebuild function', ['ctorch._utils\n_rebuild_sparse_tensor\n', 0x2e]],
    ['a storage that is built by code', ['ctorch\nFloatStorage\n', 'K\x01', 0x85, 0x52, 0x2e]],
    ['a new object', ['ccollections\nOrderedDict\n', ')', 0x81, 0x2e]],
    ['an old-style instance', ['(icollections\nOrderedDict\n', 0x2e]],
    ['state of something that is no dict', ['K\x01', '}', 0x62, 0x2e]],
    ['an extension code', [0x82, 1, 0x2e]],
    ['an external buffer', [0x97, 0x2e]],
    ['an array of bytes, as protocol 5 has it', [0x96, '\x01\0\0\0\0\0\0\0a', 0x2e]],
  ])('%s', (_, pickle) => {
    expect(codeOf(legacyWith(...pickle))).toBe('WEIGHTS_PICKLE_REFUSED')
  })
})

describe('a damaged or boasting file is refused before anything large is read', () => {
  /** Place of the unpacked size of an entry in the archive's directory. */
  const sizeField = (name: string, bytes: Buffer): number => bytes.lastIndexOf(Buffer.from('504b0102', 'hex'), bytes.lastIndexOf(name)) + 24
  it.each<[string, () => string, string]>([
    ['an empty file', () => changed('state.bin', () => Buffer.alloc(0)), 'WEIGHTS_FILE_INVALID'],
    ['another kind of file', () => changed('state.bin', () => Buffer.from('%PDF-1.7 something')), 'WEIGHTS_PICKLE_REFUSED'],
    ['an archive cut short', () => changed('state.bin', (bytes) => bytes.subarray(0, bytes.length - 100)), 'WEIGHTS_FILE_INVALID'],
    ['an older file cut short', () => changed('state-legacy.bin', (bytes) => bytes.subarray(0, bytes.length - 3)), 'WEIGHTS_FILE_INVALID'],
    ['an older file cut in its pickle', () => changed('state-legacy.bin', (bytes) => bytes.subarray(0, 200)), 'WEIGHTS_FILE_INVALID'],
    ['an older file with more at its end', () => changed('state-legacy.bin', (bytes) => Buffer.concat([bytes, Buffer.alloc(8)])), 'WEIGHTS_FILE_INVALID'],
    ['an entry of 4 GB in a file of kilobytes', () => changed('state.bin', (bytes) => {
      bytes.writeUInt32LE(0xfffffff0, sizeField('data/0', bytes))
      return bytes
    }), 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['a compressed entry', () => changed('state.bin', (bytes) => {
      bytes.writeUInt16LE(8, sizeField('data/0', bytes) - 14)
      return bytes
    }), 'WEIGHTS_FILE_INVALID'],
    ['a directory of 4 GB', () => changed('state.bin', (bytes) => {
      bytes.writeBigUInt64LE(2n ** 32n, bytes.lastIndexOf(Buffer.from('504b0606', 'hex')) + 40)
      return bytes
    }), 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['a storage that is not there', () => changed('state.bin', swap('FloatStorage\nq\x05X\x01\x00\x00\x000', 'FloatStorage\nq\x05X\x01\x00\x00\x009')), 'WEIGHTS_FILE_INVALID'],
    ['a storage of another length', () => changed('state.bin', swap('cpuq\x07K\x0c', 'cpuq\x07K\x0d')), 'WEIGHTS_FILE_INVALID'],
    ['a storage of 10 GB', () => legacyWith('ctorch._utils\n_rebuild_tensor_v2\n', '(', '(', 'X\x07\x00\x00\x00storage', 'ctorch\nFloatStorage\n', 'X\x01\x00\x00\x000X\x03\x00\x00\x00cpu', 'J\xff\xff\xff\x7f', 'Ntq\x01', 0x51, 'K\x00J\xff\xff\xff\x7f', 0x85, 'K\x01', 0x85, 0x89, 'Nt', 0x52, '.'), 'WEIGHTS_FILE_INVALID'],
    ['a tensor of 10 GB over a few bytes', () => changed('state-legacy.bin', swap('K\x03K\x04\x86', 'K\xffK\xff\x86')), 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['a tensor that reaches beyond its storage', () => changed('state-legacy.bin', swap('K\x02K\x02\x86', 'K\x02K\x05\x86')), 'WEIGHTS_FILE_INVALID'],
    ['a text longer than the file', () => legacyWith('X\xff\xff\xff\x7fabc', '.'), 'WEIGHTS_FILE_INVALID'],
    ['a value that was never stored', () => legacyWith('h\x07', '.'), 'WEIGHTS_FILE_INVALID'],
    ['items for a number', () => legacyWith('K\x01K\x01K\x01s', '.'), 'WEIGHTS_FILE_INVALID'],
    ['millions of dicts in as many bytes', () => legacyWith('}'.repeat(3_000_000), '.'), 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['millions of stored values', () => legacyWith(']', '\x94'.repeat(3_000_000), '.'), 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['millions of values', () => legacyWith('(', 'N'.repeat(3_000_000), 't.'), 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['one long list made into a dict again and again', () => legacyWith(']q\0(', 'K\x01K\x02\x86'.repeat(20_000), 'e', 'ccollections\nOrderedDict\nh\0\x85R'.repeat(2_000), '.'), 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['a name nested so that writing it out never ends', () => legacyWith('K\x01', '2\x86'.repeat(80), 'X\x01\0\0\0a', 0x93, '.'), 'WEIGHTS_FILE_INVALID'],
    ['no tensors at all', () => legacyWith('}.', ']', '.'), 'WEIGHTS_FILE_INVALID'],
  ])('%s', (_, make, code) => {
    const path = make()
    // What the cases before left behind must not be counted in the growth, nor be reused for it.
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    expect(codeOf(path)).toBe(code)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })
})

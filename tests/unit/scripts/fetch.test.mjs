import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requireIntegrity, requireSha256 } from '../../../scripts/setup/fetch/hash.mjs'
import { stageFolder } from '../../../scripts/setup/fetch/staged.mjs'
import { extractZip, listZip } from '../../../scripts/setup/fetch/zip.mjs'

let folder
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'lacuna-fetch-')) })
afterEach(async () => { await rm(folder, { recursive: true, force: true }) })

describe('hash checks', () => {
  it('accepts the pinned hash and refuses any other, naming both', async () => {
    const path = join(folder, 'file')
    await writeFile(path, 'lacuna')
    const sha256 = createHash('sha256').update('lacuna').digest('hex')
    const integrity = `sha512-${createHash('sha512').update('lacuna').digest('base64')}`
    await expect(requireSha256(path, sha256)).resolves.toBeUndefined()
    await expect(requireIntegrity(path, integrity)).resolves.toBeUndefined()
    await expect(requireSha256(path, '0'.repeat(64))).rejects.toThrow(sha256)
    await expect(requireIntegrity(path, `sha512-${'A'.repeat(86)}==`)).rejects.toThrow('not the pinned')
  })

  it('refuses a pin that is no sha512 integrity, so that a weak one cannot slip in', async () => {
    const path = join(folder, 'file')
    await writeFile(path, 'lacuna')
    await expect(requireIntegrity(path, 'sha1-abc')).rejects.toThrow('is not a sha512 integrity')
  })
})

describe('zip reader', () => {
  const files = [
    { name: 'tensorflow/lib.so', data: Buffer.from('x'.repeat(100_000)), method: 8 },
    { name: 'tensorflow/include/a.h', data: Buffer.from('header'), method: 0 },
    { name: 'empty.txt', data: Buffer.alloc(0), method: 0 },
    { name: 'other/skipped.py', data: Buffer.from('python'), method: 8 },
  ]

  it('lists entries and writes the chosen ones byte for byte', async () => {
    const path = join(folder, 'wheel.whl')
    await writeFile(path, makeZip(files))
    expect((await listZip(path)).map((entry) => [entry.name, entry.bytes])).toEqual(files.map((file) => [file.name, file.data.length]))
    const written = await extractZip(path, join(folder, 'out'), (name) => (name.startsWith('other/') ? undefined : name))
    expect(written).toBe(3)
    expect(await readFile(join(folder, 'out', 'tensorflow', 'lib.so'))).toEqual(files[0].data)
    expect(await readFile(join(folder, 'out', 'tensorflow', 'include', 'a.h'), 'utf8')).toBe('header')
    expect(existsSync(join(folder, 'out', 'other'))).toBe(false)
  })

  it('refuses a name that leaves the folder', async () => {
    const path = join(folder, 'evil.whl')
    await writeFile(path, makeZip([{ name: '../evil', data: Buffer.from('x'), method: 0 }]))
    await expect(extractZip(path, join(folder, 'out'), (name) => name)).rejects.toThrow('unsafe name')
    expect(existsSync(join(folder, 'evil'))).toBe(false)
  })

  it('refuses a file that is no zip and one that was cut off', async () => {
    const path = join(folder, 'cut.whl')
    await writeFile(path, makeZip(files).subarray(0, 60))
    await expect(listZip(path)).rejects.toThrow('not a zip file')
  })
})

describe('stageFolder', () => {
  it('leaves nothing under the final name when filling fails, and starts clean the next time', async () => {
    const final = join(folder, 'part')
    await expect(stageFolder(final, async (partial) => {
      await writeFile(join(partial, 'half'), 'x')
      throw new Error('killed')
    })).rejects.toThrow('killed')
    expect(existsSync(final)).toBe(false)
    await stageFolder(final, async (partial) => {
      expect(existsSync(join(partial, 'half'))).toBe(false)
      await writeFile(join(partial, 'whole'), 'x')
    })
    expect(existsSync(join(final, 'whole'))).toBe(true)
  })

  it('does not fill a folder that is there', async () => {
    const final = join(folder, 'part')
    await mkdir(final)
    await stageFolder(final, async () => { throw new Error('filled again') })
  })
})

/** A zip file with the given entries; the reader checks sizes, not CRCs, because whole files are checked by sha256. */
function makeZip(entries) {
  const bodies = []
  const directory = []
  let offset = 0
  for (const { name, data, method } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : data
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(method, 10)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt32LE(data.length, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(offset, 42)
    bodies.push(local, Buffer.from(name), packed)
    directory.push(central, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, ...directory, end])
}

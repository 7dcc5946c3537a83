import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import { SetupError } from '../progress.mjs'

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const END_BYTES = 22

/**
 * Lists a zip file (a Python wheel is one) from its central directory. Zip64 archives are refused.
 * @returns {Promise<Array<{ name: string, method: number, packedBytes: number, bytes: number, offset: number }>>}
 */
export async function listZip(path) {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const tail = await readAt(file, Math.max(0, size - END_BYTES - 0xffff), Math.min(size, END_BYTES + 0xffff))
    let end = tail.length - END_BYTES
    while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--
    if (end < 0) throw new SetupError(`${path} is not a zip file.`)
    const count = tail.readUInt16LE(end + 10)
    const directoryBytes = tail.readUInt32LE(end + 12)
    const directoryOffset = tail.readUInt32LE(end + 16)
    if (count === 0xffff || directoryOffset === 0xffffffff) throw new SetupError(`${path} is a zip64 file, which is not read here.`)
    return parseDirectory(await readAt(file, directoryOffset, directoryBytes), count, path)
  } finally {
    await file.close()
  }
}

function parseDirectory(directory, count, path) {
  const entries = []
  let at = 0
  for (let index = 0; index < count; index++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new SetupError(`${path} has a damaged directory.`)
    const nameBytes = directory.readUInt16LE(at + 28)
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    })
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

/**
 * Writes chosen entries of a zip file under `folder`.
 * @param {(name: string) => string | undefined} placeOf relative path for an entry, or undefined to leave it out
 * @returns {Promise<number>} files written
 */
export async function extractZip(path, folder, placeOf) {
  const entries = await listZip(path)
  const file = await open(path)
  let written = 0
  try {
    for (const entry of entries) {
      const place = entry.name.endsWith('/') ? undefined : placeOf(entry.name)
      if (place === undefined) continue
      const target = join(folder, place)
      // A name with ".." must not leave the folder.
      if (!normalize(target).startsWith(normalize(folder) + sep)) throw new SetupError(`${path} holds the unsafe name ${entry.name}.`)
      await mkdir(dirname(target), { recursive: true })
      await extractEntry(path, file, entry, target)
      written++
    }
  } finally {
    await file.close()
  }
  return written
}

async function extractEntry(path, file, entry, target) {
  const header = await readAt(file, entry.offset, 30)
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  const output = createWriteStream(target)
  if (entry.bytes === 0) {
    output.end()
    return
  }
  const source = createReadStream(path, { start, end: start + entry.packedBytes - 1, highWaterMark: 1 << 20 })
  if (entry.method === 8) await pipeline(source, createInflateRaw({ chunkSize: 1 << 20 }), output)
  else if (entry.method === 0) await pipeline(source, output)
  else throw new SetupError(`${path} packs ${entry.name} with method ${entry.method}, which is not read here.`)
  if (output.bytesWritten !== entry.bytes) throw new SetupError(`${path}: ${entry.name} has ${output.bytesWritten} bytes, not ${entry.bytes}.`)
}

async function readAt(file, position, length) {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead !== length) throw new SetupError('A zip file ends too early.')
  return buffer
}

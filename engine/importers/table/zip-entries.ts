import type { FileHandle } from 'node:fs/promises'

const endRecordLength = 22
const maxCommentLength = 0xffff
const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const entryLength = 46
const localSignature = 0x04034b50
const localLength = 30

/** A file inside a ZIP archive. */
export interface ZipEntry {
  name: string
  /** 0 stored, 8 deflated. */
  method: number
  compressedSize: number
  /** Unpacked size in bytes, and checksum of the unpacked bytes, that the directory states. */
  size: number
  crc32: number
  /** Where its packed bytes begin. */
  start: number
}

/**
 * The files that the directory of a ZIP archive names, so that an archive which unpacks to many gigabytes is refused before it is
 * opened. Null when directory and contents do not fit (cut short, damaged, or not a ZIP): what unpacks as a stream waits for ever for
 * parts that never come.
 */
export async function listZip(handle: FileHandle): Promise<ZipEntry[] | null> {
  const { size: fileSize } = await handle.stat()
  const tail = Buffer.alloc(Math.min(fileSize, endRecordLength + maxCommentLength))
  await handle.read(tail, 0, tail.length, fileSize - tail.length)
  let end = tail.length - endRecordLength
  while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--
  if (end < 0) return null
  const count = tail.readUInt16LE(end + 10)
  const directorySize = tail.readUInt32LE(end + 12)
  const directoryStart = tail.readUInt32LE(end + 16)
  // Nothing lies between the directory and its end.
  if (directoryStart + directorySize !== fileSize - tail.length + end) return null
  const directory = Buffer.alloc(directorySize)
  await handle.read(directory, 0, directorySize, directoryStart)
  const entries: ZipEntry[] = []
  for (let at = 0; at + entryLength <= directorySize;) {
    if (directory.readUInt32LE(at) !== entrySignature) return null
    const nameLength = directory.readUInt16LE(at + 28)
    const name = directory.toString('utf8', at + entryLength, at + entryLength + nameLength)
    const [compressedSize, size, offset] = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 42)]
    const [flags, method] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10)]
    const start = await findStart(handle, offset, { name, flags, method, compressedSize })
    if (start === null || start + compressedSize > directoryStart) return null
    entries.push({ name, method, compressedSize, size, crc32: directory.readUInt32LE(at + 16), start })
    at += entryLength + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries.length === count ? entries : null
}

/** The first packed byte behind an entry's own header, which must say the same; written in one go it may leave its size to the directory. */
async function findStart(handle: FileHandle, offset: number, entry: { name: string; flags: number; method: number; compressedSize: number }): Promise<number | null> {
  const header = Buffer.alloc(localLength)
  const { bytesRead } = await handle.read(header, 0, localLength, offset)
  if (bytesRead < localLength || header.readUInt32LE(0) !== localSignature) return null
  const nameLength = header.readUInt16LE(26)
  const found = Buffer.alloc(nameLength)
  await handle.read(found, 0, nameLength, offset + localLength)
  const isLater = (entry.flags & 8) !== 0
  const isSame = found.toString('utf8') === entry.name && header.readUInt16LE(6) === entry.flags && header.readUInt16LE(8) === entry.method
  return isSame && (isLater || header.readUInt32LE(18) === entry.compressedSize) ? offset + localLength + nameLength + header.readUInt16LE(28) : null
}

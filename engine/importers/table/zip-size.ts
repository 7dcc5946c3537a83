import { open } from 'node:fs/promises'

const endRecordLength = 22
const maxCommentLength = 0xffff
const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const entryLength = 46

/**
 * Sum of the unpacked sizes that the directory of a ZIP file states, in bytes, so that an archive which unpacks to many
 * gigabytes is refused before it is opened. Null when the directory cannot be found (cut short, or not a ZIP).
 */
export async function unpackedZipSize(file: string): Promise<number | null> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const tail = Buffer.alloc(Math.min(size, endRecordLength + maxCommentLength))
    await handle.read(tail, 0, tail.length, size - tail.length)
    let end = tail.length - endRecordLength
    while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--
    if (end < 0) return null
    const directorySize = tail.readUInt32LE(end + 12)
    const directoryStart = tail.readUInt32LE(end + 16)
    if (directoryStart + directorySize > size) return null
    const directory = Buffer.alloc(directorySize)
    await handle.read(directory, 0, directorySize, directoryStart)
    let total = 0
    for (let at = 0; at + entryLength <= directorySize;) {
      if (directory.readUInt32LE(at) !== entrySignature) return null
      total += directory.readUInt32LE(at + 24)
      at += entryLength + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
    }
    return total
  } finally {
    await handle.close()
  }
}

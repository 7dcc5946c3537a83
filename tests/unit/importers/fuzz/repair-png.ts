import { crc32 } from 'node:zlib'

/** The same bytes with the checksum of every chunk made right again: damage then reaches the decoder of the chunk. */
export function repairPng(damaged: Buffer): Buffer {
  const bytes = Buffer.from(damaged)
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at)
    const end = at + 8 + length
    if (end + 4 > bytes.length) break
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end)
    at = end + 4
  }
  return bytes
}

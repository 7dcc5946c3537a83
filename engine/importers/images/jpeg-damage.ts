/**
 * Damage of JPEG files that a decoder passes over in silence: blocks of zeros, which are what a failed copy or a bad sector
 * leaves behind. ITU-T T.81, annexes B (markers) and C (Huffman tables).
 */

const startOfScan = Buffer.from([0xff, 0xda])
const endOfImage = Buffer.from([0xff, 0xd9])
/** Entropy-coded data of photographs hold no longer runs of zero bits unless the tables make them mean "nothing here". */
const zeroRun = Buffer.alloc(256)

/** The damage in words, or null. `bytes` is a whole JPEG file. */
export function findJpegDamage(bytes: Buffer): string | null {
  const scan = bytes.indexOf(startOfScan, headerLength(bytes))
  if (scan < 0) return null
  // Inside entropy-coded data 0xff is always followed by a zero or a restart marker, so neither marker occurs by chance.
  const end = bytes.lastIndexOf(endOfImage)
  if (end < scan) return 'its end is missing'
  const zeros = bytes.indexOf(zeroRun, scan)
  return zeros >= 0 && zeros < end && !canCodeFlatAsZeros(bytes) ? 'a part of it was overwritten with zeros' : null
}

/** Position of the first scan header, found by walking over the segments; 0 when the file is not as it should be. */
function headerLength(bytes: Buffer): number {
  let at = 2
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) at += 2 + bytes.readUInt16BE(at + 2)
  return bytes[at] === 0xff && bytes[at + 1] === 0xda ? at : 0
}

/**
 * True when long zero runs may be an even area: progressive files, and tables made for the picture in which the code of zeros
 * means "end of block" everywhere. With the standard tables the code of zeros in the luminance table is a coefficient.
 */
function canCodeFlatAsZeros(bytes: Buffer): boolean {
  let at = 2
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const marker = bytes[at + 1]!
    const length = bytes.readUInt16BE(at + 2)
    if (marker >= 0xc2 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) return true
    if (marker === 0xc4 && hasCoefficientAsZeros(bytes.subarray(at + 4, at + 2 + length))) return false
    at += 2 + length
  }
  return true
}

/** Looks through the Huffman tables of a segment: is the all-zero code of an AC table anything but "end of block"? */
function hasCoefficientAsZeros(tables: Buffer): boolean {
  for (let at = 0; at + 17 <= tables.length;) {
    const isAc = tables[at]! >> 4 === 1
    let symbolCount = 0
    for (let i = 1; i <= 16; i++) symbolCount += tables[at + i]!
    if (isAc && symbolCount > 0 && tables[at + 17] !== 0) return true
    at += 17 + symbolCount
  }
  return false
}

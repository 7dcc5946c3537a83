import { analyse } from 'chardet'

/** How the bytes of a text table become characters. */
export interface TextEncoding {
  /** Name that iconv-lite decodes by. */
  name: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | (string & {})
  /** False when the file does not say it by a mark and its bytes are not valid Unicode either. */
  isCertain: boolean
  /** Bytes that are not valid in this encoding and became replacement signs. */
  isDamaged: boolean
}

/** What one pass over a file found out, see `scanBytes`. */
export interface ByteScan {
  isValidUtf8: boolean
  /** The start of the file and the surroundings of its first non-ASCII bytes. */
  sample: Buffer
}

const certain = { isCertain: true, isDamaged: false }

/**
 * Decides the encoding: byte-order mark; UTF-16 without mark by its zero bytes; UTF-8 when the whole file is valid; UTF-8 with
 * some damaged letters; else the best guess among East Asian, Cyrillic and Greek code pages, with Windows-1252
 * (a superset of Latin-1) as the default. Null when the bytes are no text at all.
 */
export function detectEncoding({ isValidUtf8, sample }: ByteScan): TextEncoding | null {
  if (sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf) return { name: 'utf-8', isCertain: true, isDamaged: !isValidUtf8 }
  if (sample[0] === 0xff && sample[1] === 0xfe) return { name: 'utf-16le', ...certain }
  if (sample[0] === 0xfe && sample[1] === 0xff) return { name: 'utf-16be', ...certain }
  const zeros = [0, 0]
  let controls = 0
  for (const [index, byte] of sample.entries()) {
    if (byte === 0) zeros[index & 1]!++
    else if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 26) controls++
  }
  const [evenZeros, oddZeros] = zeros as [number, number]
  if (evenZeros + oddZeros > 0) {
    if (oddZeros > 20 * evenZeros && oddZeros * 10 > sample.length) return { name: 'utf-16le', ...certain }
    if (evenZeros > 20 * oddZeros && evenZeros * 10 > sample.length) return { name: 'utf-16be', ...certain }
    return null
  }
  if (controls * 50 > sample.length) return null
  if (isValidUtf8) return { name: 'utf-8', ...certain }
  const { validSequences, invalidBytes } = countUtf8(sample)
  // A stray byte in a UTF-8 file must not turn all its other letters into two-letter nonsense.
  if (validSequences >= 5 && invalidBytes * 10 < validSequences) return { name: 'utf-8', isCertain: false, isDamaged: true }
  return { name: guessCodePage(sample), isCertain: false, isDamaged: false }
}

const multiByteNames = new Set(['GB18030', 'Big5', 'Shift_JIS', 'EUC-JP', 'EUC-KR'])
const singleByteNames = new Set(['windows-1251', 'KOI8-R', 'ISO-8859-5', 'ISO-8859-7', 'windows-1253', 'ISO-8859-8', 'windows-1255', 'ISO-8859-6', 'windows-1256'])

/** Best code page for text that is not Unicode. Western text has lone high bytes between ASCII letters; others have runs. */
function guessCodePage(sample: Buffer): string {
  let highBytes = 0
  let loneBytes = 0
  let pairedBytes = 0
  for (let start = 0; start < sample.length; start++) {
    if (sample[start]! < 0x80) continue
    let end = start
    let isAllHigh = true
    for (; end < sample.length && sample[end]! >= 0x80; end++) isAllHigh &&= sample[end]! >= 0xa1 && sample[end]! !== 0xff
    const run = end - start
    highBytes += run
    if (run === 1) loneBytes += run
    if (run % 2 === 0 && isAllHigh) pairedBytes += run
    start = end
  }
  if (highBytes === 0 || loneBytes * 10 > highBytes * 6) return 'windows-1252'
  const guesses = analyse(sample)
  const wide = guesses.find((guess) => multiByteNames.has(guess.name))
  const isPaired = pairedBytes * 10 >= highBytes * 9
  if (wide && (wide.confidence >= 30 || isPaired)) {
    // In short samples the detector rates all East Asian pages alike; hospital tables with full-width commas are GB18030.
    return wide.confidence >= 30 ? wide.name : 'GB18030'
  }
  const narrow = guesses.find((guess) => singleByteNames.has(guess.name))
  // All these run over most letters of a word; the ISO and Windows pages of Cyrillic differ, files come from Windows.
  if (narrow) return narrow.name === 'ISO-8859-5' ? 'windows-1251' : narrow.name
  return isPaired ? 'GB18030' : 'windows-1252'
}

/** Counts well-formed multi-byte sequences and bytes that belong to none. */
function countUtf8(bytes: Buffer): { validSequences: number; invalidBytes: number } {
  let validSequences = 0
  let invalidBytes = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte < 0x80) continue
    const length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0
    let isValid = length > 0 && byte < 0xf5
    for (let k = 1; isValid && k < length; k++) isValid = ((bytes[i + k] ?? 0) & 0xc0) === 0x80
    if (isValid) {
      validSequences++
      i += length - 1
    } else invalidBytes++
  }
  return { validSequences, invalidBytes }
}

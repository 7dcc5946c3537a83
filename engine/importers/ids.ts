import { createHmac } from 'node:crypto'

/** Crockford's alphabet: no I, L, O, U, so that a key read aloud or from paper is not mistaken. */
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const keyLength = 8

/** Cells that stand for "no value" in exports of common statistics programs. Compared in lower case. */
const blankMarks = new Set(['', 'nan', 'na', 'n/a', '#n/a', 'null', 'none', '<na>', '-', '--', '?'])

/** True when a cell of an ID, file-name or date column holds no value: blank, or one of the usual marks such as "NaN". */
export function isBlankCell(cell: string): boolean {
  return blankMarks.has(cell.toLowerCase())
}

/**
 * Text of a cell without noise: Unicode NFC, no zero-width characters or byte-order marks, outer blanks
 * (no-break and ideographic ones too) removed. Inner text stays as it is.
 */
export function cleanCell(cell: string): string {
  // Almost every cell is short printable ASCII without outer blanks; the slow path is for the rest.
  if (/^(?:[!-~](?:[ -~]*[!-~])?)?$/.test(cell)) return cell
  return cell.replace(/[\u200B-\u200D\u2060\uFEFF]/g, '').normalize('NFC').trim()
}

/**
 * A patient (or study) ID as text: cleaned, leading zeros and case kept. `="00123"`, the way spreadsheets protect
 * leading zeros in CSV, is unwrapped. Empty string when the cell holds no ID.
 */
export function normaliseId(cell: string): string {
  const text = cleanCell(cell)
  const wrapped = /^="([^"]*)"$/.exec(text)
  const id = wrapped?.[1] !== undefined ? wrapped[1].trim() : text
  return isBlankCell(id) ? '' : id
}

/** `length` Crockford characters (at most 51) of HMAC-SHA256(`key`, `text`). */
export function keyedCode(key: string, text: string, length: number): string {
  const digest = createHmac('sha256', key).update(text, 'utf8').digest()
  let code = ''
  let bits = 0
  let bitCount = 0
  for (const byte of digest) {
    bits = (bits << 8) | byte
    bitCount += 8
    while (bitCount >= 5) {
      bitCount -= 5
      code += crockford[(bits >> bitCount) & 31]
      bits &= (1 << bitCount) - 1
    }
    if (code.length >= length) break
  }
  return code.slice(0, length)
}

/**
 * Pseudonyms for a set of texts: `prefix` + 8 Crockford characters (40 bits), or `startLength`, of the keyed hash. Texts that share these
 * characters all get longer ones, whatever their order, so that the same table always yields the same keys.
 */
export function assignKeys(prefix: string, pseudonymKey: string, texts: Iterable<string>, startLength = keyLength): Map<string, string> {
  const keys = new Map<string, string>()
  let open = [...new Set(texts)]
  for (let length = startLength; open.length > 0; length += 2) {
    const byCode = new Map<string, string[]>()
    for (const text of open) {
      const code = keyedCode(pseudonymKey, text, length)
      const sharing = byCode.get(code)
      if (sharing) sharing.push(text)
      else byCode.set(code, [text])
    }
    open = []
    for (const [code, sharing] of byCode) {
      if (sharing.length === 1) keys.set(sharing[0]!, prefix + code)
      else open.push(...sharing)
    }
  }
  return keys
}

/**
 * Character classes as the reference BERT tokeniser sees them. Its tables are older than those of this runtime;
 * the exceptions below were found by comparing every code point with the `tokenizers` library 0.23.2, so that a note
 * in a rare script gets the ids the model was trained with.
 */

/** What happens to a character before WordPiece. */
export const characterClass = { dropped: 1, space: 2, punctuation: 3, ideograph: 4, other: 5 } as const
export type CharacterClass = (typeof characterClass)[keyof typeof characterClass]

const formatCharactersKept = parseRanges('890-891 8e2 110cd 13430-1343f')

const punctuationNotSplit = parseRanges(
  '61d 9fd a76 c77 c84 1b4e-1b4f 1b7d-1b7f 2e43-2e4f 2e52-2e5d 10d6e 10ead 10ed0 10f55-10f59 10f86-10f89 113d4-113d5 ' +
    '113d7-113d8 1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b 11944-11946 119e2 11a3f-11a46 11a9a-11a9c ' +
    '11a9e-11aa2 11b00-11b09 11be1 11c41-11c45 11c70-11c71 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 16d6d-16d6f ' +
    '16e97-16e9a 16fe2 1e5ff 1e95e-1e95f',
)

const furtherPunctuation = parseRanges('166d 111c9')

const marksKept = parseRanges(
  '7fd 897-89f 8ca-8e1 9fe afa-aff b55 c04 c3c d00 d3b-d3c d81 eba ece 180f 1885-1886 1abf-1add 1ae0-1aeb 1df6-1dfb a82c ' +
    'a8c5 a8ff a9bd 10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10eff 10f46-10f50 10f82-10f85 11070 11073-11074 110c2 111c9 ' +
    '111cf 1123e 11241 1133b 113bb-113c0 113ce 113d0 113d2 113e1-113e2 11438-1143f 11442-11444 11446 1145e 1182f-11837 ' +
    '11839-1183a 1193b-1193c 1193e 11943 119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38 11a3b-11a3e 11a47 ' +
    '11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a99 11b60 11b62-11b64 11b66 11c30-11c36 11c38-11c3d 11c3f 11c92-11ca7 ' +
    '11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 11d97 ' +
    '11ef3-11ef4 11f00-11f01 11f36-11f3a 11f40 11f42 11f5a 13440 13447-13455 1611e-16129 1612d-1612f 16f4f 16fe4 ' +
    '1cf00-1cf2d 1cf30-1cf46 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e08f 1e130-1e136 1e2ae ' +
    '1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 1e944-1e94a',
)

const furtherMarks = parseRanges('1734 1171e')

// The blocks of the original BERT code; kana and hangul are deliberately not among them.
const ideographs = [
  [0x4e00, 0x9fff], [0x3400, 0x4dbf], [0x20000, 0x2a6df], [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f], [0x2b920, 0x2ceaf], [0xf900, 0xfaff], [0x2f800, 0x2fa1f],
] as const

const controlPattern = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u
const spacePattern = /\p{White_Space}/u
const punctuationPattern = /\p{P}/u
const markPattern = /\p{Mn}/u

const lineSpaces = new Set([0x09, 0x0a, 0x0d])
const REPLACEMENT_CHARACTER = 0xfffd

const classes = new Uint8Array(0x110000)
const marks = new Uint8Array(0x110000)

/** Class of one code point before accents are stripped; remembered after the first look-up. */
export function classOf(codePoint: number): CharacterClass {
  const known = classes[codePoint]!
  if (known !== 0) return known as CharacterClass
  const found = findClass(codePoint)
  classes[codePoint] = found
  return found
}

/** Whether accent stripping removes this code point (a non-spacing mark). */
export function isStrippedMark(codePoint: number): boolean {
  const known = marks[codePoint]!
  if (known !== 0) return known === 2
  const isMark =
    furtherMarks.has(codePoint) || (markPattern.test(String.fromCodePoint(codePoint)) && !marksKept.has(codePoint))
  marks[codePoint] = isMark ? 2 : 1
  return isMark
}

function findClass(codePoint: number): CharacterClass {
  const character = String.fromCodePoint(codePoint)
  // Tab and line ends are control characters by category but separate words.
  if (lineSpaces.has(codePoint)) return characterClass.space
  if (codePoint === REPLACEMENT_CHARACTER) return characterClass.dropped
  if (controlPattern.test(character) && !formatCharactersKept.has(codePoint)) return characterClass.dropped
  if (spacePattern.test(character)) return characterClass.space
  if (ideographs.some(([low, high]) => codePoint >= low && codePoint <= high)) return characterClass.ideograph
  if (isAsciiSymbol(codePoint) || furtherPunctuation.has(codePoint)) return characterClass.punctuation
  const isPunctuation = punctuationPattern.test(character) && !punctuationNotSplit.has(codePoint)
  return isPunctuation ? characterClass.punctuation : characterClass.other
}

// $ + < = > ^ ` | ~ are symbols to Unicode but punctuation to BERT.
function isAsciiSymbol(codePoint: number): boolean {
  return (
    (codePoint >= 33 && codePoint <= 47) || (codePoint >= 58 && codePoint <= 64) ||
    (codePoint >= 91 && codePoint <= 96) || (codePoint >= 123 && codePoint <= 126)
  )
}

function parseRanges(text: string): ReadonlySet<number> {
  const members = new Set<number>()
  for (const range of text.split(' ')) {
    const [low, high] = range.split('-').map((part) => Number.parseInt(part, 16))
    for (let codePoint = low!; codePoint <= (high ?? low!); codePoint += 1) members.add(codePoint)
  }
  return members
}

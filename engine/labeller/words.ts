/** Sentences into words that compare alike whatever their spelling, number and capitals. */

/** One word or sign of a sentence; `start` and `end` are places in the text it came from. */
export interface Token {
  /** As it is compared: lower case, American spelling, singular. A removed word is "" and equals nothing. */
  word: string
  start: number
  end: number
  isSign: boolean
}

export interface Folding {
  spelling: readonly (readonly [string, string])[]
  plurals: ReadonlyMap<string, string>
}

/** Marks of removed words (XXXX, [NAME], ___) as one token, words with inner digits, and the signs that part clauses. */
const tokenPattern = /\[[^[\]\n]{1,40}\]|_{2,}|X{3,}|[\p{L}\p{N}]+(?:['\u2019][\p{L}]+)?(?:\.\d+)?|[,;:()/]/gu
const removedPattern = /^(?:\[.*\]|_+|X+)$/su

/** The tokens of a piece of text. Hyphens part words, so that "air-space" is "air space". */
export function tokenise(text: string, folding: Folding): Token[] {
  return [...text.matchAll(tokenPattern)].map((match) => {
    const [written] = match
    const isSign = /^[,;:()/]$/.test(written)
    return { word: isSign ? written : removedPattern.test(written) ? '' : foldWord(written, folding), start: match.index, end: match.index + written.length, isSign }
  })
}

/** A word as it is compared. */
export function foldWord(written: string, { spelling, plurals }: Folding): string {
  let word = written.toLowerCase().replace(/['\u2019]s$/, '').replace(/['\u2019]/g, '')
  for (const [british, american] of spelling) word = word.replace(british, american)
  return plurals.get(word) ?? singular(word)
}

/** English plurals without a dictionary; words that end in -ss, -us, -is or -as are singular already. */
function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s') || /(?:ss|us|is|as)$/.test(word)) return word
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`
  if (/(?:sses|shes|ches|xes)$/.test(word)) return word.slice(0, -2)
  return word.slice(0, -1)
}

/** Phrases of the rule lists, compiled, and the search for them among the words of a sentence. */
import { foldWord, type Folding, type Token } from './words.ts'

type Element = { kind: 'words'; exact: ReadonlySet<string>; prefixes: readonly string[] } | { kind: 'gap'; max: number; isWide: boolean } | { kind: 'end' }

export interface Phrase<T> {
  elements: readonly Element[]
  payload: T
}

/** A phrase found: `tokens` are the places of its own words, without what stands in its gaps. */
export interface PhraseMatch<T> {
  payload: T
  tokens: number[]
  first: number
  last: number
}

export interface PhraseIndex<T> {
  find: (tokens: readonly Token[]) => PhraseMatch<T>[]
}

const narrowGap = 4
const wideGap = 8

/** Reads "word", "a|b", "word*", "~" (up to four words), "~~" (up to eight, commas too), "$" (end of a clause) and signs. */
export function compilePhrase<T>(text: string, payload: T, folding: Folding): Phrase<T> {
  const elements = text.trim().split(/\s+/).map((piece): Element => {
    if (piece === '~') return { kind: 'gap', max: narrowGap, isWide: false }
    if (piece === '~~') return { kind: 'gap', max: wideGap, isWide: true }
    if (piece === '$') return { kind: 'end' }
    const alternatives = piece.split('|').filter((word) => word !== '')
    const starred = alternatives.filter((word) => word.endsWith('*') && word.length > 1)
    return {
      kind: 'words',
      exact: new Set(alternatives.filter((word) => !starred.includes(word)).map((word) => (/^[,;:()/]$/.test(word) ? word : foldWord(word, folding)))),
      // A beginning is not a word: only its spelling is folded, never its end.
      prefixes: starred.map((word) => foldWord(`${word.slice(0, -1)}\u0001`, folding).replace('\u0001', '')),
    }
  })
  return { elements, payload }
}

/**
 * An index by first word, since a report has hundreds of words and the lists have hundreds of phrases. `barred` words stand in no narrow gap,
 * nor do those that `moreBarred` names for a phrase: "nodule that is not calcified" is no calcified nodule.
 */
export function createPhraseIndex<T>(phrases: readonly Phrase<T>[], barred: ReadonlySet<string>, moreBarred: (payload: T) => readonly string[] = () => []): PhraseIndex<T> {
  const barredFor = new Map(phrases.map(({ payload }) => [payload, new Set([...barred, ...moreBarred(payload)])]))
  const byWord = new Map<string, Phrase<T>[]>()
  const byPrefix: Phrase<T>[] = []
  for (const phrase of phrases) {
    const [head] = phrase.elements
    if (head?.kind !== 'words') continue
    for (const word of head.exact) byWord.set(word, [...byWord.get(word) ?? [], phrase])
    if (head.prefixes.length > 0) byPrefix.push(phrase)
  }
  return {
    find: (tokens) => tokens.flatMap((token, at) => {
      if (token.word === '') return []
      const candidates = [...byWord.get(token.word) ?? [], ...byPrefix.filter(({ elements }) => matchesWord(elements[0]!, token.word))]
      return candidates.flatMap((phrase): PhraseMatch<T>[] => {
        const places = matchFrom(phrase.elements, 0, tokens, at, barredFor.get(phrase.payload)!)
        return places === null ? [] : [{ payload: phrase.payload, tokens: places, first: places[0]!, last: places.at(-1)! }]
      })
    }),
  }
}

function matchesWord(element: Element, word: string): boolean {
  return element.kind === 'words' && (element.exact.has(word) || element.prefixes.some((prefix) => word.startsWith(prefix)))
}

/** Places of the words from element `index` on, the shortest gaps first; null when the phrase does not stand at `at`. */
function matchFrom(elements: readonly Element[], index: number, tokens: readonly Token[], at: number, barred: ReadonlySet<string>): number[] | null {
  const element = elements[index]
  if (element === undefined) return []
  if (element.kind === 'end') return at >= tokens.length || tokens[at]!.isSign ? matchFrom(elements, index + 1, tokens, at, barred) : null
  if (element.kind === 'gap') {
    for (let skipped = 0; skipped <= element.max && at + skipped <= tokens.length; skipped++) {
      if (skipped > 0) {
        const { word, isSign } = tokens[at + skipped - 1]!
        if (element.isWide ? isSign && word !== ',' : isSign || barred.has(word)) return null
      }
      const rest = matchFrom(elements, index + 1, tokens, at + skipped, barred)
      if (rest !== null) return rest
    }
    return null
  }
  const token = tokens[at]
  if (token === undefined || token.word === '' || !matchesWord(element, token.word)) return null
  const rest = matchFrom(elements, index + 1, tokens, at + 1, barred)
  return rest === null ? null : [at, ...rest]
}

/** Of matches that share words only the longest, the first of equals; `isBefore` decides between equally long ones at one place. */
export function longestMatches<T>(matches: readonly PhraseMatch<T>[], isBefore: (a: T, b: T) => number): PhraseMatch<T>[] {
  const sorted = [...matches].sort((a, b) => b.tokens.length - a.tokens.length || isBefore(a.payload, b.payload) || a.first - b.first || a.last - b.last)
  const taken = new Set<number>()
  const kept: PhraseMatch<T>[] = []
  for (const match of sorted) {
    if (match.tokens.some((place) => taken.has(place))) continue
    for (const place of match.tokens) taken.add(place)
    kept.push(match)
  }
  return kept.sort((a, b) => a.first - b.first)
}

/**
 * BERT WordPiece (Wu et al. 2016, Devlin et al. 2019): greedy longest match from the left, continuation pieces
 * written ##piece; a word with any unmatched rest becomes one unknown token.
 */
import type { TextEncoding, TextTokenizer } from './text-tokenizer.ts'
import { splitWords } from './word-split.ts'
import type { WordPieceVocabulary } from './vocabulary.ts'

export interface WordPieceOptions {
  /**
   * Treat "[SEP]" typed in a text as the special token, as the reference library does. Off for hospital notes: a note
   * must not be able to end its own segment or blank out a word. On only for parity checks.
   */
  matchSpecialTokens?: boolean
}

export interface EncodeOptions {
  /** Length of the result including [CLS] and [SEP]; longer texts are cut, shorter ones padded. Without it neither happens. */
  maxLength?: number
  /** Second segment; an empty string counts as none, as in the reference library. */
  pair?: string
}

export interface WordPieceEncoding extends TextEncoding {
  /** 0 for the first segment and padding, 1 for the second with its [SEP] [T]. */
  typeIds: Uint8Array
}

export interface WordPieceTokenizer extends TextTokenizer {
  vocabulary: WordPieceVocabulary
  /** Ids of a text without [CLS] and [SEP]. Never throws. */
  tokenize(text: string): number[]
  /** Framed, cut and padded ids. Throws RangeError when maxLength leaves no room for the frame. */
  encode(text: string, options?: EncodeOptions): WordPieceEncoding
}

// Report vocabularies are small; the cache saves nearly all matching. Emptied when full to bound memory on odd input.
const CACHE_LIMIT = 100_000

/** A tokenizer over one vocabulary; it keeps a cache of seen words and no other state. */
export function createWordPiece(vocabulary: WordPieceVocabulary, options: WordPieceOptions = {}): WordPieceTokenizer {
  const pieces = createPieceTable(vocabulary)
  const cache = new Map<string, readonly number[]>()
  const specialPattern = options.matchSpecialTokens === true ? patternOf(vocabulary.specialTokens) : null

  const appendWords = (text: string, ids: number[], countAt: ReachedCount) => {
    for (const word of splitWords(text, vocabulary.splitting)) {
      let found = cache.get(word)
      if (found === undefined) {
        found = matchPieces(word, vocabulary, pieces)
        if (cache.size >= CACHE_LIMIT) cache.clear()
        cache.set(word, found)
      }
      for (let i = 0; i < found.length; i += 1) ids.push(found[i]!)
      noteReached(countAt, ids.length)
    }
  }

  const segment = (text: string, limit: number): Segment => {
    const ids: number[] = []
    const countAt: ReachedCount = { limit, reached: null }
    if (specialPattern === null) appendWords(text, ids, countAt)
    else {
      // Odd entries of a split with one capture group are the matches.
      text.split(specialPattern).forEach((part, index) => {
        if (index % 2 === 0) return appendWords(part, ids, countAt)
        ids.push(vocabulary.idOf.get(part)!)
        noteReached(countAt, ids.length)
      })
    }
    return { ids, weighedCount: countAt.reached ?? ids.length }
  }

  return {
    vocabulary,
    tokenize: (text) => segment(text, Infinity).ids,
    emptyText: Int32Array.of(vocabulary.classificationId, vocabulary.separatorId),
    vocabularySize: vocabulary.tokens.length,
    encode(text, { maxLength, pair } = {}) {
      const limit = maxLength ?? Infinity
      const second = pair === undefined || pair === '' ? null : segment(pair, limit)
      return frame(segment(text, limit), second, maxLength, vocabulary)
    },
  }
}

/** A tokenised text before framing. */
interface Segment {
  ids: number[]
  /**
   * The length used to decide which of two segments is the longer one: the reference stops counting after the word
   * that reaches the maximum length, which decides who gets the odd place when both are cut.
   */
  weighedCount: number
}

interface ReachedCount {
  limit: number
  reached: number | null
}

function noteReached(countAt: ReachedCount, count: number): void {
  if (countAt.reached === null && count >= countAt.limit) countAt.reached = count
}

function frame(
  first: Segment,
  second: Segment | null,
  maxLength: number | undefined,
  vocabulary: WordPieceVocabulary,
): WordPieceEncoding {
  const frameCount = second === null ? 2 : 3
  const fullTokenCount = first.ids.length + (second?.ids.length ?? 0) + frameCount
  const length = maxLength ?? fullTokenCount
  if (!Number.isInteger(length) || length < frameCount) {
    throw new RangeError(`A maximum length of ${length} leaves no room for the ${frameCount} framing tokens.`)
  }
  const [firstCount, secondCount] = shareRoom(first.weighedCount, second?.weighedCount ?? 0, length - frameCount)
  const ids = new Int32Array(length).fill(vocabulary.paddingId)
  const typeIds = new Uint8Array(length)
  let end = 0
  ids[end++] = vocabulary.classificationId
  for (let i = 0; i < firstCount; i += 1) ids[end++] = first.ids[i]!
  ids[end++] = vocabulary.separatorId
  if (second !== null) {
    const start = end
    for (let i = 0; i < secondCount; i += 1) ids[end++] = second.ids[i]!
    ids[end++] = vocabulary.separatorId
    typeIds.fill(1, start, end)
  }
  const attentionMask = new Uint8Array(length).fill(1, 0, end)
  return { ids, attentionMask, typeIds, tokenCount: end, fullTokenCount, isTruncated: end < fullTokenCount }
}

// "longest first" as the reference computes it: the shorter segment is kept whole as long as it fits into half.
function shareRoom(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second]
  const shorter = Math.min(first, second)
  let small = shorter
  let large = shorter > room ? shorter : Math.max(shorter, room - shorter)
  if (small + large > room) {
    small = Math.floor(room / 2)
    large = small + (room % 2)
  }
  return first <= second ? [small, large] : [large, small]
}

interface PieceTable {
  starts: ReadonlyMap<string, number>
  continuations: ReadonlyMap<string, number>
  /** UTF-16 length of the longest entry: no longer slice needs a look-up. */
  longest: number
}

// Continuations are kept without their ## so that matching slices the word and concatenates nothing.
function createPieceTable(vocabulary: WordPieceVocabulary): PieceTable {
  const continuations = new Map<string, number>()
  let longest = 0
  vocabulary.tokens.forEach((token, id) => {
    longest = Math.max(longest, token.length)
    if (token.startsWith('##')) continuations.set(token.slice(2), id)
  })
  return { starts: vocabulary.idOf, continuations, longest }
}

function matchPieces(word: string, vocabulary: WordPieceVocabulary, table: PieceTable): readonly number[] {
  if (word.length > vocabulary.longestWord && [...word].length > vocabulary.longestWord) return [vocabulary.unknownId]
  const ids: number[] = []
  let start = 0
  while (start < word.length) {
    const pieces = start === 0 ? table.starts : table.continuations
    let end = Math.min(word.length, start + table.longest)
    let id: number | undefined
    while (end > start) {
      id = pieces.get(word.slice(start, end))
      if (id !== undefined) break
      end -= 1
    }
    if (id === undefined) return [vocabulary.unknownId]
    ids.push(id)
    start = end
  }
  return ids
}

function patternOf(specialTokens: readonly string[]): RegExp {
  // Longest first, so that a token that begins another one does not shadow it.
  const escaped = [...specialTokens].sort((a, b) => b.length - a.length).map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`(${escaped.join('|')})`)
}

/**
 * CLIP's byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909; Radford et al. 2021) as Hugging Face's CLIPTokenizer computes it: NFC, runs of
 * white space to one space, lower case, words cut by CLIP's pattern and again by GPT-2's, bytes as printable characters, merges by rank.
 * Unlike OpenAI's original script it repairs no broken text and resolves no HTML entities.
 */
import { byteCharacters, type BytePairVocabulary, END_OF_TEXT, END_OF_WORD, START_OF_TEXT } from './clip-vocabulary.ts'
import type { TextEncoding, TextTokenizer } from './text-tokenizer.ts'

export interface ClipBpeOptions {
  /** Treat "<|endoftext|>" typed in a text as the special token, as the reference library does. Off for hospital notes; on only for parity checks. */
  matchSpecialTokens?: boolean
}

const FRAME = 2
/** White space by Unicode's property; \s of JavaScript also counts U+FEFF and leaves out U+0085. */
const SPACE = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const SPACES = new RegExp(`[${SPACE}]+`, 'gu')
const CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
const CLIP_WORDS = new RegExp(`<\\|startoftext\\|>|<\\|endoftext\\|>|${CONTRACTIONS}|\\p{L}+|\\p{N}|[^${SPACE}\\p{L}\\p{N}]+`, 'gu')
/** GPT-2's pattern, which the byte-level step applies to each word again; words hold no white space here. */
const BYTE_LEVEL_WORDS = new RegExp(`${CONTRACTIONS}|\\p{L}+|\\p{N}+|[^${SPACE}\\p{L}\\p{N}]+`, 'gu')
const CACHE_LIMIT = 100_000

/** A tokenizer over one vocabulary; it keeps a cache of seen words and no other state. */
export function createClipBpe(vocabulary: BytePairVocabulary, options: ClipBpeOptions = {}): TextTokenizer {
  const cache = new Map<string, readonly number[]>()
  const bytes = new TextEncoder()

  const idsOfWord = (word: string): readonly number[] => {
    const known = cache.get(word)
    if (known !== undefined) return known
    const characters = Array.from(bytes.encode(word), (byte) => byteCharacters[byte]!)
    const ids = mergePieces(characters, vocabulary).map((piece) => vocabulary.idOf.get(piece) ?? vocabulary.unknownId)
    if (cache.size >= CACHE_LIMIT) cache.clear()
    cache.set(word, ids)
    return ids
  }

  const idsOfText = (text: string): number[] => {
    const clean = lowerCase(text.normalize('NFC').replace(SPACES, ' '))
    const words = (clean.match(CLIP_WORDS) ?? []).flatMap((word) => word.match(BYTE_LEVEL_WORDS) ?? [])
    return words.flatMap((word) => [...idsOfWord(word)])
  }

  const tokenize = (text: string): number[] => {
    if (options.matchSpecialTokens !== true) return idsOfText(text)
    return text.split(/(<\|startoftext\|>|<\|endoftext\|>)/).flatMap((part) => {
      if (part === START_OF_TEXT) return [vocabulary.startId]
      return part === END_OF_TEXT ? [vocabulary.endId] : idsOfText(part)
    })
  }

  return {
    encode: (text, { maxLength } = {}) => frame(tokenize(text), maxLength, vocabulary),
    emptyText: Int32Array.of(vocabulary.startId, vocabulary.endId),
    vocabularySize: Math.max(...vocabulary.idOf.values()) + 1,
  }
}

function frame(ids: readonly number[], maxLength: number | undefined, vocabulary: BytePairVocabulary): TextEncoding {
  const fullTokenCount = ids.length + FRAME
  const length = maxLength ?? fullTokenCount
  if (!Number.isInteger(length) || length < FRAME) throw new RangeError(`A maximum length of ${length} leaves no room for the ${FRAME} framing tokens.`)
  const kept = ids.slice(0, length - FRAME)
  const tokenCount = kept.length + FRAME
  const framed = new Int32Array(length).fill(vocabulary.paddingId)
  framed.set([vocabulary.startId, ...kept, vocabulary.endId])
  return { ids: framed, attentionMask: new Uint8Array(length).fill(1, 0, tokenCount), tokenCount, fullTokenCount, isTruncated: tokenCount < fullTokenCount }
}

/** Joins neighbours by the lowest rank, leftmost first, until no merge fits; the last character ends the word. */
function mergePieces(characters: readonly string[], { rankOf }: BytePairVocabulary): string[] {
  const pieces = characters.map((character, i) => (i === characters.length - 1 ? character + END_OF_WORD : character))
  for (;;) {
    let best = Infinity
    let at = -1
    for (let i = 0; i + 1 < pieces.length; i++) {
      const rank = rankOf.get(`${pieces[i]!} ${pieces[i + 1]!}`)
      if (rank !== undefined && rank < best) [best, at] = [rank, i]
    }
    if (at < 0) return pieces
    pieces.splice(at, 2, pieces[at]! + pieces[at + 1]!)
  }
}

// Character by character, as the reference: String.toLowerCase on the whole text would turn a final capital sigma into the final form.
function lowerCase(text: string): string {
  let lower = ''
  for (const character of text) lower += character.toLowerCase()
  return lower
}

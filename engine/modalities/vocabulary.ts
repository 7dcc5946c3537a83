/** Reads a WordPiece vocabulary from a Hugging Face tokenizer.json or from the original vocab.txt. */
import { AppError } from '../domain/errors.ts'
import type { WordSplitSettings } from './word-split.ts'

/** Tokens by id, the ids that frame a text, and how text was prepared when the vocabulary was made. */
export interface WordPieceVocabulary {
  /** Token strings; the index is the id. */
  tokens: readonly string[]
  idOf: ReadonlyMap<string, number>
  paddingId: number
  unknownId: number
  classificationId: number
  separatorId: number
  /** Words with more code points than this become one unknown token. */
  longestWord: number
  /** The literal strings that the reference treats as one special token when they are typed in a text. */
  specialTokens: readonly string[]
  splitting: WordSplitSettings
}

const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
const LONGEST_WORD = 100

/** Reads vocab.txt: one token per line, the line number is the id; it does not say itself how words are split. Throws AppError TOKENIZER_INVALID. */
export function parseVocabularyText(text: string, fileName: string, splitting: WordSplitSettings): WordPieceVocabulary {
  const lines = text.replace(/^\uFEFF/, '').split('\n').map((line) => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  return build(lines, fileName, { splitting, longestWord: LONGEST_WORD, specialTokens: SPECIAL_TOKENS })
}

/**
 * Reads tokenizer.json. Only what BERT vocabularies use is accepted: a setting we would have to ignore gives other ids
 * than the ones the weights were trained with. Throws AppError TOKENIZER_INVALID.
 */
export function parseTokenizerJson(text: string, fileName: string): WordPieceVocabulary {
  const root = readObject(text, fileName)
  const model = asRecord(root['model'])
  const normalizer = asRecord(root['normalizer'])
  const require = (isAccepted: boolean, what: string) => {
    if (!isAccepted) throw new AppError('TOKENIZER_INVALID', `${fileName} ${what}.`)
  }
  require(model['type'] === 'WordPiece', `holds a ${String(model['type'])} tokenizer; only WordPiece (BERT) is supported`)
  require(normalizer['type'] === 'BertNormalizer', 'does not use the BERT text clean-up')
  require(normalizer['clean_text'] !== false, 'switches off the removal of control characters')
  require(normalizer['handle_chinese_chars'] !== false, 'switches off the splitting of Chinese characters')
  require(asRecord(root['pre_tokenizer'])['type'] === 'BertPreTokenizer', 'does not split words as BERT does')
  require((model['continuing_subword_prefix'] ?? '##') === '##', 'marks word pieces with something other than ##')
  require((model['unk_token'] ?? '[UNK]') === '[UNK]', 'uses another unknown token than [UNK]')

  const added = (Array.isArray(root['added_tokens']) ? root['added_tokens'] : []).map(asRecord)
  require(added.every((token) => token['special'] === true), 'adds words of its own')
  require(added.every((token) => token['normalized'] !== true && token['single_word'] !== true && token['lstrip'] !== true
    && token['rstrip'] !== true), 'matches special tokens in an unusual way')
  const longestWord = model['max_input_chars_per_word'] ?? LONGEST_WORD
  require(typeof longestWord === 'number' && longestWord > 0, 'has no valid length limit for words')
  const isLowerCased = normalizer['lowercase'] !== false
  const stripAccents = normalizer['strip_accents']
  return build(tokensById(asRecord(model['vocab']), fileName), fileName, {
    longestWord: longestWord as number,
    specialTokens: added.length > 0 ? added.map((token) => String(token['content'])) : SPECIAL_TOKENS,
    splitting: { isLowerCased, hasAccentsStripped: typeof stripAccents === 'boolean' ? stripAccents : isLowerCased },
  })
}

function build(
  tokens: readonly string[],
  fileName: string,
  rest: Pick<WordPieceVocabulary, 'longestWord' | 'specialTokens' | 'splitting'>,
): WordPieceVocabulary {
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  if (idOf.size !== tokens.length) throw new AppError('TOKENIZER_INVALID', `${fileName} lists a token twice.`)
  const find = (token: string): number => {
    const id = idOf.get(token)
    if (id === undefined) throw new AppError('TOKENIZER_INVALID', `${fileName} has no ${token} token.`)
    return id
  }
  rest.specialTokens.forEach(find)
  return {
    tokens, idOf, ...rest,
    paddingId: find('[PAD]'), unknownId: find('[UNK]'), classificationId: find('[CLS]'), separatorId: find('[SEP]'),
  }
}

function tokensById(entries: Record<string, unknown>, fileName: string): string[] {
  const tokens: string[] = []
  const pairs = Object.entries(entries)
  for (const [token, id] of pairs) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= pairs.length || tokens[id] !== undefined) {
      throw new AppError('TOKENIZER_INVALID', `${fileName} gives the token ids with gaps or twice.`)
    }
    tokens[id] = token
  }
  return tokens
}

function readObject(text: string, fileName: string): Record<string, unknown> {
  try {
    return asRecord(JSON.parse(text))
  } catch (cause) {
    throw new AppError('TOKENIZER_INVALID', `${fileName} is not a readable JSON file.`, { cause })
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

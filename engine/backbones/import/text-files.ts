/** The tokeniser of a backbone folder. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import { createClipBpe } from '../../modalities/clip-bpe.ts'
import { parseClipTokenizerJson, parseVocabAndMerges } from '../../modalities/clip-vocabulary.ts'
import type { TextTokenizer } from '../../modalities/text-tokenizer.ts'
import { type WordPieceVocabulary, parseTokenizerJson, parseVocabularyText } from '../../modalities/vocabulary.ts'
import { createWordPiece } from '../../modalities/wordpiece.ts'

/** Files from elsewhere may hold anything in any place: what their parsers stumble over is an invalid tokeniser too. */
function readable<T>(name: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('TOKENIZER_INVALID', `${name} is not built as a tokeniser's file is.`, { cause })
  }
}

/** Opens the WordPiece tokeniser of a BERT or ViLT folder; null when the folder has none. Throws TOKENIZER_INVALID. */
export function openWordPieceOf(dir: string, names: readonly string[]): TextTokenizer | null {
  const vocabulary = readWordPieceVocabulary(dir, names)
  return vocabulary === null ? null : createWordPiece(vocabulary)
}

/** The vocabulary of tokenizer.json, or of vocab.txt with the settings beside it; null when there is neither. Throws TOKENIZER_INVALID. */
export function readWordPieceVocabulary(dir: string, names: readonly string[]): WordPieceVocabulary | null {
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  if (names.includes('tokenizer.json')) return readable('tokenizer.json', () => parseTokenizerJson(read('tokenizer.json'), 'tokenizer.json'))
  if (!names.includes('vocab.txt')) return null
  const settings = names.includes('tokenizer_config.json') ? readSettings(read('tokenizer_config.json')) : {}
  if (settings['tokenize_chinese_chars'] === false) throw new AppError('TOKENIZER_INVALID', 'tokenizer_config.json switches off the splitting of Chinese characters.')
  const isLowerCased = settings['do_lower_case'] !== false
  // Some languages are lower-cased with their accents kept (German models are).
  const accents = settings['strip_accents']
  return parseVocabularyText(read('vocab.txt'), 'vocab.txt', { isLowerCased, hasAccentsStripped: typeof accents === 'boolean' ? accents : isLowerCased })
}

/** Opens the byte-pair tokeniser of a CLIP folder; null when the folder has none. Throws TOKENIZER_INVALID. */
export function openBytePairsOf(dir: string, names: readonly string[]): TextTokenizer | null {
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  if (names.includes('tokenizer.json')) return readable('tokenizer.json', () => createClipBpe(parseClipTokenizerJson(read('tokenizer.json'), 'tokenizer.json')))
  if (!names.includes('vocab.json') || !names.includes('merges.txt')) return null
  return readable('vocab.json', () => createClipBpe(parseVocabAndMerges(read('vocab.json'), read('merges.txt'), 'vocab.json')))
}

function readSettings(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) as Record<string, unknown> }
  } catch (cause) {
    throw new AppError('TOKENIZER_INVALID', 'tokenizer_config.json is not a readable JSON file.', { cause })
  }
}

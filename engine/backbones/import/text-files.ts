/** The tokeniser of a backbone folder. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import { createClipBpe } from '../../modalities/clip-bpe.ts'
import { parseClipTokenizerJson, parseVocabAndMerges } from '../../modalities/clip-vocabulary.ts'
import type { TextTokenizer } from '../../modalities/text-tokenizer.ts'
import { parseTokenizerJson, parseVocabularyText } from '../../modalities/vocabulary.ts'
import { createWordPiece } from '../../modalities/wordpiece.ts'

/** Opens the WordPiece tokeniser of a BERT or ViLT folder; null when the folder has none. Throws TOKENIZER_INVALID. */
export function openWordPieceOf(dir: string, names: readonly string[]): TextTokenizer | null {
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  if (names.includes('tokenizer.json')) return createWordPiece(parseTokenizerJson(read('tokenizer.json'), 'tokenizer.json'))
  if (!names.includes('vocab.txt')) return null
  const settings = names.includes('tokenizer_config.json') ? readSettings(read('tokenizer_config.json')) : {}
  return createWordPiece(parseVocabularyText(read('vocab.txt'), 'vocab.txt', settings['do_lower_case'] !== false))
}

/** Opens the byte-pair tokeniser of a CLIP folder; null when the folder has none. Throws TOKENIZER_INVALID. */
export function openBytePairsOf(dir: string, names: readonly string[]): TextTokenizer | null {
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  if (names.includes('tokenizer.json')) return createClipBpe(parseClipTokenizerJson(read('tokenizer.json'), 'tokenizer.json'))
  if (!names.includes('vocab.json') || !names.includes('merges.txt')) return null
  return createClipBpe(parseVocabAndMerges(read('vocab.json'), read('merges.txt'), 'vocab.json'))
}

function readSettings(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new AppError('TOKENIZER_INVALID', 'tokenizer_config.json is not a readable JSON file.', { cause })
  }
}

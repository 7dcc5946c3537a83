import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import { parseTokenizerJson } from '../../modalities/vocabulary.ts'
import { createWordPiece, type WordPieceTokenizer } from '../../modalities/wordpiece.ts'

/**
 * The embedded vocabulary, which is that of bert-base-uncased. Apart from the backbone, because counting words needs no TensorFlow.
 * @throws AppError WEIGHTS_FILE_MISSING, TOKENIZER_INVALID
 */
export function openUsualTokenizer(weightsDir: string): WordPieceTokenizer {
  let text: string
  try {
    text = readFileSync(join(weightsDir, 'minilm', 'tokenizer.json'), 'utf8')
  } catch (error) {
    throw new AppError('WEIGHTS_FILE_MISSING', 'The vocabulary of the embedded text encoder is missing.', { cause: error })
  }
  return createWordPiece(parseTokenizerJson(text, 'tokenizer.json'))
}

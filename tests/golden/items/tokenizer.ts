/** WordPiece and CLIP's byte-pair reference ids. The texts stay in the reference folder: cases are named by line number, never by text. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { readWordPieceVocabulary } from '../../../engine/backbones/import/text-files.ts'
import { createWordPiece, type WordPieceTokenizer } from '../../../engine/modalities/wordpiece.ts'
import { asArray, asNumbers, asObject, checkKeys, type Json, type JsonObject } from '../comparison.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'
import { checkClip, clipFiles } from './tokenizer-clip.ts'

const judged = new Set(['README.md', 'bert_uncased.jsonl', 'bert_pairs.json', 'info.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt', ...clipFiles])

export const tokenizerItem: GoldenItem = {
  name: 'tokenizer',
  async run(folder, report, options) {
    // The shared set's vocabulary is bert-base-uncased's, which comes with the embedded weights; a folder may bring another.
    const [usual, own] = [path.join(options.weightsDir, 'minilm'), readdirSync(folder)]
    const vocabulary = readWordPieceVocabulary(folder, own) ?? (existsSync(usual) ? readWordPieceVocabulary(usual, readdirSync(usual)) : null)
    if (vocabulary === null) {
      report.checkThat('vocabulary', false, `no tokenizer.json under ${usual}; run "npm run setup" first`)
      return
    }
    // The reference matches special tokens typed in a text; the product does not.
    const tokenizer = createWordPiece(vocabulary, { matchSpecialTokens: true })
    const read = (name: string): string | null =>
      existsSync(path.join(folder, name)) ? readFileSync(path.join(folder, name), 'utf8') : null

    const rows = (read('bert_uncased.jsonl') ?? '').split('\n').filter((line) => line !== '')
      .map((line) => asObject(JSON.parse(line) as Json, 'bert_uncased.jsonl'))
    rows.forEach((row, index) => checkText(report, tokenizer, row, index))
    const info = read('info.json')
    if (info !== null) checkInfo(report, tokenizer, asObject(JSON.parse(info) as Json, 'info.json'), rows)
    const pairs = asArray(JSON.parse(read('bert_pairs.json') ?? '[]') as Json, 'bert_pairs.json')
    pairs.forEach((pair, index) => checkPair(report, tokenizer, asObject(pair, 'bert_pairs.json'), index))
    checkClip(report, folder, rows.map((row) => String(row['text'])))
    for (const name of readdirSync(folder)) if (!judged.has(name)) report.notChecked(name)
  },
}

function checkText(report: GoldenReport, tokenizer: WordPieceTokenizer, row: JsonObject, index: number): void {
  const { text, ...expected } = row
  if (typeof text !== 'string') throw new TypeError(`Line ${index} of bert_uncased.jsonl has no text.`)
  const whole = tokenizer.encode(text)
  const ours: Record<string, unknown> = {
    ids: [...whole.ids],
    tokens: [...whole.ids].map((id) => tokenizer.vocabulary.tokens[id]),
  }
  for (const key of Object.keys(expected)) {
    const length = /^ids_(\d+)$/.exec(key)?.[1]
    if (length === undefined) continue
    const cut = tokenizer.encode(text, { maxLength: Number(length) })
    ours[key] = [...cut.ids]
    ours[`n_${length}`] = cut.attentionMask.reduce((sum, bit) => sum + bit, 0)
  }
  checkKeys(report, `text_${index}`, ours, expected, 0, { informative: ['i', 'kind'] })
}

function checkPair(report: GoldenReport, tokenizer: WordPieceTokenizer, pair: JsonObject, index: number): void {
  const { a, b, ...expected } = pair
  const maxLength = asNumbers(pair['input_ids'], 'input_ids').length
  const ours = tokenizer.encode(String(a), { maxLength, pair: String(b) })
  checkKeys(report, `pair_${index}`, {
    input_ids: [...ours.ids], token_type_ids: [...ours.typeIds], attention_mask: [...ours.attentionMask],
  }, expected, 0)
}

function checkInfo(report: GoldenReport, tokenizer: WordPieceTokenizer, info: JsonObject, rows: readonly JsonObject[]): void {
  const { vocabulary } = tokenizer
  const encoded = rows.map((row) => tokenizer.encode(String(row['text'])))
  const ours: Record<string, unknown> = {
    n: rows.length,
    vocab_size: vocabulary.tokens.length,
    vocab_sha256: createHash('sha256').update(`${vocabulary.tokens.join('\n')}\n`).digest('hex'),
    n_unk_strings: encoded.filter((one) => one.ids.includes(vocabulary.unknownId)).length,
  }
  for (const key of Object.keys(info)) {
    const length = /^n_truncated_(\d+)$/.exec(key)?.[1]
    if (length !== undefined) ours[key] = encoded.filter((one) => one.fullTokenCount > Number(length)).length
  }
  checkKeys(report, 'info', ours, info, 0)
}

/** CLIP's byte-pair ids of the same texts, named by line number. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createClipBpe } from '../../../engine/modalities/clip-bpe.ts'
import { parseClipMergeList } from '../../../engine/modalities/clip-vocabulary.ts'
import { asObject, checkKeys, type Json } from '../comparison.ts'
import type { GoldenReport } from '../report.ts'

const [IDS, INFO, MERGES] = ['clip_bpe.jsonl', 'clip_info.json', 'bpe_simple_vocab_16e6.txt.gz'] as const
export const clipFiles = [IDS, INFO, MERGES]

/** @param texts the lines of bert_uncased.jsonl, which `i` counts */
export function checkClip(report: GoldenReport, folder: string, texts: readonly string[]): void {
  const missing = clipFiles.filter((name) => !existsSync(path.join(folder, name)))
  if (missing.length > 0) {
    report.notChecked(`${missing.join(', ')} is absent`)
    return
  }
  const packed = readFileSync(path.join(folder, MERGES))
  const vocabulary = parseClipMergeList(gunzipSync(packed).toString('utf8'), MERGES)
  // The reference matches special tokens typed in a text; the product does not.
  const tokenizer = createClipBpe(vocabulary, { matchSpecialTokens: true })
  const rows = readFileSync(path.join(folder, IDS), 'utf8').split('\n').filter((line) => line !== '').map((line) => asObject(JSON.parse(line) as Json, IDS))
  let truncatedCount = 0
  for (const row of rows) {
    const text = texts[Number(row['i'])]
    if (text === undefined) throw new TypeError(`${IDS} names line ${String(row['i'])}, which has no text.`)
    const ours: Record<string, unknown> = { ids: [...tokenizer.encode(text).ids] }
    for (const key of Object.keys(row)) {
      const length = /^ids_(\d+)$/.exec(key)?.[1]
      if (length === undefined) continue
      const cut = tokenizer.encode(text, { maxLength: Number(length) })
      ours[key] = [...cut.ids]
      ours[`n_${length}`] = cut.attentionMask.reduce((sum, bit) => sum + bit, 0)
      if (length === '77' && cut.isTruncated) truncatedCount += 1
    }
    checkKeys(report, `clip_${String(row['i'])}`, ours, row, 0, { informative: ['i', 'kind'] })
  }
  checkKeys(report, 'clip_info', {
    bpe_gz_sha256: createHash('sha256').update(packed).digest('hex'), vocab_size: vocabulary.idOf.size, n_truncated_77: truncatedCount,
  }, asObject(JSON.parse(readFileSync(path.join(folder, INFO), 'utf8')) as Json, INFO), 0)
}

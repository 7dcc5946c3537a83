/** Sentence embeddings of the embedded text encoder, tokeniser included, against the Python libraries. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { loadMiniLm } from '../../../engine/backbones/mmbt.ts'
import { hashFile } from '../../../engine/backbones/weight-source.ts'
import { openCompute } from '../../../engine/compute/backend.ts'
import { parseTokenizerJson } from '../../../engine/modalities/vocabulary.ts'
import { createWordPiece } from '../../../engine/modalities/wordpiece.ts'
import type { GoldenItem } from '../report.ts'
import { relativeError } from './shared.ts'

/** Issue 2: MiniLM sentence outputs within 1e-3 relative. */
const BOUND = 1e-3

interface Reference {
  weights_sha256: string
  cases: { sentence: string; ids: number[]; embedding: number[] }[]
}

export const minilmItem: GoldenItem = {
  name: 'minilm',
  async run(folder, report, options) {
    const weights = path.join(options.weightsDir, 'minilm')
    if (!existsSync(path.join(weights, 'model.safetensors'))) {
      report.notChecked('the sentences, because the weights are not installed (npm run setup)')
      return
    }
    const reference = JSON.parse(readFileSync(path.join(folder, 'sentences.json'), 'utf8')) as Reference
    report.checkThat('same weights file', (await hashFile(path.join(weights, 'model.safetensors'))) === reference.weights_sha256)
    const tokenizer = createWordPiece(parseTokenizerJson(readFileSync(path.join(weights, 'tokenizer.json'), 'utf8'), 'tokenizer.json'))
    const model = await loadMiniLm(await openCompute(), options.weightsDir)
    reference.cases.forEach(({ sentence, ids, embedding }, i) => {
      report.checkThat(`sentence ${i} ids`, ids.join() === Array.from(tokenizer.encode(sentence).ids).join())
      report.check(`sentence ${i} alone`, relativeError(model.embedSentences([Int32Array.from(ids)]), embedding), BOUND)
    })
    const together = model.embedSentences(reference.cases.map(({ ids }) => Int32Array.from(ids)))
    report.check('all sentences in one padded batch', relativeError(together, reference.cases.flatMap(({ embedding }) => embedding)), BOUND)
    model.dispose()
  },
}

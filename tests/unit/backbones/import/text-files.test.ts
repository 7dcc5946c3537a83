import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openBytePairsOf, openWordPieceOf, readWordPieceVocabulary } from '../../../../engine/backbones/import/text-files.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'lacuna-text-files-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'grün', 'grun', 'Grün', 'Grun']
const files = ['vocab.txt', 'tokenizer_config.json']
const withSettings = (settings: object): string => {
  writeFileSync(path.join(folder, 'vocab.txt'), `${tokens.join('\n')}\n`)
  writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify(settings))
  return folder
}

describe('a vocabulary with settings beside it', () => {
  it.each([
    [{}, 'grun'],
    [{ do_lower_case: true, strip_accents: null }, 'grun'],
    [{ do_lower_case: true, strip_accents: false }, 'grün'],
    [{ do_lower_case: false }, 'Grün'],
    [{ do_lower_case: false, strip_accents: true }, 'Grun'],
  ])('with %j reads "Gr\u00fcn" as %s', (settings, token) => {
    const { ids } = openWordPieceOf(withSettings(settings), files)!.encode('Gr\u00fcn')
    expect([...ids].map((id) => tokens[id])).toEqual(['[CLS]', token, '[SEP]'])
  })

  it('refuses what it would have to ignore, and says when there is no vocabulary', () => {
    expect(() => readWordPieceVocabulary(withSettings({ tokenize_chinese_chars: false }), files)).toThrow(/Chinese/)
    expect(readWordPieceVocabulary(folder, ['config.json'])).toBeNull()
  })

  it('takes settings of nothing for none', () => {
    writeFileSync(path.join(withSettings({}), 'tokenizer_config.json'), 'null')
    expect(openWordPieceOf(folder, files)!.vocabularySize).toBe(tokens.length)
  })

  it.each([
    ['a list of lists without end', `{"model": {"type": ${'['.repeat(50_000)}${']'.repeat(50_000)}}}`],
    ['a number for a list', '{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {}}, "normalizer": {"normalizers": 5}}'],
    ['half a file', '{"model": {'],
  ])('refuses a tokenizer.json of %s', (_, text) => {
    writeFileSync(path.join(folder, 'tokenizer.json'), text)
    for (const open of [openWordPieceOf, openBytePairsOf]) expect(() => open(folder, ['tokenizer.json'])).toThrow(expect.objectContaining({ code: 'TOKENIZER_INVALID' }))
  })
})

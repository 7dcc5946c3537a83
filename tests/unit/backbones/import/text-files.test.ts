import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openWordPieceOf, readWordPieceVocabulary } from '../../../../engine/backbones/import/text-files.ts'

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
})

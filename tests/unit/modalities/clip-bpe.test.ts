import { describe, expect, it } from 'vitest'
import { createClipBpe } from '../../../engine/modalities/clip-bpe.ts'
import { byteCharacters, parseClipTokenizerJson, parseVocabAndMerges } from '../../../engine/modalities/clip-vocabulary.ts'

/** All bytes, the same ending a word, four merges and the two special tokens. Ids of real models are checked by the golden item. */
const merges = ['e y', 'ey e</w>', 'n o', 'no t</w>']
const pieces = [...byteCharacters, ...byteCharacters.map((character) => `${character}</w>`), ...merges.map((merge) => merge.replace(' ', '')), '<|startoftext|>', '<|endoftext|>']
const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]))
const vocabulary = parseVocabAndMerges(JSON.stringify(vocab), `#version: 0.2\n${merges.join('\n')}\n`, 'vocab.json')
const tokenizer = createClipBpe(vocabulary)
const piecesOf = (text: string) => Array.from(tokenizer.encode(text).ids, (id) => pieces[id])

describe("CLIP's byte pairs", () => {
  it('joins by rank and marks the end of words', () => {
    expect(piecesOf('Eye  NOT eyes')).toEqual(['<|startoftext|>', 'eye</w>', 'not</w>', 'ey', 'e', 's</w>', '<|endoftext|>'])
  })

  it('cuts contractions, digits and punctuation apart', () => {
    expect(piecesOf("it's 12.")).toEqual(['<|startoftext|>', 'i', 't</w>', "'", 's</w>', '1</w>', '2</w>', '.</w>', '<|endoftext|>'])
  })

  it('reads other alphabets byte by byte, composed first', () => {
    expect(piecesOf('e\u0301')).toEqual(piecesOf('\u00e9'))
    expect(piecesOf('\u00e9')).toEqual(['<|startoftext|>', byteCharacters[0xc3], `${byteCharacters[0xa9]}</w>`, '<|endoftext|>'])
  })

  it('does not let a note end itself', () => {
    expect(tokenizer.encode('<|endoftext|> eye').ids.filter((id) => id === vocabulary.endId)).toHaveLength(1)
    const matching = createClipBpe(vocabulary, { matchSpecialTokens: true })
    expect(matching.encode('<|endoftext|> eye').ids.filter((id) => id === vocabulary.endId)).toHaveLength(2)
  })

  it('cuts, pads and says so', () => {
    const cut = tokenizer.encode('not not not', { maxLength: 4 })
    expect(cut).toMatchObject({ tokenCount: 4, fullTokenCount: 5, isTruncated: true })
    const padded = tokenizer.encode('not', { maxLength: 5 })
    expect([...padded.attentionMask]).toEqual([1, 1, 1, 0, 0])
    expect([...padded.ids.slice(2)]).toEqual([vocabulary.endId, vocabulary.endId, vocabulary.endId])
    expect(() => tokenizer.encode('not', { maxLength: 1 })).toThrow(RangeError)
  })

  it.each([
    ['another model', { model: { type: 'WordPiece' } }],
    ['another end of word', { model: { type: 'BPE', vocab, merges, end_of_word_suffix: '' } }],
    ['another clean-up', { model: { type: 'BPE', vocab, merges, end_of_word_suffix: '</w>' }, normalizer: { normalizers: [{ type: 'NFKC' }] } }],
    ['a merge into nothing', { model: { type: 'BPE', vocab, merges: ['z z'], end_of_word_suffix: '</w>' }, normalizer: { normalizers: [{ type: 'NFC' }, { type: 'Replace' }, { type: 'Lowercase' }] } }],
  ])('refuses a tokenizer.json with %s', (_, json) => {
    expect(() => parseClipTokenizerJson(JSON.stringify(json), 'tokenizer.json')).toThrow(expect.objectContaining({ code: 'TOKENIZER_INVALID' }))
  })
})

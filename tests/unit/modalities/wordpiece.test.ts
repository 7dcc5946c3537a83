import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../engine/domain/errors.ts'
import { parseTokenizerJson, parseVocabularyText } from '../../../engine/modalities/vocabulary.ts'
import { splitWords } from '../../../engine/modalities/word-split.ts'
import { createWordPiece } from '../../../engine/modalities/wordpiece.ts'

const tokens = [
  '[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'no', 'drusen', 'dru', '##sen', 's', '##een', 'seen', '.', ',', '[', ']', 'sep',
  'macula', '##r', 'oedema', '糖', '##6', 'σ', '##ς', '##σ', 'ok',
]
const uncased = { isLowerCased: true, hasAccentsStripped: true }
const vocabulary = parseVocabularyText(`${tokens.join('\n')}\n`, 'vocab.txt', uncased)
const tokenizer = createWordPiece(vocabulary)
const words = (text: string) => tokenizer.tokenize(text).map((id) => tokens[id])

describe('splitWords', () => {
  it.each([
    ['No drusen.', ['no', 'drusen', '.']],
    ['a$b+c', ['a', '$', 'b', '+', 'c']],
    ['20€', ['20€']],
    ['right，left', ['right', '，', 'left']],
    ['tab\tline\r\nend\u00a0x\u3000y', ['tab', 'line', 'end', 'x', 'y']],
    ['zero\u200bwidth\u00ad \u0000nul\ufffd', ['zerowidth', 'nul']],
    ['Œdème macul\u00e9 e\u0301', ['œdeme', 'macule', 'e']],
    ['糖尿 カナ', ['糖', '尿', 'カナ']],
    ['ΟΔΟΣ İ', ['οδοσ', 'i']],
    ['x\u{1f600}y \u{20000}', ['x\u{1f600}y', '\u{20000}']],
    ['\ud800lone', ['lone']],
    ['', []],
  ])('splits %j', (text, expected) => {
    expect(splitWords(text, uncased)).toEqual(expected)
  })

  it('keeps case and accents for a cased vocabulary', () => {
    expect(splitWords('Macul\u00e9 OD', { isLowerCased: false, hasAccentsStripped: false })).toEqual(['Maculé', 'OD'])
  })

  it('gives the ASCII short cut and the general way the same words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        const general = splitWords(`${text} é`, uncased)
        expect(splitWords(text, uncased)).toEqual(general.slice(0, -1))
      }),
    )
  })
})

describe('createWordPiece', () => {
  it('takes the longest piece first and marks continuations', () => {
    expect(words('drusen drusens seens maculars')).toEqual(['drusen', '[UNK]', '[UNK]', '[UNK]'])
    expect(words('seen seensen macular')).toEqual(['seen', 'seen', '##sen', 'macula', '##r'])
  })

  it('gives up a whole word when one piece is unknown', () => {
    expect(words('druzen ok')).toEqual(['[UNK]', 'ok'])
  })

  it('turns a word over 100 code points into one unknown token', () => {
    const long = createWordPiece(parseVocabularyText('[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\n\u{1f600}\n##\u{1f600}', 'vocab.txt', uncased))
    expect(long.tokenize('a'.repeat(100))).toHaveLength(100)
    expect(long.tokenize('a'.repeat(101))).toEqual([1])
    // 100 emoji are 200 UTF-16 units but still 100 characters.
    expect(long.tokenize('\u{1f600}'.repeat(100))).toHaveLength(100)
  })

  it('leaves special tokens typed in a note as text unless parity is asked for', () => {
    expect(words('[SEP]')).toEqual(['[', 'sep', ']'])
    const parity = createWordPiece(vocabulary, { matchSpecialTokens: true })
    expect(parity.tokenize('no[SEP]seen [sep]').map((id) => tokens[id])).toEqual(['no', '[SEP]', 'seen', '[', 'sep', ']'])
  })

  it('frames, cuts and pads', () => {
    const whole = tokenizer.encode('no drusen seen.')
    expect([...whole.ids].map((id) => tokens[id])).toEqual(['[CLS]', 'no', 'drusen', 'seen', '.', '[SEP]'])
    const cut = tokenizer.encode('no drusen seen.', { maxLength: 4 })
    expect([...cut.ids].map((id) => tokens[id])).toEqual(['[CLS]', 'no', 'drusen', '[SEP]'])
    expect(cut).toMatchObject({ isTruncated: true, tokenCount: 4, fullTokenCount: 6 })
    const padded = tokenizer.encode('no', { maxLength: 5 })
    expect([...padded.ids]).toEqual([2, 5, 3, 0, 0])
    expect([...padded.attentionMask]).toEqual([1, 1, 1, 0, 0])
    expect(padded).toMatchObject({ isTruncated: false, tokenCount: 3 })
  })

  it('joins two segments and cuts the longer one first', () => {
    const pair = tokenizer.encode('no no no no no no', { maxLength: 8, pair: 'seen' })
    expect([...pair.ids].map((id) => tokens[id])).toEqual(['[CLS]', 'no', 'no', 'no', 'no', '[SEP]', 'seen', '[SEP]'])
    expect([...pair.typeIds]).toEqual([0, 0, 0, 0, 0, 0, 1, 1])
    const both = tokenizer.encode('no '.repeat(30), { maxLength: 10, pair: 'seen '.repeat(9) })
    expect([...both.typeIds].filter((type) => type === 1)).toHaveLength(4)
    expect(tokenizer.encode('no', { pair: '' }).ids).toHaveLength(3)
  })

  it('refuses a length without room for the frame', () => {
    expect(() => tokenizer.encode('no', { maxLength: 1 })).toThrow(RangeError)
    expect(() => tokenizer.encode('no', { maxLength: 2, pair: 'no' })).toThrow(RangeError)
  })

  it('never throws, keeps every id in range and never emits a special token for any text', () => {
    const text = fc.string({ unit: fc.oneof(fc.constantFrom('[SEP]', '[MASK]', 'drusen', ' ', '##'), fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2 })) })
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 24 }), (note, maxLength) => {
        const { ids, tokenCount, attentionMask } = tokenizer.encode(note, { maxLength })
        expect(ids).toHaveLength(maxLength)
        expect(attentionMask.reduce((sum, bit) => sum + bit, 0)).toBe(tokenCount)
        const inner = [...ids.subarray(1, tokenCount - 1)]
        expect(inner.every((id) => id >= 0 && id < tokens.length && ![0, 2, 3, 4].includes(id))).toBe(true)
        expect([...tokenizer.encode(note, { maxLength }).ids]).toEqual([...ids])
      }),
    )
  })
})

describe('reading vocabularies', () => {
  const json = (changes: Record<string, unknown> = {}) =>
    JSON.stringify({
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) },
      ...changes,
    })

  it('reads tokenizer.json and vocab.txt to the same vocabulary', () => {
    expect(parseTokenizerJson(json(), 'tokenizer.json')).toEqual(vocabulary)
    expect(parseVocabularyText(`\uFEFF${tokens.join('\r\n')}`, 'vocab.txt', uncased)).toEqual(vocabulary)
  })

  it.each([
    ['not JSON', '{'],
    ['another model', json({ model: { type: 'BPE' } })],
    ['no clean-up', json({ normalizer: null })],
    ['a gap in the ids', json({ model: { type: 'WordPiece', vocab: { '[PAD]': 0, '[UNK]': 2 } } })],
    ['no [CLS]', json({ model: { type: 'WordPiece', vocab: { '[PAD]': 0, '[UNK]': 1 } } })],
    ['added words', json({ added_tokens: [{ content: 'drusen', special: false }] })],
  ])('refuses %s', (_, text) => {
    expect(() => parseTokenizerJson(text, 'tokenizer.json')).toThrow(AppError)
  })

  it('refuses a vocab.txt with a token twice', () => {
    expect(() => parseVocabularyText([...tokens, 'no'].join('\n'), 'vocab.txt', uncased)).toThrow(/twice/)
  })
})

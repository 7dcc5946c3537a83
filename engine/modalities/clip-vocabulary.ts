/** Reads CLIP's byte-pair vocabulary from tokenizer.json, from vocab.json with merges.txt, or from the list of merges alone. */
import { AppError } from '../domain/errors.ts'

/** Pieces by id and the order in which neighbouring pieces join. */
export interface BytePairVocabulary {
  idOf: ReadonlyMap<string, number>
  /** Rank of the merge of "left right" (joined by a space, which no piece contains); lower ranks join first. */
  rankOf: ReadonlyMap<string, number>
  startId: number
  endId: number
  paddingId: number
  unknownId: number
}

export const START_OF_TEXT = '<|startoftext|>'
export const END_OF_TEXT = '<|endoftext|>'
export const END_OF_WORD = '</w>'

/** CLIP's 49408 entries use this many of the published merges; the file holds more. */
const CLIP_MERGES = 49_152 - 256 - 2

/**
 * The printable character that stands for each byte, as GPT-2 introduced it (Radford et al. 2019): printable Latin-1 bytes stand for
 * themselves, the others for the characters from U+0100 on.
 */
export const byteCharacters: readonly string[] = (() => {
  const isPrintable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++))
})()

/** The vocabulary that the published list of merges (a header line, then one merge a line) defines: byte characters, the same ending a word, merges, two special tokens. */
export function parseClipMergeList(text: string, fileName: string): BytePairVocabulary {
  const merges = mergeLines(text).slice(0, CLIP_MERGES)
  // Printable bytes come first, in their order; then the ones that need a stand-in.
  const characters = [...byteCharacters].sort((a, b) => Number(a >= '\u0100') - Number(b >= '\u0100') || (a < b ? -1 : 1))
  const pieces = [...characters, ...characters.map((character) => character + END_OF_WORD), ...merges.map((merge) => merge.replace(' ', '')), START_OF_TEXT, END_OF_TEXT]
  return build(new Map(pieces.map((piece, id) => [piece, id])), merges, fileName)
}

/** vocab.json (piece to id) and merges.txt. Throws AppError TOKENIZER_INVALID. */
export function parseVocabAndMerges(vocabText: string, mergesText: string, fileName: string): BytePairVocabulary {
  return build(idsOf(readJson(vocabText, fileName), fileName), mergeLines(mergesText), fileName)
}

/**
 * tokenizer.json of a CLIP model. Only what CLIP vocabularies use is accepted: a setting we would have to ignore gives other ids than the ones
 * the weights were trained with. Throws AppError TOKENIZER_INVALID.
 */
export function parseClipTokenizerJson(text: string, fileName: string): BytePairVocabulary {
  const root = asRecord(readJson(text, fileName))
  const model = asRecord(root['model'])
  const require = (isAccepted: boolean, what: string) => {
    if (!isAccepted) throw new AppError('TOKENIZER_INVALID', `${fileName} ${what}.`)
  }
  require((model['type'] ?? 'BPE') === 'BPE', `holds a ${String(model['type'])} tokenizer; CLIP needs byte pairs (BPE)`)
  require((model['end_of_word_suffix'] ?? '') === END_OF_WORD, `does not mark the end of words with ${END_OF_WORD} as CLIP does`)
  require((model['continuing_subword_prefix'] ?? '') === '', 'marks continued words, which CLIP does not')
  require(model['dropout'] === null || model['dropout'] === undefined, 'drops merges at random')
  require(model['byte_fallback'] !== true && model['fuse_unk'] !== true, 'treats unknown characters in another way than CLIP')
  const steps = (asRecord(root['normalizer'])['normalizers'] as unknown[] | undefined ?? []).map((step) => String(asRecord(step)['type']))
  require(steps.join() === 'NFC,Replace,Lowercase', 'does not clean text up as CLIP does')
  const merges = Array.isArray(model['merges']) ? model['merges'] : []
  const lines = merges.map((merge) => (Array.isArray(merge) ? merge.join(' ') : String(merge)))
  return build(idsOf(model['vocab'], fileName), lines, fileName)
}

function build(idOf: Map<string, number>, merges: readonly string[], fileName: string): BytePairVocabulary {
  const find = (piece: string): number => {
    const id = idOf.get(piece)
    if (id === undefined) throw new AppError('TOKENIZER_INVALID', `${fileName} has no ${piece} token.`)
    return id
  }
  const endId = find(END_OF_TEXT)
  for (const merge of merges) {
    if (merge.split(' ').length !== 2) throw new AppError('TOKENIZER_INVALID', `${fileName} holds a merge that does not join two pieces.`)
    find(merge.replace(' ', ''))
  }
  return { idOf, rankOf: new Map(merges.map((merge, rank) => [merge, rank])), startId: find(START_OF_TEXT), endId, paddingId: endId, unknownId: endId }
}

/** Lines of a merges file without its header and blank end. */
function mergeLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  const hasHeader = /^("?bpe_simple_vocab|#version)/.test(lines[0] ?? '')
  return (hasHeader ? lines.slice(1) : lines).filter((line) => line !== '')
}

function idsOf(value: unknown, fileName: string): Map<string, number> {
  const entries = Object.entries(asRecord(value))
  const isId = (id: unknown): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0
  if (entries.length === 0 || !entries.every(([, id]) => isId(id)) || new Set(entries.map(([, id]) => id)).size !== entries.length) {
    throw new AppError('TOKENIZER_INVALID', `${fileName} gives no ids, or one twice.`)
  }
  return new Map(entries as [string, number][])
}

function readJson(text: string, fileName: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('TOKENIZER_INVALID', `${fileName} is not a readable JSON file.`, { cause })
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

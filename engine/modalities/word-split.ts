/**
 * BERT's text clean-up and word splitting: drop control characters, space out CJK ideographs, strip accents
 * (NFD without non-spacing marks), lower-case, split at white space and around each punctuation character.
 * The order is that of the reference. Works by code point: a UTF-16 unit would cut emoji and rare ideographs in half.
 */
import { characterClass, classOf, isStrippedMark } from './unicode-classes.ts'

/** What the vocabulary was trained with. */
export interface WordSplitSettings {
  isLowerCased: boolean
  /** Follows `isLowerCased` unless tokenizer.json says otherwise. */
  hasAccentsStripped: boolean
}

const NON_ASCII = /[^\0-\x7f]/

/** The words and single punctuation characters of a text, in order. Never throws. */
export function splitWords(text: string, settings: WordSplitSettings): string[] {
  if (!NON_ASCII.test(text)) return cut(cleanAscii(text), settings.isLowerCased)
  const cleaned = clean(text)
  const bare = settings.hasAccentsStripped ? stripAccents(cleaned) : cleaned
  return cut(settings.isLowerCased ? lowerCase(bare) : bare, false)
}

const ASCII_CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g

function cleanAscii(text: string): string {
  return text.replace(ASCII_CONTROL, '')
}

function clean(text: string): string {
  let cleaned = ''
  for (const character of text) {
    const kind = classOf(character.codePointAt(0)!)
    if (kind === characterClass.dropped) continue
    if (kind === characterClass.space) cleaned += ' '
    else cleaned += kind === characterClass.ideograph ? ` ${character} ` : character
  }
  return cleaned
}

// Composed characters newer than the reference's decomposition table stay whole there, and so they do here.
const DECOMPOSABLE =
  /[^\u{105c9}\u{105e4}\u{11383}\u{11385}\u{1138e}\u{11391}\u{113c5}\u{113c7}\u{113c8}\u{11938}\u{16121}-\u{16128}\u{16d68}-\u{16d6a}]+/gu

function stripAccents(text: string): string {
  let bare = ''
  for (const character of text.replace(DECOMPOSABLE, (run) => run.normalize('NFD'))) if (!isStrippedMark(character.codePointAt(0)!)) bare += character
  return bare
}

// Character by character: String.toLowerCase on the whole text would turn a final capital sigma into the final form.
function lowerCase(text: string): string {
  let lower = ''
  for (const character of text) lower += character.toLowerCase()
  return lower
}

function cut(text: string, isLowerCased: boolean): string[] {
  const source = isLowerCased ? text.toLowerCase() : text
  const words: string[] = []
  let start = -1
  for (let i = 0; i < source.length; ) {
    const codePoint = source.codePointAt(i)!
    const width = codePoint > 0xffff ? 2 : 1
    const kind = classOf(codePoint)
    if (kind === characterClass.space || kind === characterClass.punctuation) {
      if (start >= 0) words.push(source.slice(start, i))
      start = -1
      if (kind === characterClass.punctuation) words.push(source.slice(i, i + width))
    } else if (start < 0) start = i
    i += width
  }
  if (start >= 0) words.push(source.slice(start))
  return words
}

/** The user's own words and shapes, as one search: a list of thousands of names must not make an import slow. */
import type { PrivacyOptions } from '../../domain/privacy.ts'
import { escapePattern } from './names.ts'

/** A hit; `entry` counts the words first, then the shapes. */
interface OwnHit { start: number; end: number; entry: number }

const token = /[\p{L}\d]+/gu
const isWordLetter = (text: string, at: number): boolean => at >= 0 && at < text.length && /[\p{L}\d]/u.test(text[at]!)

/** Finds every entry that stands as a whole word. Words match in any capitals, shapes too; an own list that is switched off finds nothing. */
export function createOwnList({ off, words, shapes }: Pick<PrivacyOptions, 'off' | 'words' | 'shapes'>): (text: string) => OwnHit[] {
  if (off.includes('own-list')) return () => []
  // By first token, so that a text is walked through once whatever the length of the list.
  const byToken = new Map<string, { low: string; offset: number; entry: number }[]>()
  const rest: { pattern: RegExp; entry: number }[] = []
  words.forEach((word, entry) => {
    const low = lowered(word)
    const first = low.matchAll(token).next().value
    if (!first) return void rest.push({ pattern: new RegExp(escapePattern(word), 'giu'), entry })
    const list = byToken.get(first[0])
    if (list) list.push({ low, offset: first.index, entry })
    else byToken.set(first[0], [{ low, offset: first.index, entry }])
  })
  shapes.forEach((shape, i) => rest.push({ pattern: shapePattern(shape), entry: words.length + i }))
  return (text) => {
    const low = lowered(text)
    const hits: OwnHit[] = []
    for (const { 0: found, index } of byToken.size === 0 ? [] : low.matchAll(token)) {
      for (const { low: word, offset, entry } of byToken.get(found) ?? []) {
        const start = index - offset
        const end = start + word.length
        if (start >= 0 && low.startsWith(word, start) && !(isWordLetter(word, 0) && isWordLetter(low, start - 1)) && !isWordLetter(low, end)) hits.push({ start, end, entry })
      }
    }
    for (const { pattern, entry } of rest) for (const match of text.matchAll(pattern)) hits.push({ start: match.index, end: match.index + match[0].length, entry })
    // Longer entries first: of "Ward 3 East" nothing may stay because "Ward 3" stands in the list too.
    return hits.sort((a, b) => b.end - b.start - (a.end - a.start))
  }
}

/** Small letters at their places: a letter whose small form is longer stays as it is. */
function lowered(text: string): string {
  const low = text.toLowerCase()
  return low.length === text.length ? low : [...text].map((char) => (char.toLowerCase().length === char.length ? char.toLowerCase() : char)).join('')
}

/** "#" is a digit, "@" a letter, all else itself; no other patterns, so that no list can make the import hang. */
function shapePattern(shape: string): RegExp {
  const body = [...shape].map((char) => (char === '#' ? '\\d' : char === '@' ? '\\p{L}' : escapePattern(char))).join('')
  return new RegExp(`(?<![\\p{L}\\d])${body}(?![\\p{L}\\d])`, 'giu')
}

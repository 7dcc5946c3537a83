/** A report into sections and sentences. What was asked (indication, history, comparison) is not what was found. */

export type SectionKind = 'findings' | 'conclusion' | 'not-read' | 'none'

export interface ReportSentence {
  section: SectionKind
  text: string
}

export interface SectionNames { findings: readonly string[]; conclusion: readonly string[]; 'not-read': readonly string[] }

const maxSentence = 600
/** A line that ends with one of these goes on in the next one, whatever its first letter. */
const unfinished = /(?:,|\b(?:a|an|the|of|in|on|at|with|without|no|and|or|for|to|is|are|was|were|by|from|right|left|lower|upper|small|mild|stable))$/i
const abbreviations = /(?:\b(?:dr|mr|mrs|ms|vs|approx|e\.g|i\.e|st|no|fig|ca|resp|incl|temp|prev)|\b[A-Z])\.$/

/** Sentences in reading order with the section they stand in; text before any heading is of section "none". */
export function splitReport(text: string, names: SectionNames): ReportSentence[] {
  const kinds = new Map<string, SectionKind>((['findings', 'conclusion', 'not-read'] as const).flatMap((kind) => names[kind].map((name): [string, SectionKind] => [name, kind])))
  const pieces: { kind: SectionKind; text: string }[] = []
  let kind: SectionKind = 'none'
  let start = 0
  for (const heading of findHeadings(text, [...kinds.keys()])) {
    pieces.push({ kind, text: text.slice(start, heading.start) })
    kind = kinds.get(heading.name)!
    start = heading.end
  }
  pieces.push({ kind, text: text.slice(start) })
  return pieces.flatMap((piece) => splitSentences(piece.text).map((sentence) => ({ section: piece.kind, text: sentence })))
}

/** Known names before a colon where a heading can stand, or alone on a line. */
function findHeadings(text: string, names: readonly string[]): { name: string; start: number; end: number }[] {
  const longestFirst = [...names].sort((a, b) => b.length - a.length).map((name) => name.replaceAll(' ', '[ \\t]+')).join('|')
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${longestFirst})[ \\t]*(:|\\n|$)`, 'giu')
  return [...text.matchAll(pattern)].flatMap((match) => {
    const before = text.slice(0, match.index)
    const isAtLineStart = /(?:^|\n)[\s>*#\d.)-]*$/.test(before)
    const isAfterSentence = /[.!?;\]]\s*$/.test(before)
    // "No comparison" at the end of a line is a sentence; without a colon only a line of its own counts.
    const isHeading = match[2] === ':' ? isAtLineStart || isAfterSentence || /^\p{Lu}/u.test(match[1]!) : isAtLineStart
    return isHeading ? [{ name: match[1]!.toLowerCase().replace(/\s+/g, ' '), start: match.index, end: match.index + match[0].length }] : []
  })
}

/** Sentences of a section. Lines that were only wrapped are joined; a line that begins anew with a capital, a number or a dash is a sentence. */
export function splitSentences(text: string): string[] {
  const sentences: string[] = []
  let current = ''
  const push = (): void => {
    const sentence = current.replace(/\s+/gu, ' ').trim()
    if (/[\p{L}\p{N}]/u.test(sentence)) for (let at = 0; at < sentence.length; at += maxSentence) sentences.push(sentence.slice(at, at + maxSentence))
    current = ''
  }
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim()
    if (trimmed === '') {
      push()
      continue
    }
    const isNew = /^(?:[-*\u2022>]|\(?\d{1,2}[.)]\s|\p{Lu})/u.test(trimmed) && !unfinished.test(current.trim())
    if (isNew) push()
    const content = trimmed.replace(/^(?:[-*\u2022>]+|\(?\d{1,2}[.)])\s*/u, '')
    for (const piece of content.split(/(?<=[.!?])(?=\s+\S)/u)) {
      current += ` ${piece}`
      if (/[.!?]["')\]]?$/.test(piece.trim()) && !abbreviations.test(piece.trim())) push()
    }
  }
  push()
  return sentences
}

/** Identifiers that go over the end of a line, as in printouts and recognised pages: "Dr Mal-\ncolm Threadgold", "ST. BRIGID'S\nHOSPITAL". */
import type { Span } from '../span.ts'
import { isClinicalWord } from './clinical-words.ts'

/** The end of a line that may stand within a name, address or number, and the beginning of the next. */
const lineEnd = /(?<=(?<left>[^\n]{1,70}))(?<!\s)[ \t]*\n[ \t]*(?=(?<right>[\p{L}\d][^\n]{0,60}))/gu
const mayGoOn = /(?:\p{Lu}[\p{L}'’.]*|\d|,|\p{L}-)$/u

/**
 * Spans over line ends, read in the two lines as one. `read` gives the spans of a text; only those that reach over the end of the line are taken, and on the
 * next line only as far as no word of the language, of medicine or a label stands there.
 */
export function wrappedSpans(text: string, read: (window: string) => readonly Span[]): Span[] {
  if (!text.includes('\n')) return []
  const spans: Span[] = []
  for (const match of text.matchAll(lineEnd)) {
    const { left, right } = match.groups as { left: string; right: string }
    const isBroken = /\p{L}-$/u.test(left) && /^\p{Ll}/u.test(right)
    if (!mayGoOn.test(left) || !(isBroken || /^[\p{Lu}\d]/u.test(right))) continue
    const head = isBroken ? left.slice(0, -1) : left.endsWith('-') ? left : `${left} `
    const rightAt = match.index + match[0].length
    for (const span of read(head + right)) {
      const stop = span.end - head.length
      if (span.start >= left.length - 1 || stop <= 0) continue
      const end = telling(right, stop)
      // A town ends its line; what goes on behind it is the sentence after the address.
      if (span.rule === 'addresses' && /[\p{L}\p{N}]/u.test(right.slice(end))) continue
      if (end > 0) spans.push({ ...span, start: match.index - left.length + span.start, end: rightAt + end })
    }
  }
  return spans
}

/** How much of the first `stop` signs of a line is no word that stands for itself. */
function telling(right: string, stop: number): number {
  let end = 0
  for (const token of right.matchAll(/[\p{L}\d][\p{L}\d'’.-]*/gu)) {
    if (token.index + token[0].replace(/[.'’-]+$/, '').length > stop) break
    const isFirstWord = end === 0 && /^\p{Lu}/u.test(token[0])
    if ((isFirstWord && isClinicalWord(token[0]) && !/^(?:HOSPITAL|Hospital|CLINIC|Clinic|CENT(?:RE|ER))/.test(token[0])) || /^(?:\(s\))?[ \t]*[:=]/.test(right.slice(token.index + token[0].length))) break
    end = token.index + token[0].length
  }
  return Math.min(end, stop)
}

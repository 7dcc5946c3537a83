/** The rules together: one text in, the text without identifiers and what was found out. */
import { createHmac } from 'node:crypto'
import type { PrivacyOptions, PrivacyRule } from '../../domain/privacy.ts'
import { birthSpans, dateSpans } from './dates.ts'
import { escapePattern, knownNameSpans, nameSpans } from './names.ts'
import { emailSpans, phoneSpans, recordSpans, urlSpans } from './numbers.ts'
import { addressSpans, ageSpans, institutionSpans } from './places.ts'
import { createOwnList } from './own-list.ts'
import { wrappedSpans } from './rules/wrapped-lines.ts'
import { applySpans, type Span } from './span.ts'

/** What is known of the patient whose text it is. */
export interface KnownIdentity {
  patientId: string
  /** Other IDs of the study: study number, file names, cells of identifier columns. */
  ids: readonly string[]
  /** Names as they stand in name columns and headers. */
  names: readonly string[]
}

export interface Finding { rule: PrivacyRule; original: string; replacement: string }
/** `spans` are places in the text as it was before, in order. */
export interface Scrubbed { text: string; findings: Finding[]; spans: Span[] }

export interface Scrubber {
  scrub: (text: string, known: KnownIdentity) => Scrubbed
  /** Removes names and IDs learnt later, from file headers, from a text that was scrubbed already. */
  scrubKnown: (text: string, known: KnownIdentity) => Scrubbed
}

const leastShiftDays = 30
const shiftRangeDays = 1800

/**
 * Days by which all dates of a patient are moved: 30 to 1829 into the past, from the project secret, so that a further delivery of the same
 * patient is moved alike and nobody without the secret can move it back.
 */
export function shiftDaysOf(secret: string, patientId: string): number {
  const digest = createHmac('sha256', secret).update(`date-shift\u001f${patientId}`, 'utf8').digest()
  return -(leastShiftDays + (digest.readUInt32BE(0) % shiftRangeDays))
}

/** An attachment that was written into the text as code. No word, address or number is that long. */
const blob = /[!-~]{400,}/g

/**
 * The same text for the rules, sign for sign at the same places: the blanks and dashes of word processors and PDFs as plain ones. "Dr", a blank
 * that does not break, and a name are a title and a name all the same.
 */
function inPlainSigns(text: string): string {
  return text.replace(/[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g, ' ').replace(/[\u2010-\u2014\u2212]/g, '-').replace(/[\u2018\u2019\u02BC\u0060\u00B4]/g, '’').replace(/[\uFF10-\uFF19\uFF0F\uFF20]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xFEE0))
    // A nought that was read as a letter: "D0B: O4/12/1952".
    .replace(/\bD0B\b/g, 'DOB').replace(/(?<![\p{L}\d])[Oo](?=\d[./-]\d{1,2}[./-]\d)/gu, '0')
}

/**
 * A text between the blobs in it. A blob is taken out as a whole: nobody can read what it holds, and looking for names in one of 100,000 letters
 * would take the import minutes. `isKept`: the user switched the rule off; it is then left as it is, unread.
 */
function pieces(text: string, isKept: boolean): { start: number; text: string; isBlob: boolean }[] {
  const found: { start: number; text: string; isBlob: boolean }[] = []
  let position = 0
  for (const { 0: run, index } of text.matchAll(blob)) {
    found.push({ start: position, text: text.slice(position, index), isBlob: false })
    if (!isKept) found.push({ start: index, text: run, isBlob: true })
    position = index + run.length
  }
  return [...found, { start: position, text: text.slice(position), isBlob: false }].filter((piece) => piece.text !== '')
}

/** What may go over the end of a line. Dates without their shift: half a date cannot be moved. */
const spansOfWindow = (text: string): Span[] => [...addressSpans(text), ...institutionSpans(text), ...dateSpans(text, null, 'day-first'), ...phoneSpans(text), ...nameSpans(text)]

/** A scrubber for one import; the same options and secret always give the same text. */
export function createScrubber(options: PrivacyOptions, secret: string): Scrubber {
  let shift = { patientId: '', days: shiftDaysOf(secret, '') }
  const daysOf = (patientId: string): number => (shift.patientId === patientId ? shift : shift = { patientId, days: shiftDaysOf(secret, patientId) }).days
  const off = new Set(options.off)
  const own = createOwnList(options)
  const finish = (text: string, spans: readonly Span[]): Scrubbed => {
    const kept = spans.filter(({ rule }) => !off.has(rule))
    const { text: result, applied } = applySpans(text, kept)
    return { text: result, findings: applied.map(({ rule, start, end, replacement }) => ({ rule, original: text.slice(start, end), replacement })), spans: applied }
  }
  const ownIds = (text: string, known: KnownIdentity): Span[] => (off.has('own-id') ? [] : idSpans(text, known))
  return {
    // What is sure of itself comes first: an e-mail address holds names, a birth date is a date.
    scrub: (whole, known) => finish(whole, pieces(inPlainSigns(whole), off.has('record-numbers')).flatMap(({ start: offset, text, isBlob }) => (isBlob
      ? [{ start: offset, end: offset + text.length, rule: 'record-numbers', replacement: '[NUMBER]' } satisfies Span]
      : [
        ...own(text).map(({ start, end }): Span => ({ start, end, rule: 'own-list', replacement: '[REMOVED]' })),
        ...emailSpans(text), ...urlSpans(text), ...ownIds(text, known), ...birthSpans(text), ...addressSpans(text), ...institutionSpans(text), ...wrappedSpans(text, spansOfWindow),
        ...dateSpans(text, options.dates === 'shift' ? daysOf(known.patientId) : null, options.dateOrder),
        ...phoneSpans(text), ...recordSpans(text), ...ageSpans(text), ...knownNameSpans(text, known.names), ...nameSpans(text),
      ].map((span) => ({ ...span, start: span.start + offset, end: span.end + offset }))))),
    scrubKnown: (whole, known) => {
      const text = inPlainSigns(whole)
      return finish(whole, [...ownIds(text, known), ...knownNameSpans(text, known.names)])
    },
  }
}

/** An ID that cannot be mistaken for a measurement: five characters, or four with a letter and a digit among them. */
export function isTellingId(id: string): boolean {
  return /\d/.test(id) && (id.length >= 5 || (id.length === 4 && /\p{L}/u.test(id)))
}

function idSpans(text: string, { patientId, ids }: KnownIdentity): Span[] {
  const spans: Span[] = []
  const low = text.toLowerCase()
  // Two letters whose small form is a common letter: then the quick look below says nothing.
  const isPlainText = !/[\u017F\u212A]/.test(text)
  for (const id of new Set([patientId, ...ids])) {
    // With leading zeros or without: both are written by hand.
    const bare = id.replace(/^0+(?=\d)/, '')
    // A pattern is made for what can be there only: no part of the number is missing.
    if (isPlainText && bare.toLowerCase().split(/[\s_./-]+/).some((part) => !low.includes(part))) continue
    const body = `0*${[...bare].map((char) => (/[\s_./-]/.test(char) ? '[\\s_./-]?' : escapePattern(char))).join('')}`
    const before = isTellingId(id) ? '(?<![\\p{L}\\d])' : "(?<=\\b(?:patient|pt|id|pid|mrn|case|subject|no|nr|number)(?:\\s*(?:id|no|nr|number))?\\.?\\s*[:#=]?\\s*)(?<![\\d.])"
    const after = isTellingId(id) ? '(?![\\p{L}\\d])' : '(?![\\p{L}\\d]|[.,]\\d|\\s*(?:years?|yrs?|y|cm|mm|mg|ml|%)\\b)'
    for (const match of text.matchAll(new RegExp(before + body + after, 'giu'))) {
      if (match[0] !== '') spans.push({ start: match.index, end: match.index + match[0].length, rule: 'own-id', replacement: '[ID]' })
    }
  }
  return spans
}

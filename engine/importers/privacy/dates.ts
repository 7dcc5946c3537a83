/**
 * Dates in English text, with the months of thirty further languages, and their shift by whole days.
 * A date that cannot be placed on the calendar becomes [DATE]. Years alone, months alone and clock times stay: HIPAA section 164.514(b)(2)(i)(C) asks
 * for all elements of dates except the year; a month alone ("in May") cannot be told from a word.
 */
import type { PrivacyOptions } from '../../domain/privacy.ts'
import { foreignMonthNames, foreignMonthOf } from './rules/month-names.ts'
import type { Span } from './span.ts'

const dayMs = 86_400_000
const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const month = '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const weekdayName = '(?:mon|tues?|wed(?:s|nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?'
const weekday = `(?:${weekdayName}\\.?,?\\s+)?`
const day = '(?<d>0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?'
const year = '(?<y>(?:19|20)\\d{2})'
const edge = '(?<![\\p{L}\\d./-])'
const end = '(?![\\p{L}\\d]|[.,/-]\\d)'

interface Parts { y: number | null; m: number; d: number | null }
interface Found { start: number; end: number; read: (isDayFirst: boolean) => Parts | null; isNumeric?: [number, number] }

const pattern = (source: string): RegExp => new RegExp(source, 'giu')
// Named month first: it cannot be misread. Longer shapes stand before their parts.
const worded = [
  pattern(`${edge}${weekday}(?<m>${month})\\.?[\\s-]+${day}(?:,\\s*|\\s+|-)${year}${end}`),
  pattern(`${edge}${weekday}(?:the\\s+)?${day}[\\s-]+(?:of\\s+)?(?<m>${month})\\.?(?:,\\s*|[\\s-]+)(?:${year}|['’]?(?<yy>\\d{2})(?=[-\\s.,;)]|$))${end}`),
  pattern(`${edge}${year}[\\s-]+(?<m>${month})\\.?[\\s-]+${day}${end}`),
  pattern(`${edge}(?<m>${month})\\.?(?:,|\\s+of)?[\\s-]+${year}${end}`),
  pattern(`${edge}${weekday}(?<m>${month})\\.?\\s+${day}(?!:\\d|\\s*(?:mg|ml|cm|mm|%|years?|days?))${end}`),
  pattern(`${edge}${weekday}(?:the\\s+)?${day}[\\s-]+(?:of\\s+)?(?<m>${month})${end}`),
  // "09MAR2015", "Oct '18".
  pattern(`${edge}(?<d>0[1-9]|[12]\\d|3[01])(?<m>${month})(?:${year}|(?<yy>\\d{2}))${end}`),
  pattern(`${edge}(?<m>${month})\\.?\\s*['’](?<yy>\\d{2})${end}`),
]
const ordinals: Record<string, number> = Object.fromEntries(('first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth ' +
  'twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first').split(' ').map((name, i) => [name, i + 1]))
/** "The twenty-third of May 2017", "May the 4th". */
const spelled = [
  pattern(`${edge}(?:the\\s+)?(?<o>${Object.keys(ordinals).sort((a, b) => b.length - a.length).join('|').replaceAll('-', '[-\\s]')})\\s+(?:day\\s+)?of\\s+(?<m>${month})(?:,?\\s+${year})?${end}`),
  pattern(`${edge}(?<m>${month})\\s+the\\s+(?:${day})(?:,?\\s+${year})?${end}`),
]
/** "Between 3 and 9 June 2018", "5/6 June": the first day, whose month stands behind the second. */
const firstOfTwo = pattern(`${edge}(?<d>[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?(?=\\s?(?:and|to|until|&|/|-|–)\\s?(?:[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?\\s+(?:of\\s+)?(?<m>${month})(?:,?\\s+${year})?${end})`)
/** Days that have a name instead of a number. Those that move with the moon are taken out. */
const feasts: readonly [RegExp, number | null, number | null][] = [
  [/(?<![\p{L}\d])christmas eve(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 12, 24], [/(?<![\p{L}\d])(?:christmas day|xmas(?: day)?)(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 12, 25], [/(?<![\p{L}\d])boxing day(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 12, 26],
  [/(?<![\p{L}\d])new year['’]?s eve(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 12, 31], [/(?<![\p{L}\d])new year['’]?s day(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 1, 1], [/(?<![\p{L}\d])valentine['’]?s day(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 2, 14],
  [/(?<![\p{L}\d])halloween(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 10, 31], [/(?<![\p{L}\d])(?:independence day|fourth of july)(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, 7, 4],
  [/(?<![\p{L}\d])(?:good friday|easter (?:sunday|monday|saturday)|thanksgiving(?: day)?|eid al-(?:fitr|adha)|yom kippur|rosh hashanah|mother['’]?s day|father['’]?s day|labou?r day|memorial day|shrove tuesday|ash wednesday|whit monday)(?:[ ,]+(?<y>(?:19|20)\d{2}))?/giu, null, null],
]
/** Short forms of German, French, Spanish, Italian and Dutch months, by their beginnings; only between a day and a year, so that no word is taken for one. */
const shortMonths: readonly [string, number][] = [['jan|janv|gennaio|enero|januar|januari', 1], ['f[ée]v|feb', 2], ['m[aä]r|maart|mrt', 3], ['avr|abr|apr', 4], ['mai|mayo|mag|mei', 5], ['juin|jun|giu', 6], ['juil|jul|lug', 7], ['ao[uû]t|ago|aug', 8], ['sep|set', 9], ['oct|okt|ott', 10], ['nov', 11], ['d[ée]c|dez|dic', 12]]
const foreign = shortMonths.map(([names, number]) => [pattern(`${edge}(?<d>[12]\\d|3[01]|0?[1-9])(?:\\.|er|º|°)?\\s+(?:de\\s+)?(?:${names})\\p{Ll}{0,7}\\.?(?:\\s+(?:de\\s+)?${year})${end}`), number] as const)
/** The whole name of a month of another language behind a day, with a year or without: "12. Januar", "15 de enero de 1949", "3 marca". */
const foreignWhole = pattern(`${edge}(?<d>[12]\\d|3[01]|0?[1-9])(?:\\.|er|º|°|-?го)?\\s+(?:de\\s+|d['’])?(?<n>${foreignMonthNames})(?:,?\\s+(?:de\\s+|del\\s+)?${year})?${end}`)
/** Chinese and Japanese; Korean puts blanks between. */
const signed = pattern('(?<y>(?:19|20)\\d{2})\\s?[年년]\\s?(?<m>0?[1-9]|1[0-2])\\s?[月월]\\s?(?<d>[12]\\d|3[01]|0?[1-9])\\s?[日일]')
/** What has a month, but none that can be moved: "Weds 3rd", "summer 2016", "8th of the 9th 2017". Taken out. */
const unplaced = [
  pattern(`${edge}${weekdayName}\\.?,?\\s+(?:the\\s+)?(?:[12]?\\d|3[01])(?:st|nd|rd|th)(?!\\s+(?:${month}|of|visit|dose|cycle|week|day))${end}`),
  pattern(`${edge}(?:(?:early|mid|late)[\\s-])?(?:spring|summer|autumn|fall|winter)(?:\\s+of)?,?\\s+(?:19|20)\\d{2}${end}`),
  pattern(`${edge}(?:the\\s+)?[12]?\\d(?:st|nd|rd|th)\\s+of\\s+the\\s+(?:[1-9]|1[0-2])(?:st|nd|rd|th)(?:[,\\s]+(?:of\\s+)?(?:19|20)?\\d{2})?${end}`),
]
const roman = pattern(`${edge}(?<d>[12]\\d|3[01]|0?[1-9])[./ ](?<r>VIII|VII|III|XII|IV|VI|IX|XI|II|I|V|X)[./ ]${year}${end}`)
const romans = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII']
/** Month and year in figures: no measurement, unless a dilution or ratio is spoken of. */
const monthYear = pattern('(?<![\\d./-])(?<m>0?[1-9]|1[0-2])[/](?<y>(?:19[5-9]|20[0-4])\\d)(?![\\d/.])')
/** Two figures each, one with a nought before it: fractions, grades and acuities are never written so. */
const padded = pattern('(?<![\\d./:,-])(?<a>\\d{2})/(?<b>\\d{2})(?![\\d/.%]|\\s?(?:mmhg|mm|bp|correct))')
const isoDate = pattern(`(?<![\\d-])(?<y>(?:19|20)\\d{2})(?<s>[-/.])(?<m>0?[1-9]|1[0-2])\\k<s>(?<d>0?[1-9]|[12]\\d|3[01])(?=T\\d|\\b)(?!\\d|[-/]\\d)`)
const compact = pattern('(?<!\\p{L}|[\\d.,#-])(?<y>19[2-9]\\d|20[0-4]\\d)(?<m>0[1-9]|1[0-2])(?<d>0[1-9]|[12]\\d|3[01])(?:(?<=\\d{8})(?:[01]\\d|2[0-3])[0-5]\\d(?:[0-5]\\d)?)?(?!\\d|\\.\\d|\\s?(?:/|%|cells|copies|x10))')
const numeric = pattern('(?<!\\d|\\d[./-])(?<a>\\d{1,2})(?<s>\\s?[/.-]\\s?)(?<b>\\d{1,2})\\k<s>(?<y>(?:19|20)\\d{2}|\\d{2})(?![\\d%]|[./-]\\d|\\s?(?:cm|mm|mg|ml)\\b)')
const numericMonth = pattern('(?<=\\b(?:on|in|since|from|of|dated|date:?|until|till|between|compared? (?:to|with)|study|exam|prior|mri|ct|x-ray|cxr|cm)\\s)(?<m>0[1-9]|1[0-2])/(?<y>(?:19|20)\\d{2})(?![\\d/])')
/** Day and month alone look like a fraction; only after a word that leads to a date, and not where grades and acuities are written. */
const bare = pattern('(?<=\\b(?:on|since|dated|until|till|exam(?:ination)?|x-ray|xray|cxr|ct|mri|radiograph|study|film|from|x-xxxx)\\s(?:the\\s)?)(?<a>\\d{1,2})/(?<b>\\d{1,2})(?![\\d/%]|\\.\\d)')
/** The same behind a weekday or behind what is done on a day; not for "7/7", "3/12", "6/52". */
const eventDay = pattern(`(?<=(?<![\\p{L}\\d])(?:${weekdayName}|admitted|adm|discharged|transfer(?:red)?(?: (?:from|to) [\\p{Lu} ]{2,40})?|changed|removed|placed|inserted|taken|drawn|sent|informed|phoned|rang|seen|reviewed|review|r/v|rv|due|tci|appt|appointment|surgery|operated|biops(?:y|ied)|injected|started|stopped|dos|doa|d/c|died|collected|received|reported|call(?:ed)?)\\.?\\s(?:on\\s)?)(?<a>\\d{1,2})/(?<b>\\d{1,2})(?![\\d/%]|\\.\\d|\\s?(?:mmhg|mm|bp|correct|vision|aided|unaided|strength|power|murmur|systolic|diastolic|reflex|pain|in\\b|of\\b))`)
const weekdayBefore = new RegExp(`(?<![\\p{L}\\d])${weekdayName}\\.?,?\\s+$`, 'iu')
const numbered = /(?:v|ver|version|software|release|firmware|section|table|fig(?:ure)?|chapter|grade|type|level|stage|ratio|code|icd\S*|no|number|item)\.?:?\s*$/i
const fraction = /(?:strength|power|murmur|grade|grading|vision|acuity|score|scale|va|od|os|ou|gcs|apgar|reflex|pain|bp|pressure|ratio|improved|decreased|increased)\b[^.;\n]{0,30}$/i

const dilution = /(?:titre|titer|dilut\w*|ratio|1 in|odds|risk|probability|chance)\b[^.;\n]{0,30}$/i

/** Number of the month, 1 to 12, from its name or short name. */
function monthOf(name: string): number {
  return monthNames.findIndex((full) => full.toLowerCase().startsWith(name.toLowerCase().slice(0, 3))) + 1
}

function fullYear(text: string): number {
  if (text.length === 4) return Number(text)
  // Two digits: notes look back, so 49 and less is this century.
  return Number(text) < 50 ? 2000 + Number(text) : 1900 + Number(text)
}

/** Quick looks before slow searches: without the beginning of a month no worded date, without a digit no other one. */
const monthBegins = /jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec/i
const feastBegins = /christmas|xmas|boxing|new year|valentine|halloween|independence|fourth of july|good friday|easter|thanksgiving|eid al|yom kippur|rosh|mother|father|labou?r day|memorial|shrove|ash wed|whit mon/iu
const none: never[] = []

function find(text: string): Found[] {
  const found: Found[] = []
  const hasDigit = /\d/.test(text)
  const hasMonth = monthBegins.test(text)
  const push = (entry: Found): void => {
    if (!found.some((held) => entry.start < held.end && entry.end > held.start)) found.push(entry)
  }
  for (const expression of hasDigit && hasMonth ? worded : none) {
    for (const match of text.matchAll(expression)) {
      const { y, yy, m, d } = match.groups as { y?: string; yy?: string; m: string; d?: string }
      // "may 5" is a verb with a number more often than a date without a capital.
      if (y === undefined && yy === undefined && m === 'may') continue
      const parts = { y: y ?? yy ? fullYear((y ?? yy)!) : null, m: monthOf(m), d: d === undefined ? null : Number(d) }
      push({ start: match.index, end: match.index + match[0].length, read: () => parts })
    }
  }
  for (const expression of hasMonth ? (hasDigit ? [...spelled, firstOfTwo] : [spelled[0]!]) : none) {
    for (const match of text.matchAll(expression)) {
      const { y, m, d, o } = match.groups as { y?: string; m: string; d?: string; o?: string }
      const parts = { y: y === undefined ? null : Number(y), m: monthOf(m), d: o === undefined ? Number(d) : ordinals[o.toLowerCase().replace(/\s/, '-')]! }
      push({ start: match.index, end: match.index + match[0].length, read: () => parts })
    }
  }
  for (const [expression, m, d] of feastBegins.test(text) ? feasts : none) {
    for (const match of text.matchAll(expression)) {
      const y = match.groups?.y === undefined ? null : Number(match.groups.y)
      push({ start: match.index, end: match.index + match[0].length, read: () => (m === null ? null : { y, m, d }) })
    }
  }
  for (const [expression, m] of hasDigit ? [[foreignWhole, 0] as const, ...foreign, [roman, 0] as const] : none) {
    for (const match of text.matchAll(expression)) {
      const { y, d, r, n } = match.groups as { y?: string; d: string; r?: string; n?: string }
      const parts = { y: y === undefined ? null : Number(y), m: n !== undefined ? foreignMonthOf(n) : r === undefined ? m : romans.indexOf(r.toUpperCase()) + 1, d: Number(d) }
      push({ start: match.index, end: match.index + match[0].length, read: () => parts })
    }
  }
  for (const expression of hasDigit ? [isoDate, compact, signed, numericMonth, monthYear] : none) {
    for (const match of text.matchAll(expression)) {
      const { y, m, d } = match.groups as { y: string; m: string; d?: string }
      if (expression === monthYear && dilution.test(text.slice(Math.max(0, match.index - 50), match.index))) continue
      const parts = { y: Number(y), m: Number(m), d: d === undefined ? null : Number(d) }
      push({ start: match.index, end: match.index + match[0].length, read: () => parts })
    }
  }
  for (const expression of hasDigit ? [numeric, bare, eventDay, padded] : none) {
    for (const match of text.matchAll(expression)) {
      const { a, b, y, s } = match.groups as { a: string; b: string; y?: string; s?: string }
      // 1.2.20 is a version or a list of numbers unless its year is whole; 120-80-70 is no date at all.
      if (y?.length === 2 && s?.trim() === '.' && (a.length < 2 || b.length < 2) && (Number(y) < 10 || Number(y) > 39 || numbered.test(text.slice(Math.max(0, match.index - 30), match.index)))) continue
      // "Review 3/12" is in three months, "seen 2/7" after two days.
      if (expression === eventDay && /^(?:7|12|52)$/.test(b)) continue
      if (!isPossible(Number(a), Number(b))) continue
      if (expression === padded && !/^0[1-9]$/.test(a) && !/^0[1-9]$/.test(b)) continue
      if (y === undefined && fraction.test(text.slice(Math.max(0, match.index - 50), match.index))) continue
      push({
        start: match.index - (weekdayBefore.exec(text.slice(Math.max(0, match.index - 14), match.index))?.[0].length ?? 0), end: match.index + match[0].length, isNumeric: [Number(a), Number(b)],
        read: (isDayFirst) => {
          const first = Number(a) > 12 ? true : Number(b) > 12 ? false : isDayFirst
          return { y: y === undefined ? null : fullYear(y), m: Number(first ? b : a), d: Number(first ? a : b) }
        },
      })
    }
  }
  for (const expression of hasDigit ? unplaced : none) {
    for (const match of text.matchAll(expression)) push({ start: match.index, end: match.index + match[0].length, read: () => null })
  }
  return found.sort((left, right) => left.start - right.start)
}

function isPossible(a: number, b: number): boolean {
  return a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12)
}

/** True when dates of the text fit day-first only, false when month-first only, else what the user chose. */
function isDayFirstIn(found: readonly Found[], order: PrivacyOptions['dateOrder']): boolean {
  const pairs = found.flatMap(({ isNumeric }) => (isNumeric ? [isNumeric] : []))
  const isDayFirst = pairs.some(([a]) => a > 12)
  const isMonthFirst = pairs.some(([, b]) => b > 12)
  return isDayFirst === isMonthFirst ? order === 'day-first' : isDayFirst
}

/** Every date of a text moved by `shiftDays` whole days (null: taken out); whole dates are written as 2020-03-14, those without a day or year by the month's name. */
export function dateSpans(text: string, shiftDays: number | null, order: PrivacyOptions['dateOrder']): Span[] {
  const found = find(text)
  const isDayFirst = isDayFirstIn(found, order)
  let lastYear = found.map(({ read }) => read(isDayFirst)?.y ?? null).find((value) => value !== null) ?? 2021
  return found.map(({ start, end: stop, read }) => {
    const parts = read(isDayFirst)
    const replacement = parts === null || shiftDays === null ? null : shifted(parts, shiftDays, lastYear)
    lastYear = parts?.y ?? lastYear
    return { start, end: stop, rule: 'dates', replacement: replacement ?? '[DATE]' }
  })
}

function shifted({ y, m, d }: Parts, shiftDays: number, nearYear: number): string | null {
  // The middle of the month stands for a month without a day, so that whole months move by whole months on average.
  const time = Date.UTC(y ?? nearYear, m - 1, d ?? 15)
  const checked = new Date(time)
  if (checked.getUTCMonth() !== m - 1) return null
  const moved = new Date(time + shiftDays * dayMs)
  const name = monthNames[moved.getUTCMonth()]!
  if (d === null) return `${name} ${moved.getUTCFullYear()}`
  if (y === null) return `${name} ${moved.getUTCDate()}`
  return moved.toISOString().slice(0, 10)
}

const birth = /\b(?:d\.?o\.?b\.?|dates? of birth|birth ?dates?|born(?: on)?|birthday)\b\s*(?:is|was|[:=#-])?\s*(?:on\s+)?(?<hit>(?=[^\n]{0,24}\d)[^\n;,)]{0,3}?(?:\d{1,4}[./\s-]+(?:\d{1,2}|[a-z]{3,9}\.?)[./\s,-]+\d{2,4}|[a-z]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{8}|(?:19|20)\d{2}))/gdi

/** Dates of birth, which are not moved but removed: with the year they give away an age over 89. */
export function birthSpans(text: string): Span[] {
  return [...text.matchAll(birth)].map((match) => {
    const [start, stop] = match.indices!.groups!.hit!
    return { start, end: stop, rule: 'birth-dates', replacement: '[DATE OF BIRTH]' }
  })
}

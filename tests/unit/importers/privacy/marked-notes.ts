/** Hand-written notes with their identifiers marked `[[kind|identifier]]`, and how many of them the scrubber takes out. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultPrivacy } from '../../../../engine/domain/privacy.ts'
import { createScrubber } from '../../../../engine/importers/privacy/scrub.ts'

const scrubber = createScrubber(defaultPrivacy, 'ab'.repeat(32))
export const nobody = { patientId: 'none', ids: [], names: [] }

interface Mark { kind: string; start: number; end: number }
/** `kept` are clinical words marked `{{word}}` that sound like a name or a date and must stay. */
interface Note { text: string; marks: Mark[]; kept: Mark[] }

const readFile = (...path: string[]): string => readFileSync(join(import.meta.dirname, ...path), 'utf8')
export const linesOf = (name: string): string[] => readFile('notes', `${name}.txt`).split('\n').filter((line) => line !== '')

/** Words inside a mark that name nobody. */
const generic = /^(?:Dr|Mr|Mrs|Ms|Miss|Prof|Sir|MD|Sister|Lady|and|to|the|The|of|in|on|between|St|Hospital|Medical|Center|Care|Home|Nursing|Surgery|surgery|Regional|Health|School|Primary|Clinic|s|at|dot|REF|LOT|dr|sister|a|ext|x|Street|Road|Lane|Flat|Unit|Box|PO|Centre|Practice|Bank|Eye|County|HOSPITAL|GENERAL|General|Opticians|Council|High|th|corner|THE)$/

export function readNote(marked: string): Note {
  const note: Note = { text: '', marks: [], kept: [] }
  let at = 0
  for (const match of marked.matchAll(/\[\[(\w)\|(.*?)\]\](?!\])|\{\{(.*?)\}\}/gs)) {
    note.text += marked.slice(at, match.index)
    at = match.index + match[0].length
    const body = match[2] ?? match[3]!
    const mark = { kind: match[1] ?? 'kept', start: note.text.length, end: note.text.length + body.length }
    ;(match[2] === undefined ? note.kept : note.marks).push(mark)
    note.text += body
  }
  note.text += marked.slice(at)
  return note
}

interface Measured { missed: string[]; total: Map<string, number>; missedOf: Map<string, number>; taken: string[]; words: number; keptTaken: string[]; kept: number }

const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)

/** An identifier counts as removed when no telling word of it stays; a word beside the marks counts as taken when its first letter is gone. */
export function measure(notes: readonly Note[]): Measured {
  const found: Measured = { missed: [], total: new Map(), missedOf: new Map(), taken: [], words: 0, keptTaken: [], kept: 0 }
  for (const { text, marks, kept } of notes) {
    const { spans } = scrubber.scrub(text, nobody)
    const isGone = (at: number): boolean => spans.some(({ start, end }) => at >= start && at < end)
    const words = [...text.matchAll(/[\p{L}\p{N}]+/gu)].map((match) => ({ word: match[0], start: match.index, end: match.index + match[0].length }))
    for (const mark of marks) {
      add(found.total, mark.kind)
      const left = words.filter(({ word, start }) => start >= mark.start && start < mark.end && !generic.test(word) && !isGone(start))
      if (left.length === 0) continue
      add(found.missedOf, mark.kind)
      found.missed.push(`${mark.kind}: ${text.slice(mark.start, mark.end)}`)
    }
    for (const { word, start, end } of words.filter((entry) => !marks.some((mark) => entry.start < mark.end && entry.end > mark.start))) {
      found.words++
      if (isGone(start)) found.taken.push(`${word} <- ${text.slice(Math.max(0, start - 20), end + 20)}`)
    }
    for (const mark of kept) {
      found.kept++
      if (spans.some(({ start, end }) => start < mark.end && end > mark.start)) found.keptTaken.push(text.slice(mark.start, mark.end))
    }
  }
  return found
}

/** The notes of the held-out set: of each file every second one may be read one by one (`open`), the others only counted (`closed`). */
export function heldOut(half: 'open' | 'closed'): Note[] {
  const files = ['broken-lines', 'capitals', 'discharge', 'eye', 'fax', 'people', 'radiology', 'records', 'telegraph']
  return files.flatMap((name) => readFile('held-out', `${name}.txt`).split('\n%%\n').filter((_, index) => (index % 2 === 0) === (half === 'open')).map((note) => readNote(note.trim())))
}

export function describe({ total, missedOf, missed, taken, words, keptTaken, kept }: Measured): string {
  const all = [...total.values()].reduce((sum, count) => sum + count, 0)
  const kinds = [...total].sort().map(([kind, count]) => `${kind} ${count - (missedOf.get(kind) ?? 0)}/${count}`).join(', ')
  return `${all - missed.length} of ${all} identifiers (${(100 * (1 - missed.length / all)).toFixed(1)} %): ${kinds}; words beside them taken ${taken.length} of ${words} (${(100 * taken.length / words).toFixed(2)} %); must-keep words taken ${keptTaken.length} of ${kept}`
}

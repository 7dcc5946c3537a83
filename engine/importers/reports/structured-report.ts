/**
 * The content tree of a DICOM structured report as text in reading order, with its headings. PS3.3 C.17.3 (document content module).
 * Who observed (observation context) and links to images are left out: the first identifies, the second says nothing in words.
 */
import type { DicomDataSet } from '../dicom/data-set.ts'

const contentSequence = '0040,a730'
const maxDepth = 40
const maxItems = 20_000
const maxCharacters = 400_000

/** SOP classes of structured reports all begin with this. PS3.4 B.5. */
export const reportClassPrefix = '1.2.840.10008.5.1.4.1.1.88.'
export const encapsulatedPdfClass = '1.2.840.10008.5.1.4.1.1.104.1'

/** The text of a report; empty when its tree holds none. */
export function textOfStructuredReport(dataSet: DicomDataSet): string {
  const lines: string[] = []
  let items = 0
  let characters = 0
  const push = (line: string): void => {
    const clean = line.replace(/\r\n?/g, '\n').trim()
    if (clean === '' || characters > maxCharacters) return
    characters += clean.length
    lines.push(clean)
  }
  const walk = (parent: DicomDataSet, heading: string, depth: number): void => {
    if (depth > maxDepth) return
    for (const item of parent.items(contentSequence)) {
      if (++items > maxItems) return
      const relation = item.text('0040,a010') ?? 'CONTAINS'
      if (relation === 'HAS OBS CONTEXT' || relation === 'HAS CONCEPT MOD' || relation === 'HAS ACQ CONTEXT') continue
      const name = meaning(item, '0040,a043')
      const kind = item.text('0040,a040')
      if (kind === 'CONTAINER') {
        if (name !== null) push(`\n${name}:`)
        walk(item, name ?? heading, depth + 1)
        continue
      }
      const value = valueOf(item, kind)
      if (value !== null) {
        const modifiers = item.items(contentSequence).filter((child) => child.text('0040,a010') === 'HAS CONCEPT MOD').flatMap((child) => valueOf(child, child.text('0040,a040')) ?? [])
        const told = modifiers.length === 0 ? value : `${value} (${modifiers.join(', ')})`
        // Under "Findings" an item that is called "Finding" needs no second heading.
        push(name === null || isSame(name, heading) ? told : `${name}: ${told}`)
      }
      walk(item, name ?? heading, depth + 1)
    }
  }
  const title = meaning(dataSet, '0040,a043')
  if (title !== null) push(title)
  const before = lines.length
  walk(dataSet, title ?? '', 0)
  return lines.length === before ? '' : lines.join('\n')
}

/** Texts, codes, numbers, dates and times. Names of persons and references have no value here. */
function valueOf(item: DicomDataSet, kind: string | null): string | null {
  switch (kind) {
    case 'TEXT': return wholeText(item, '0040,a160')
    case 'CODE': return meaning(item, '0040,a168')
    case 'NUM': return numberOf(item)
    case 'DATE': return dateOf(item.text('0040,a121'))
    case 'DATETIME': return dateOf(item.text('0040,a120'))
    case 'TIME': return item.text('0040,a122')?.replace(/^(\d{2})(\d{2}).*$/, '$1:$2') ?? null
    default: return null
  }
}

/** A backslash parts values in other elements but not in unlimited text. PS3.5 6.2. */
function wholeText(item: DicomDataSet, tag: string): string | null {
  const text = item.texts(tag).join('\\').trim()
  return text === '' ? null : text
}

function meaning(item: DicomDataSet, tag: string): string | null {
  const [code] = item.items(tag)
  return code?.text('0008,0104') ?? null
}

function numberOf(item: DicomDataSet): string | null {
  const [measured] = item.items('0040,a300')
  const value = measured?.text('0040,a30a') ?? null
  if (measured === undefined || value === null) return null
  const [unit] = measured.items('0040,08ea')
  const written = unit?.text('0008,0100') ?? unit?.text('0008,0104') ?? null
  // "1" is the code of UCUM for no unit, braces enclose annotations.
  return written === null || written === '1' || /^\{.*\}$/.test(written) ? value : `${value} ${written}`
}

function dateOf(text: string | null): string | null {
  return text === null ? null : text.replace(/^(\d{4})(\d{2})(\d{2}).*$/, '$1-$2-$3')
}

function isSame(name: string, heading: string): boolean {
  const fold = (text: string): string => text.toLowerCase().replace(/s\b/g, '').replace(/[^a-z]/g, '')
  return fold(name) === fold(heading)
}

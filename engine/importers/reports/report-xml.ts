/**
 * Reads one report of the Indiana University collection (OpenI "eCitation" XML). The files are written by a program and nest
 * none of the elements read here, so that a search for each of them is enough; a parser of all XML would be one more library.
 */

/** What a report file says. Missing sections are empty. */
export interface XmlReport {
  uid: string
  /** Sections in lower case: comparison, indication, findings, impression. */
  sections: Map<string, string>
  /** Terms with their qualifiers, "Lung/hypoinflation". */
  terms: string[]
  /** Names of the images without ending, in their order. */
  images: string[]
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' }

/** True when the text begins like such a report. */
export function isXmlReport(text: string): boolean {
  return /^\uFEFF?\s*(?:<\?xml[^>]*\?>)?\s*<eCitation[\s>]/.test(withoutRuns(text, '<!--', '-->'))
}

/** The report, or null when the file is cut short or names no ID. */
export function parseXmlReport(text: string): XmlReport | null {
  const plain = withoutRuns(text, '<!--', '-->')
  const [first] = tags(plain, 'uId')
  const uid = attribute(first ?? '', 'id').replace(/^CXR(?=\d)/i, '')
  if (uid === '' || !plain.trimEnd().endsWith('</eCitation>')) return null
  const sections = new Map<string, string>()
  for (const { tag, body } of elements(plain, 'AbstractText')) {
    const name = attribute(tag, 'Label').trim().toLowerCase()
    const content = readText(body)
    if (name !== '' && content !== '') sections.set(name, sections.has(name) ? `${sections.get(name)!}\n${content}` : content)
  }
  const [mesh] = elements(plain, 'MeSH')
  const terms = [...elements(mesh?.body ?? '', 'major')].map(({ body }) => readText(body)).filter((term) => term !== '')
  const images = [...tags(plain, 'parentImage')].map((tag) => readText(attribute(tag, 'id'))).filter((id) => id !== '')
  return { uid, sections, terms, images }
}

/*
 * Every search below goes through the text once, whatever stands in it: with patterns that look for an end from each beginning, a file of 4 MB
 * without ends would take hours.
 */

/** The text without what stands between `open` and `close`; an open one without its end stays. */
function withoutRuns(text: string, open: string, close: string): string {
  let result = ''
  let position = 0
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, position)) {
    const end = text.indexOf(close, start + open.length)
    if (end < 0) break
    result += text.slice(position, start)
    position = end + close.length
  }
  return result + text.slice(position)
}

/** The opening tags of a name, from `<` up to before `>`. */
function* tags(text: string, name: string): Generator<string> {
  for (const { tag } of starts(text, name)) yield tag
}

function* starts(text: string, name: string, from = 0): Generator<{ tag: string; end: number }> {
  for (let start = text.indexOf(`<${name}`, from); start >= 0; start = text.indexOf(`<${name}`, start + 1)) {
    if (!/[\s/>]/.test(text[start + 1 + name.length] ?? '')) continue
    const end = text.indexOf('>', start)
    if (end < 0) return
    yield { tag: text.slice(start, end), end: end + 1 }
    start = end
  }
}

/** Elements of a name that have an end; what has none is no element, nor is anything behind it. */
function* elements(text: string, name: string): Generator<{ tag: string; body: string }> {
  let position = 0
  for (;;) {
    const [next] = starts(text, name, position)
    if (next === undefined) return
    if (next.tag.endsWith('/')) {
      position = next.end
      continue
    }
    const close = text.indexOf(`</${name}>`, next.end)
    if (close < 0) return
    yield { tag: next.tag, body: text.slice(next.end, close) }
    position = close + name.length + 3
  }
}

/** The value of an attribute in a tag; empty without it. Only the beginning of a tag without end is looked at. */
function attribute(tag: string, name: string): string {
  return new RegExp(`\\s${name}=(?:"([^"]*)"|'([^']*)')`).exec(tag.slice(0, 2000))?.slice(1).find((value) => value !== undefined) ?? ''
}

function readText(body: string): string {
  return openCdata(body)
    .replace(/<[^<>]*>/g, ' ')
    .replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));/gi, (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return entities[name.toLowerCase()] ?? whole
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
    })
    .replace(/\s+/gu, ' ').trim()
}

/** Literal text as such: its signs mean themselves. */
function openCdata(body: string): string {
  const [before = '', ...parts] = body.split('<![CDATA[')
  return before + parts.map((part) => {
    const end = part.indexOf(']]>')
    return end < 0 ? part : part.slice(0, end).replaceAll('&', '&amp;').replaceAll('<', '&lt;') + part.slice(end + 3)
  }).join('')
}

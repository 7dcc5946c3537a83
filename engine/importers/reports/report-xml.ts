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
  return /^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<eCitation[\s>]/s.test(text)
}

/** The report, or null when the file is cut short or names no ID. */
export function parseXmlReport(text: string): XmlReport | null {
  const plain = text.replace(/<!--.*?-->/gs, '')
  const uid = /<uId\s[^>]*\bid=["']([^"']*)["']/.exec(plain)?.[1]?.replace(/^CXR(?=\d)/i, '') ?? ''
  if (uid === '' || !plain.trimEnd().endsWith('</eCitation>')) return null
  const sections = new Map<string, string>()
  for (const [, label, body] of plain.matchAll(/<AbstractText\b[^>]*\bLabel=["']([^"']*)["'][^>]*?(?:\/>|>(.*?)<\/AbstractText>)/gs)) {
    const name = label!.trim().toLowerCase()
    const content = readText(body ?? '')
    if (content !== '') sections.set(name, sections.has(name) ? `${sections.get(name)!}\n${content}` : content)
  }
  const mesh = /<MeSH>(.*?)<\/MeSH>/s.exec(plain)?.[1] ?? ''
  const terms = [...mesh.matchAll(/<major>(.*?)<\/major>/gs)].map(([, body]) => readText(body!)).filter((term) => term !== '')
  const images = [...plain.matchAll(/<parentImage\b[^>]*\bid=["']([^"']*)["']/g)].map(([, id]) => readText(id!))
  return { uid, sections, terms, images }
}

function readText(body: string): string {
  return body
    .replace(/<!\[CDATA\[(.*?)\]\]>/gs, (_, inside: string) => inside.replaceAll('&', '&amp;').replaceAll('<', '&lt;'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));/gi, (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return entities[name.toLowerCase()] ?? whole
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
    })
    .replace(/\s+/gu, ' ').trim()
}

import { writeDicom, type Elements } from '../dicom/make-dicom.ts'

/** Small reports as hospitals write them, made of nothing but text. */

interface Node { relation?: string; kind: string; name?: string; text?: string; code?: string; number?: [string, string]; person?: string; children?: Node[] }

const codeOf = (meaning: string): Elements[] => [{ '0008,0100': ['SH', 'X'], '0008,0102': ['SH', '99T'], '0008,0104': ['LO', meaning] }]

function elementsOf({ relation = 'CONTAINS', kind, name, text, code, number, person, children = [] }: Node): Elements {
  return {
    '0040,a010': ['CS', relation], '0040,a040': ['CS', kind],
    ...(name === undefined ? {} : { '0040,a043': ['SQ', codeOf(name)] as Elements[string] }),
    ...(text === undefined ? {} : { '0040,a160': ['UT', text] as Elements[string] }),
    ...(person === undefined ? {} : { '0040,a123': ['PN', person] as Elements[string] }),
    ...(code === undefined ? {} : { '0040,a168': ['SQ', codeOf(code)] as Elements[string] }),
    ...(number === undefined ? {} : { '0040,a300': ['SQ', [{ '0040,a30a': ['DS', number[0]], '0040,08ea': ['SQ', [{ '0008,0100': ['SH', number[1]] }]] }]] as Elements[string] }),
    ...(children.length === 0 ? {} : { '0040,a730': ['SQ', children.map(elementsOf)] as Elements[string] }),
  }
}

const head = (objectClass: string, numbers: { patient?: string; study?: string; accession?: string }): Elements => ({
  '0008,0005': ['CS', 'ISO_IR 192'], '0008,0016': ['UI', objectClass], '0008,0050': ['SH', numbers.accession ?? ''], '0010,0010': ['PN', 'Miller^Jane'],
  '0010,0020': ['LO', numbers.patient ?? ''], '0020,000d': ['UI', numbers.study ?? ''],
})

export function structuredReport(children: Node[], numbers: { patient?: string; study?: string; accession?: string } = {}, syntax?: string): Buffer {
  const root = elementsOf({ kind: 'CONTAINER', name: 'Chest X-ray report', children })
  return writeDicom({ ...head('1.2.840.10008.5.1.4.1.1.88.11', numbers), '0008,0060': ['CS', 'SR'], ...root }, null, syntax === undefined ? {} : { syntax })
}

export function pdfInDicom(pdf: Buffer, numbers: { patient?: string; study?: string; accession?: string }): Buffer {
  return writeDicom({ ...head('1.2.840.10008.5.1.4.1.1.104.1', numbers), '0042,0011': ['OB', pdf], '0042,0012': ['LO', 'application/pdf'] }, null)
}

/** A PDF of one page for each list of lines; without lines a page with a line drawn across, as of a scan. */
export function makePdf(pages: string[][]): Buffer {
  const objects: string[] = ['<< /Type /Catalog /Pages 2 0 R >>', '', '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>']
  const kids: number[] = []
  for (const lines of pages) {
    const content = lines.length === 0 ? '0 0 m 100 100 l S' : `BT /F1 12 Tf 14 TL 50 700 Td ${lines.map((line) => `(${line.replace(/([()\\])/g, '\\$1')}) Tj T*`).join(' ')} ET`
    objects.push(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`)
    objects.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${objects.length} 0 R >>`)
    kids.push(objects.length)
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] /Count ${kids.length} >>`
  let body = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const at = body.length
    body += `${index + 1} 0 obj\n${object}\nendobj\n`
    return at
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  return Buffer.from(`${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`, 'latin1')
}

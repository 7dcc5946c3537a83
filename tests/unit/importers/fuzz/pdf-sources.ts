/** PDF files to damage: plain, with packed streams, packed objects, a font's own alphabet and a picture, as different writers make them. */
import { deflateSync } from 'node:zlib'
import { makePdf } from '../reports/make-report.ts'
import type { FuzzSource } from './decoders.ts'

const words = 'BT /F1 12 Tf 14 TL 50 700 Td (FINDINGS: the lungs are clear, no effusion.) Tj T* [(IMPRES) -20 (SION: normal heart)] TJ T* <4e6f726d616c> Tj ET'
const alphabet = '/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def 1 begincodespacerange <00> <ff> endcodespacerange 2 beginbfrange <20> <40> <0020> <41> <7a> <0041> endbfrange endcmap end end'

interface PdfObject { head: string; stream?: Buffer }

/** A document of objects 1, 2, ...; the first is the catalogue. */
function assemble(objects: readonly PdfObject[], trailer = ''): Buffer {
  const parts = [Buffer.from('%PDF-1.5\n%\xe2\xe3\xcf\xd3\n', 'latin1')]
  const size = (): number => parts.reduce((sum, { length }) => sum + length, 0)
  const offsets = objects.map(({ head, stream }, index) => {
    const at = size()
    const body = stream === undefined ? Buffer.from(head) : Buffer.concat([Buffer.from(`${head.replace(/>>$/, `/Length ${stream.length} >>`)}\nstream\n`), stream, Buffer.from('\nendstream')])
    parts.push(Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from('\nendobj\n'))
    return at
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  parts.push(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer}>>\nstartxref\n${size()}\n%%EOF\n`))
  return Buffer.concat(parts)
}

const page = (contents: PdfObject, font = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>', ...more: PdfObject[]): PdfObject[] => [
  { head: '<< /Type /Catalog /Pages 2 0 R >>' }, { head: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>' },
  { head: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> /XObject << /I1 6 0 R >> >> /Contents 4 0 R >>' },
  contents, { head: font }, ...more,
]

const packed = (content: Buffer): PdfObject => ({ head: '<< /Filter /FlateDecode >>', stream: deflateSync(content) })
const hex = (content: string): PdfObject => ({ head: '<< /Filter /ASCIIHexDecode >>', stream: Buffer.from(`${Buffer.from(content).toString('hex')}>`) })

/** Objects inside a packed stream, found by a table that is a packed stream as well (PDF 1.5). */
function packedObjects(change: (table: Buffer) => Buffer = (table) => table): Buffer {
  const inner = ['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [3 0 R] /Count 1 >>', '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 4 0 R >> >> /Contents 6 0 R >>', '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>']
  let at = 0
  const index = inner.map((text, i) => {
    const entry = `${i + 1} ${at}`
    at += text.length + 1
    return entry
  }).join(' ')
  const held = deflateSync(Buffer.from(`${index} ${inner.join(' ')}`))
  const content = deflateSync(Buffer.from(words))
  const head = '%PDF-1.5\n'
  const first = Buffer.concat([Buffer.from(`5 0 obj\n<< /Type /ObjStm /N 4 /First ${index.length + 1} /Filter /FlateDecode /Length ${held.length} >>\nstream\n`), held, Buffer.from('\nendstream\nendobj\n')])
  const second = Buffer.concat([Buffer.from(`6 0 obj\n<< /Filter /FlateDecode /Length ${content.length} >>\nstream\n`), content, Buffer.from('\nendstream\nendobj\n')])
  const where = head.length + first.length + second.length
  const rows = [[0, 0, 255], ...inner.map((_, i) => [2, 5, i]), [1, head.length, 0], [1, head.length + first.length, 0], [1, where, 0]]
  const table = deflateSync(change(Buffer.from(rows.flatMap(([kind, place, last]) => [kind!, place! >> 8, place! & 255, last!]))))
  return Buffer.concat([
    Buffer.from(head), first, second,
    Buffer.from(`7 0 obj\n<< /Type /XRef /Size 8 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode /Length ${table.length} >>\nstream\n`), table, Buffer.from(`\nendstream\nendobj\nstartxref\n${where}\n%%EOF\n`),
  ])
}

export function pdfSources(): FuzzSource[] {
  const content = Buffer.from(words)
  let places = Buffer.alloc(0)
  packedObjects((table) => { places = Buffer.from(table); return table })
  const own = '<< /Type /Font /Subtype /TrueType /BaseFont /Own /FirstChar 32 /LastChar 34 /Widths [250 300 300] /ToUnicode 6 0 R >>'
  const wholes = [
    makePdf([['FINDINGS: clear lungs and a normal heart.'], ['IMPRESSION: no acute disease.']]), assemble(page(packed(content))), assemble(page(hex(words), own, { head: '<< >>', stream: Buffer.from(alphabet) })),
    assemble(page({ head: '<< /Filter /FlateDecode >>', stream: deflateSync(Buffer.from(`${words} q 10 0 0 10 0 0 cm /I1 Do Q`)) }, undefined, { head: '<< /Type /XObject /Subtype /Image /Width 4 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceGray >>', stream: Buffer.alloc(8, 99) })),
    packedObjects(),
  ]
  return [
    ...wholes.map((bytes) => ({ bytes })),
    // Inside what is packed, where damage would otherwise end at the checksum.
    { bytes: content, wrap: (damaged) => assemble(page(packed(damaged))) },
    { bytes: Buffer.from(alphabet), wrap: (damaged) => assemble(page({ head: '<< >>', stream: content }, own, packed(damaged))) },
    { bytes: places, wrap: (damaged) => packedObjects(() => damaged) },
  ]
}

/** Every decoder that reads files from outside, with small sound files to damage. */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { AppError } from '../../../../engine/domain/errors.ts'
import { parseDicom } from '../../../../engine/importers/dicom/parse.ts'
import { findJpegDamage } from '../../../../engine/importers/images/jpeg-damage.ts'
import { createIssueCollector } from '../../../../engine/importers/issues.ts'
import { readPdfText } from '../../../../engine/importers/reports/pdf-text.ts'
import { isXmlReport, parseXmlReport } from '../../../../engine/importers/reports/report-xml.ts'
import { textOfStructuredReport } from '../../../../engine/importers/reports/structured-report.ts'
import { openTable } from '../../../../engine/importers/table/open-table.ts'
import { decodeImage } from '../../../../engine/modalities/image-decode.ts'
import { writeDicom } from '../dicom/make-dicom.ts'
import { makeXlsx, makeZip } from '../make-xlsx.ts'
import { dicomDecoders } from './dicom-decoders.ts'
import { pdfSources } from './pdf-sources.ts'
import { repairPng } from './repair-png.ts'

/** Bytes to damage; `wrap` puts the damaged part back into an otherwise sound file, so that checksums do not end every case early. */
export interface FuzzSource {
  bytes: Buffer
  wrap?: (damaged: Buffer) => Buffer
}

export interface FuzzDecoder {
  name: string
  sources: () => Promise<FuzzSource[]>
  /** Throws an AppError for what it refuses; anything else is a find. */
  read: (bytes: Buffer) => Promise<void> | void
  /** Where a decoder may take more than the others: processor time of a file, growth of the process over all of them. */
  limits?: { cpuMs: number; growthMb: number }
}

const width = 40
const height = 28

function picture(channels: 1 | 3 | 4): Sharp {
  const pixels = Buffer.alloc(width * height * channels)
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 31 + ((i * 7) >> 3)) & 255
  return sharp(pixels, { raw: { width, height, channels } })
}

async function readPicture(bytes: Buffer): Promise<void> {
  await decodeImage(bytes)
  if (bytes[0] === 0xff) findJpegDamage(bytes)
}

async function pictures(...files: Promise<Buffer>[]): Promise<FuzzSource[]> {
  return (await Promise.all(files)).map((bytes) => ({ bytes }))
}

const table = 'patient;age;note;"has ""A"""\n1;61;"two\nlines; and ""quotes""";1\n2;44;Große Öffnung;0\n3;;,;\n'
const rows = [['id', 'age', 'note'], ['a1', 61, 'first'], ['a2', 44.5, 'second & last'], ['a3', null, true]]

function readTableAs(extension: string): (bytes: Buffer) => Promise<void> {
  // One name for all cases: what is open at the time of a crash is what crashed.
  const file = join(tmpdir(), `lacuna-fuzz-${process.pid}.${extension}`)
  return async (bytes) => {
    writeFileSync(file, bytes)
    const opened = await openTable({ sourceDir: tmpdir(), tableFile: file, sheet: null }, createIssueCollector(), new AbortController().signal)
    for await (const chunk of opened.readRows()) chunk.at(-1)
  }
}

/** The parts of a workbook by path, stored without compression. */
function workbookParts(): Record<string, string> {
  const archive = makeXlsx({ Sheet: rows })
  const parts: Record<string, string> = {}
  for (let at = 0; archive.readUInt32LE(at) === 0x04034b50;) {
    const [size, nameLength] = [archive.readUInt32LE(at + 18), archive.readUInt16LE(at + 26)]
    const from = at + 30 + nameLength
    parts[archive.toString('utf8', at + 30, from)] = archive.toString('utf8', from, from + size)
    at = from + size
  }
  return parts
}

function workbookSources(): FuzzSource[] {
  const parts = workbookParts()
  const inner = Object.entries(parts).map(([path, text]) => ({ bytes: Buffer.from(text), wrap: (damaged: Buffer) => makeZip({ ...parts, [path]: damaged.toString('utf8') }) }))
  return [{ bytes: makeXlsx({ Sheet: rows, Other: rows }) }, ...inner]
}

const report = `<?xml version="1.0"?><eCitation><meta type="rr"/><uId id="CXR7"/><MedlineCitation><AbstractText Label="FINDINGS">Heart &amp; lungs <b>clear</b>.</AbstractText>
<AbstractText Label="IMPRESSION"><![CDATA[No <acute> disease]]></AbstractText></MedlineCitation><MeSH><major>Lung/hypoinflation</major></MeSH><parentImage id="CXR7_IM-1"/></eCitation>`

/** A structured report with a coded heading and a text. */
const structured = writeDicom({
  '0008,0016': ['UI', '1.2.840.10008.5.1.4.1.1.88.11'], '0008,0060': ['CS', 'SR'], '0040,a040': ['CS', 'CONTAINER'],
  '0040,a730': ['SQ', [{ '0040,a010': ['CS', 'CONTAINS'], '0040,a040': ['CS', 'TEXT'], '0040,a043': ['SQ', [{ '0008,0100': ['SH', '121071'], '0008,0104': ['LO', 'Finding'] }]], '0040,a160': ['UT', 'Clear lungs.'] }]],
}, null)

export const decoders: readonly FuzzDecoder[] = [
  ...dicomDecoders,
  { name: 'jpeg', sources: () => pictures(picture(3).jpeg().toBuffer(), picture(3).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(), picture(1).toColourspace('b-w').jpeg().toBuffer()), read: readPicture },
  {
    name: 'png', read: readPicture,
    sources: async () => {
      const whole = await pictures(picture(3).png().toBuffer(), picture(4).png({ palette: true }).toBuffer(), picture(1).toColourspace('grey16').png({ progressive: true }).toBuffer())
      return whole.flatMap((source) => [source, { ...source, wrap: repairPng }])
    },
  },
  { name: 'gif', sources: () => pictures(picture(3).gif().toBuffer()), read: readPicture },
  { name: 'webp', sources: () => pictures(picture(3).webp().toBuffer(), picture(4).webp({ lossless: true }).toBuffer()), read: readPicture },
  { name: 'tiff', sources: () => pictures(...(['none', 'lzw', 'deflate', 'jpeg', 'packbits'] as const).map((compression) => picture(3).tiff({ compression }).toBuffer()), picture(1).toColourspace('grey16').tiff({ tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer()), read: readPicture },
  { name: 'csv', sources: async () => ['utf8', 'utf16le', 'latin1'].map((encoding) => ({ bytes: Buffer.from(encoding === 'utf16le' ? `\ufeff${table}` : table, encoding as BufferEncoding) })), read: readTableAs('csv') },
  { name: 'xlsx', sources: async () => workbookSources(), read: readTableAs('xlsx') },
  {
    name: 'report-xml', sources: async () => [{ bytes: Buffer.from(report) }],
    read: (bytes) => {
      const text = bytes.toString('utf8')
      if (isXmlReport(text)) parseXmlReport(text)
    },
  },
  {
    name: 'report-pdf', sources: async () => pdfSources(),
    // An alphabet whose damaged range names four thousand million codes is filled in up to 2^24 of them: 2 to 4 s and some 200 MB of the reading thread, which go with it.
    limits: { cpuMs: 5000, growthMb: 300 },
    read: async (bytes) => {
      const read = await readPdfText(bytes)
      if ('problem' in read) throw new AppError('IMPORT_REPORT_UNREADABLE', read.problem)
    },
  },
  { name: 'report-structured', sources: async () => [{ bytes: structured }], read: (bytes) => void textOfStructuredReport(parseDicom(bytes).dataSet) },
]

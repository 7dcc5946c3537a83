import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { onTestFinished } from 'vitest'
import type { Mapping } from '../../../engine/domain/mapping.ts'
import type { EngineData, JobContext, Progress } from '../../../engine/protocol.ts'

/** An empty folder that is removed after the test. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lacuna-import-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes files by relative path; text is UTF-8. */
export async function writeFiles(folder: string, files: Record<string, Buffer | string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
}

export interface RecordingContext extends JobContext {
  data: EngineData[]
  reports: Progress[]
  abort: AbortController
}

/** A job context that keeps what it is given; `take` stands in for the host's writing. */
export function createContext(take: (data: EngineData) => Promise<void> | void = () => undefined): RecordingContext {
  const abort = new AbortController()
  const data: EngineData[] = []
  const reports: Progress[] = []
  return {
    data, reports, abort, signal: abort.signal, shouldStop: () => false,
    progress: (progress) => reports.push(progress),
    send: async (entry) => {
      data.push(entry)
      await take(entry)
    },
  }
}

/** A small colourful picture, different for each seed. */
export function picture(seed: number, width = 24, height = 16): Sharp {
  const pixels = Buffer.alloc(width * height * 3)
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 31 + seed * 57 + ((i * seed) >> 3)) & 255
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

export const jpeg = (seed: number, width?: number, height?: number): Promise<Buffer> => picture(seed, width, height).jpeg().toBuffer()
export const png = (seed: number, width?: number, height?: number): Promise<Buffer> => picture(seed, width, height).png().toBuffer()

/** One image, one note, two yes/no labels: columns id, image, note, A, B. */
export const plainMapping: Mapping = {
  profile: 'manual', patientIdColumn: 'id', rowUnit: { kind: 'patient' },
  slots: [
    { slot: { slotId: 'photo', modality: 'image', title: 'Photo', letter: 'P' }, source: { kind: 'column', column: 'image', view: null } },
    { slot: { slotId: 'note', modality: 'text', title: 'Note', letter: 'N' }, source: { kind: 'template', template: '{note}' } },
  ],
  labels: { kind: 'one-hot', columns: [{ column: 'A', name: 'Alpha' }, { column: 'B', name: 'Beta' }] },
  attributes: { age: null, sex: null },
}

type Cell = string | number | boolean | Date | null

/** A workbook as spreadsheet programs write it (stored, not compressed); dates are serial numbers with a date style. */
export function makeXlsx(sheets: Record<string, Cell[][]>): Buffer {
  const names = Object.keys(sheets)
  const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const files: Record<string, string> = {
    'xl/workbook.xml': `${xml}<workbook xmlns="${main}" xmlns:r="${office}"><sheets>${names.map((name, i) => `<sheet name="${name}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`).join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${names.map((_, i) => `<Relationship Id="rId${i + 1}" Type="${office}/worksheet" Target="worksheets/sheet${i + 1}.xml"/>`).join('')}<Relationship Id="rId99" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
    'xl/styles.xml': `${xml}<styleSheet xmlns="${main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
  }
  for (const [i, name] of names.entries()) {
    const rows = sheets[name]!.map((cells, r) => `<row r="${r + 1}">${cells.map((cell, c) => cellXml(cell, `${columnLetter(c)}${r + 1}`)).join('')}</row>`).join('')
    files[`xl/worksheets/sheet${i + 1}.xml`] = `${xml}<worksheet xmlns="${main}"><sheetData>${rows}</sheetData></worksheet>`
  }
  return makeZip(files)
}

function columnLetter(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : columnLetter(Math.floor(index / 26) - 1) + columnLetter(index % 26)
}

function cellXml(cell: Cell, address: string): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return `<c r="${address}"><v>${cell}</v></c>`
  if (typeof cell === 'boolean') return `<c r="${address}" t="b"><v>${cell ? 1 : 0}</v></c>`
  if (cell instanceof Date) return `<c r="${address}" s="1"><v>${cell.getTime() / 86_400_000 + 25569}</v></c>`
  return `<c r="${address}" t="inlineStr"><is><t xml:space="preserve">${cell.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</t></is></c>`
}

/** A ZIP archive without compression. `sizeClaim` lets the directory lie about the unpacked sizes. */
export function makeZip(files: Record<string, string>, sizeClaim?: number): Buffer {
  const bodies: Buffer[] = []
  const entries: Buffer[] = []
  let offset = 0
  for (const [path, text] of Object.entries(files)) {
    const name = Buffer.from(path)
    const content = Buffer.from(text)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(20, 4)
    local.writeUInt32LE(crc32(content), 14)
    local.writeUInt32LE(content.length, 18)
    local.writeUInt32LE(content.length, 22)
    local.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(20, 4)
    entry.writeUInt16LE(20, 6)
    entry.writeUInt32LE(crc32(content), 16)
    entry.writeUInt32LE(content.length, 20)
    entry.writeUInt32LE(sizeClaim ?? content.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    bodies.push(local, name, content)
    entries.push(entry, name)
    offset += local.length + name.length + content.length
  }
  const directory = Buffer.concat(entries)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(files).length, 8)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, directory, end])
}

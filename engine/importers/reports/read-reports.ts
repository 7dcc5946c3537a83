/** Texts of studies from report files: found by name or number, read, and put where a text of the table would stand. */
import { hash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { decode } from 'iconv-lite'
import type { ErrorCode } from '../../domain/errors.ts'
import type { Mapping, ReportFilesSource } from '../../domain/mapping.ts'
import type { AbsenceReason } from '../../domain/slots.ts'
import { mapInOrder } from '../concurrency.ts'
import { parseDicom } from '../dicom/parse.ts'
import { identityOf } from '../privacy/profile/header-identity.ts'
import type { IssueCollector } from '../issues.ts'
import type { GroupedStudy } from '../rows/group-rows.ts'
import { detectEncoding } from '../table/encoding.ts'
import { readPdfText } from './pdf-text.ts'
import { indexReports, type ReportIndex, type ReportKind } from './report-index.ts'
import { textOfStructuredReport } from './structured-report.ts'

/** Why a study has no text although a file was meant; the store keeps `detail`, so it names no file. */
export interface TextFault { reason: AbsenceReason; code: ErrorCode; detail: string }

/** What was read, beside the texts that now stand in `values` of the studies. */
export interface ReadReports {
  /** By study and slot index. */
  faults: Map<GroupedStudy, Map<number, TextFault>>
  /** Files that were used, relative to the source folder. */
  paths: Set<string>
  /** Names and numbers in the headers of DICOM reports, to be removed from the texts. */
  identities: Map<GroupedStudy, { names: string[]; ids: string[] }>
  /** Over the content of all files used, in their order; null when none was. */
  sha256: string | null
}

const filesInFlight = 8
const maxTextBytes = 4 * 1024 * 1024
const maxDicomBytes = 64 * 1024 * 1024
const namesReport = /\.(?:txt|text|pdf|dcm)$/i

interface Claim { study: GroupedStudy; slotIndex: number; path: string }
interface Content { text: string | null; problem: string; sha256: string; names: string[]; ids: string[] }

/**
 * Fills the text slots of a mapping that come from files. A file that fits several studies and a study that several files fit are told, never guessed.
 * @throws AppError IMPORT_FOLDER_*; an AbortError when cancelled
 */
export async function readReports(studies: readonly GroupedStudy[], mapping: Mapping, sourceDir: string, issues: IssueCollector, signal: AbortSignal): Promise<ReadReports> {
  const result: ReadReports = { faults: new Map(), paths: new Set(), identities: new Map(), sha256: null }
  const slots = mapping.slots.flatMap(({ slot, source }, slotIndex) => (source.kind === 'report-files' ? [{ slot, source, slotIndex }] : []))
  if (slots.length === 0) return result
  const index = await indexReports(sourceDir, true, signal)
  const fail = (study: GroupedStudy, slotIndex: number, fault: TextFault): void => {
    result.faults.set(study, (result.faults.get(study) ?? new Map<number, TextFault>()).set(slotIndex, fault))
  }
  const claims: Claim[] = []
  for (const { slotIndex, source, slot } of slots) {
    let unmatched = 0
    for (const study of studies) {
      const keys = keysOf(study.values[slotIndex] ?? null)
      study.values[slotIndex] = null
      const paths = matchStudy(keys, source, index)
      if (paths.length === 1) claims.push({ study, slotIndex, path: paths[0]! })
      else if (paths.length > 1) fail(study, slotIndex, { reason: 'file-missing', code: 'IMPORT_REPORT_AMBIGUOUS', detail: `${paths.length} report files fit this study.` })
      else if (keys.some((row) => row.some((cell) => namesReport.test(cell)))) fail(study, slotIndex, { reason: 'file-missing', code: 'IMPORT_REPORT_MISSING', detail: 'The report file that the table names is not in the folder.' })
      else unmatched++
    }
    if (unmatched > 0) issues.add('IMPORT_REPORT_NONE', 'note', null, `${unmatched} of ${studies.length} studies have no file for "${slot.title}".`, unmatched)
  }
  const byPath = Map.groupBy(claims, ({ path, slotIndex }) => `${slotIndex} ${path}`)
  const digests: string[] = []
  const read = mapInOrder([...byPath.values()], filesInFlight, async (claimed) => {
    signal.throwIfAborted()
    const { path } = claimed[0]!
    return { claimed, content: claimed.length > 1 ? null : await readReportFile(join(sourceDir, ...path.split('/')), index.kinds.get(path)!) }
  })
  for await (const { claimed, content } of read) {
    const [{ study, slotIndex, path }] = claimed as [Claim]
    result.paths.add(path)
    if (content === null) {
      for (const claim of claimed) fail(claim.study, slotIndex, { reason: 'file-missing', code: 'IMPORT_REPORT_AMBIGUOUS', detail: `One report file fits this study and ${claimed.length - 1} more.` })
      continue
    }
    digests.push(content.sha256)
    if (content.text === null) fail(study, slotIndex, { reason: 'unreadable', code: 'IMPORT_REPORT_UNREADABLE', detail: content.problem })
    else {
      study.values[slotIndex] = content.text
      const held = result.identities.get(study) ?? { names: [], ids: [] }
      result.identities.set(study, { names: [...held.names, ...content.names], ids: [...held.ids, ...content.ids] })
    }
  }
  const unused = index.kinds.size - result.paths.size
  if (unused > 0) issues.add('IMPORT_REPORT_UNUSED', 'note', null, `${unused} of ${index.kinds.size} report files in the folder belong to no study of the table.`, unused)
  if (digests.length > 0) result.sha256 = hash('sha256', digests.join('\n'))
  return result
}

/** The cells of each row of a study, as the reader of rows wrote them. */
function keysOf(value: string | null): string[][] {
  return value === null ? [] : value.split('\n').map((line) => JSON.parse(line) as string[])
}

/** The first column whose cells any file fits decides; later ones are for studies that it leaves without. */
function matchStudy(keys: readonly string[][], { columns, pattern }: ReportFilesSource, index: ReportIndex): string[] {
  for (const position of columns.keys()) {
    const cells = new Set(keys.map((row) => row[position] ?? '').filter((cell) => cell !== ''))
    const paths = new Set([...cells].flatMap((cell) => index.find(cell, pattern)))
    if (paths.size > 0) return [...paths]
  }
  return []
}

async function readReportFile(file: string, kind: ReportKind): Promise<Content> {
  const nothing = (problem: string, sha256 = ''): Content => ({ text: null, problem, sha256, names: [], ids: [] })
  const info = await stat(file).catch(() => null)
  if (info === null) return nothing('The report file disappeared while it was being read.')
  if (info.size === 0) return nothing('The report file is empty (0 bytes).')
  if (info.size > (kind === 'text' ? maxTextBytes : maxDicomBytes)) return nothing(`The report file has ${Math.round(info.size / 1e6)} MB, more than a report can have.`)
  const bytes = await readFile(file).catch(() => null)
  if (bytes === null) return nothing('The report file cannot be read.')
  const sha256 = hash('sha256', bytes)
  if (kind === 'text') {
    const text = decodeText(bytes)
    return text === null ? nothing('The report file holds no text.', sha256) : { text, problem: '', sha256, names: [], ids: [] }
  }
  if (kind === 'pdf') return fromPdf(new Uint8Array(bytes), sha256, { names: [], ids: [] })
  try {
    const { dataSet } = parseDicom(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
    const known = identityOf(dataSet)
    if (kind === 'dicom-pdf') {
      const document = dataSet.bytes('0042,0011')
      return document === null ? nothing('The DICOM file holds no document.', sha256) : await fromPdf(document.slice(), sha256, known)
    }
    const text = textOfStructuredReport(dataSet)
    return text === '' ? nothing('The structured report holds no text.', sha256) : { text, problem: '', sha256, ...known }
  } catch {
    return nothing('The DICOM report is damaged.', sha256)
  }
}

async function fromPdf(bytes: Uint8Array, sha256: string, known: { names: string[]; ids: string[] }): Promise<Content> {
  const reading = await readPdfText(bytes)
  return 'text' in reading ? { text: reading.text, problem: '', sha256, ...known } : { text: null, problem: reading.problem, sha256, names: [], ids: [] }
}

/** Text in whatever encoding, as tables are read; null when it is none. */
function decodeText(bytes: Buffer): string | null {
  let isValidUtf8 = true
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    isValidUtf8 = false
  }
  const encoding = detectEncoding({ isValidUtf8, sample: bytes.subarray(0, 256 * 1024) })
  if (encoding === null) return null
  const text = decode(bytes, encoding.name).replace(/\r\n?/g, '\n').replaceAll('\0', '').normalize('NFC').trim()
  return text === '' ? null : text
}

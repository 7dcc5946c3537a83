/** Report files below the source folder, found by their names and, for DICOM, by the numbers in their headers. */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { mapInOrder } from '../concurrency.ts'
import { isDicom, parseDicom } from '../dicom/parse.ts'
import { assertFolder, folderError } from '../file-errors.ts'
import { createFileIndex, foldName, type FileIndex } from '../images/file-index.ts'
import { createPatternFinder } from '../images/match-pattern.ts'
import { encapsulatedPdfClass, reportClassPrefix } from './structured-report.ts'

export type ReportKind = 'text' | 'pdf' | 'structured' | 'dicom-pdf'

export interface ReportIndex {
  kinds: ReadonlyMap<string, ReportKind>
  /** Paths of the files that a cell means under a pattern, each once. */
  find: (cell: string, pattern: string) => string[]
}

const plainKinds: Record<string, ReportKind> = { txt: 'text', text: 'text', pdf: 'pdf' }
const dicomExtensions = new Set(['dcm', 'dicom', 'dic', 'ima', ''])
/** The class of the object and the numbers of patient and study come first in every file. */
const headBytes = 16 * 1024
const filesInFlight = 16
const knownEnding = /\.(?:txt|text|pdf|dcm|dicom|dic|ima|jpe?g|jpe|jfif|png|tiff?|webp|gif|bmp)$/i

/** Of the folder that was read last: the wizard asks for the same files at every step. */
const cache: { folder: string; heads: Map<string, { size: number; modifiedMs: number; head: DicomHead | null }> } = { folder: '', heads: new Map() }
interface DicomHead { kind: ReportKind; numbers: string[] }

/**
 * Lists the report files of a folder; with `isDicomRead` the headers of DICOM files too.
 * @throws AppError IMPORT_FOLDER_*; an AbortError when cancelled
 */
export async function indexReports(sourceDir: string, isDicomRead: boolean, signal: AbortSignal): Promise<ReportIndex> {
  await assertFolder(sourceDir)
  if (cache.folder !== sourceDir) cache.heads.clear()
  cache.folder = sourceDir
  const kinds = new Map<string, ReportKind>()
  const byNumber = new Map<string, string[]>()
  const found = mapInOrder(await listCandidates(sourceDir, isDicomRead, signal), filesInFlight, async (path) => {
    signal.throwIfAborted()
    const plain = plainKinds[extensionOf(path)]
    return { path, head: plain === undefined ? await readHead(sourceDir, path) : { kind: plain, numbers: [] } }
  })
  for await (const { path, head } of found) {
    if (head === null) continue
    kinds.set(path, head.kind)
    for (const number of head.numbers) byNumber.set(foldName(number), [...byNumber.get(foldName(number)) ?? [], path])
  }
  const plain = createFileIndex([...kinds].flatMap(([path, kind]) => (kind === 'text' || kind === 'pdf' ? [path] : [])))
  // A DICOM report says itself whose it is: image "a/1.dcm" must not find report "sr/1.dcm". Only its own path counts as its name.
  const dicomPaths = new Map([...kinds].flatMap(([path, kind]) => (kind === 'text' || kind === 'pdf' ? [] : [[foldName(path), path] as const])))
  const ofDicom = (cell: string): string[] => {
    const path = dicomPaths.get(foldName(cell.replaceAll('\\', '/').replace(/^\.\//, '')))
    return path === undefined ? [] : [path]
  }
  return { kinds, find: (cell, pattern) => [...new Set([...findByName(cell, pattern, plain), ...(pattern === '{id}' ? [...ofDicom(cell), ...byNumber.get(foldName(cell)) ?? []] : [])])] }
}

function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : ''
  // A name without extension may end in the last number of a UID.
  return /^\d+$/.test(extension) ? '' : extension
}

async function listCandidates(sourceDir: string, isDicomRead: boolean, signal: AbortSignal): Promise<string[]> {
  const paths: string[] = []
  const folders = ['']
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    signal.throwIfAborted()
    const entries = await readdir(join(sourceDir, folder), { withFileTypes: true }).catch((error: unknown) => {
      // Subfolders that cannot be read are told by the search for images.
      if (folder === '') throw folderError(error)
      return []
    })
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && (extensionOf(path) in plainKinds || (isDicomRead && dicomExtensions.has(extensionOf(path))))) paths.push(path)
    }
  }
  return paths.sort()
}

/** Null for a DICOM file that is no report, and for what is no DICOM file. */
async function readHead(sourceDir: string, path: string): Promise<DicomHead | null> {
  const file = join(sourceDir, ...path.split('/'))
  const info = await stat(file).catch(() => null)
  if (info === null) return null
  const known = cache.heads.get(path)
  if (known && known.size === info.size && known.modifiedMs === info.mtimeMs) return known.head
  const head = await parseHead(file)
  cache.heads.set(path, { size: info.size, modifiedMs: info.mtimeMs, head })
  return head
}

async function parseHead(file: string): Promise<DicomHead | null> {
  const handle = await open(file, 'r').catch(() => null)
  if (handle === null) return null
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead)
    if (!isDicom(bytes)) return null
    const { dataSet } = parseDicom(bytes)
    const objectClass = dataSet.text('0008,0016') ?? ''
    const kind = objectClass.startsWith(reportClassPrefix) ? 'structured' : objectClass === encapsulatedPdfClass ? 'dicom-pdf' : null
    // Study, accession number, patient: whichever of them the table names.
    return kind === null ? null : { kind, numbers: ['0020,000d', '0008,0050', '0010,0020'].flatMap((tag) => dataSet.text(tag) ?? []) }
  } catch {
    // What cannot be read as a header is no report that could be found by one.
    return null
  } finally {
    await handle.close()
  }
}

/** By path or name as it stands, else by the name without its ending, put into the pattern. */
function findByName(cell: string, pattern: string, files: FileIndex): string[] {
  const name = cell.normalize('NFC').replaceAll('\\', '/')
  const stem = name.slice(name.lastIndexOf('/') + 1).replace(knownEnding, '')
  if (stem === '') return []
  if (pattern.includes('*')) return allOf(files, (index) => createPatternFinder(pattern, index, [stem])(stem))
  const asWritten = pattern === '{id}' ? allOf(files, (index) => index.find(cell)) : []
  return asWritten.length > 0 ? asWritten : allOf(files, (index) => index.find(pattern.replaceAll('{id}', stem)))
}

/** Every file that fits: a match that is not clear is taken apart until it is, so that the count told is the true one. */
function allOf(files: FileIndex, find: (index: FileIndex) => ReturnType<FileIndex['find']>): string[] {
  const match = find(files)
  if (match.kind === 'none') return []
  if (match.kind === 'found') return [match.path]
  return files.paths.filter((path) => find(createFileIndex([path])).kind === 'found')
}

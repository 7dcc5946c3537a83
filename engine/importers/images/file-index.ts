import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDicom } from '../dicom/parse.ts'
import { assertFolder, folderError } from '../file-errors.ts'
import type { IssueCollector } from '../issues.ts'

const imageExtensions = new Set(['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'tif', 'tiff', 'webp', 'gif', 'bmp', 'dcm', 'dicom', 'dic', 'ima'])
/** Enough to tell a DICOM file: the preamble, the magic word and the first elements. */
const sniffedBytes = 512

/** Where a name leads: one file, none, or several that it fits equally well. */
export type FileMatch = { kind: 'found'; path: string } | { kind: 'none' } | { kind: 'ambiguous'; count: number }

/** All image files below a folder, found by the names that tables give them. Paths are relative to the folder with "/" between. */
export interface FileIndex {
  paths: readonly string[]
  /** The file that a cell means: by path or name, letter case and dead leading folders ignored, extension optional. */
  find: (cell: string) => FileMatch
}

/**
 * Lists the image files below `sourceDir` with all subfolders, hidden ones left out. Links to files count, links to folders do
 * not, since they can run in circles. Subfolders that cannot be read become issues.
 * @throws AppError IMPORT_FOLDER_MISSING, IMPORT_FOLDER_UNREADABLE or IMPORT_FILE_FAILED; an AbortError when cancelled
 */
export async function indexFiles(sourceDir: string, issues: IssueCollector, signal: AbortSignal, onProgress?: (fileCount: number) => void): Promise<FileIndex> {
  await assertFolder(sourceDir)
  const paths: string[] = []
  const folders = ['']
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    signal.throwIfAborted()
    const entries = await readdir(join(sourceDir, folder), { withFileTypes: true }).catch((error: unknown) => {
      const failure = folderError(error)
      if (folder === '' || failure.code !== 'IMPORT_FOLDER_UNREADABLE') throw failure
      issues.add('IMPORT_FOLDER_UNREADABLE', 'marks-missing', null, 'A subfolder may not be read by this user; its images count as missing.')
      return []
    })
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) folders.push(path)
      else if ((entry.isFile() || (entry.isSymbolicLink() && await isLinkedFile(join(sourceDir, path)))) && await isImageFile(sourceDir, path)) paths.push(path)
    }
    onProgress?.(paths.length)
  }
  // The order in which a file system lists its entries differs between machines.
  paths.sort()
  return createFileIndex(paths)
}

/** By extension; DICOM files often have none, or end in the last number of their UID, and are told by their content. */
async function isImageFile(sourceDir: string, path: string): Promise<boolean> {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : ''
  if (imageExtensions.has(extension)) return true
  return /^\d*$/.test(extension) && name.toUpperCase() !== 'DICOMDIR' && await startsLikeDicom(join(sourceDir, path))
}

async function startsLikeDicom(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => null)
  if (handle === null) return false
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sniffedBytes), 0, sniffedBytes, 0)
    return isDicom(buffer.subarray(0, bytesRead))
  } catch {
    // A file that cannot be read is no image of this folder; one that a table names turns up as missing.
    return false
  } finally {
    await handle.close()
  }
}

async function isLinkedFile(path: string): Promise<boolean> {
  return stat(path).then((info) => info.isFile(), () => false)
}

/** Name as it is compared: NFC (macOS writes NFD), lower case. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

/** An index over known relative paths. */
export function createFileIndex(paths: readonly string[]): FileIndex {
  const byName = new Map<string, string[]>()
  const byStem = new Map<string, string[]>()
  for (const path of paths) {
    const name = foldName(path.slice(path.lastIndexOf('/') + 1))
    append(byName, name, path)
    if (name.includes('.')) append(byStem, name.slice(0, name.lastIndexOf('.')), path)
  }
  const find = (cell: string): FileMatch => {
    const wanted = cell.normalize('NFC').replaceAll('\\', '/').split('/').filter((part) => part !== '' && part !== '.')
    const name = foldName(wanted.at(-1) ?? '')
    const candidates = byName.get(name) ?? byStem.get(name)
    if (!candidates) return { kind: 'none' }
    return chooseByFolders(candidates, wanted)
  }
  return { paths, find }
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const held = map.get(key)
  if (held) held.push(value)
  else map.set(key, [value])
}

/** Among files of one name: the one that shares most trailing folders with the wanted path, then the one of the same letter case. */
function chooseByFolders(candidates: readonly string[], wanted: readonly string[]): FileMatch {
  if (candidates.length === 1) return { kind: 'found', path: candidates[0]! }
  const scored = candidates.map((path) => {
    const parts = path.normalize('NFC').split('/')
    let shared = 1
    while (shared < parts.length && shared < wanted.length && foldName(parts.at(-1 - shared)!) === foldName(wanted.at(-1 - shared)!)) shared++
    // A path without folders means the file in the chosen folder itself before one of the same name in a subfolder.
    const isWhole = shared === parts.length || (parts.length === shared + 1 && foldName(parts[0]!) === 'images')
    const isSameCase = parts.at(-1) === wanted.at(-1)
    return { path, score: shared * 8 + (isSameCase ? 4 : 0) + (isWhole ? (parts.length === shared ? 2 : 1) : 0) }
  })
  const top = Math.max(...scored.map(({ score }) => score))
  const best = scored.filter(({ score }) => score === top)
  return best.length === 1 ? { kind: 'found', path: best[0]!.path } : { kind: 'ambiguous', count: best.length }
}

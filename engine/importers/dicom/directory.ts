/** The DICOMDIR of a medium: which files its writer put on it. PS3.3 annex F, PS3.10 section 8. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import { parseDicom } from './parse.ts'

/** A directory has some hundred bytes for each file; what is far larger is none. */
const maxDirectoryBytes = 256 * 1024 * 1024
/** A medium may lie in a folder of the delivery, or in one below. */
const maxDepth = 2
const names = ['DICOMDIR', 'dicomdir']

/** Paths of the files that a directory names, with "/" between, as written there; each once. None when it cannot be read. */
export function readDirectory(bytes: Uint8Array): string[] {
  try {
    const records = parseDicom(bytes).dataSet.items('0004,1220')
    const named = records.map((record) => record.texts('0004,1500').filter((part) => part !== '').join('/'))
    return [...new Set(named.filter((path) => path !== ''))]
  } catch (error) {
    if (error instanceof AppError) return []
    throw error
  }
}

/**
 * How many files the directories of a folder name, and how many of these are not among `paths`, its image files. Letter case, a
 * version number (";1") and a final point are ignored, since copying from discs changes them.
 */
export async function checkDirectories(folder: string, paths: readonly string[]): Promise<{ listed: number; missing: number }> {
  const plain = (path: string): string => path.toLowerCase().replace(/\.?(;\d+)?$/, '')
  const present = new Set(paths.map(plain))
  const bases = new Set(paths.flatMap((path) => Array.from({ length: maxDepth + 1 }, (_, depth) => path.split('/').slice(0, -1).slice(0, depth).join('/'))))
  const totals = { listed: 0, missing: 0 }
  for (const base of bases) {
    const named = await readIn(join(folder, ...base.split('/')))
    totals.listed += named.length
    totals.missing += named.filter((one) => !present.has(plain(base === '' ? one : `${base}/${one}`))).length
  }
  return totals
}

async function readIn(folder: string): Promise<string[]> {
  for (const name of names) {
    const file = join(folder, name)
    const info = await stat(file).catch(() => null)
    if (info !== null && info.isFile() && info.size <= maxDirectoryBytes) return readDirectory(await readFile(file))
  }
  return []
}

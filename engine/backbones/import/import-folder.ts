/**
 * Adds a backbone: looks at the headers first, copies the files with their hashes into a folder of the app, opens the copy as a run would, and
 * computes once. Only a copy that works gets its final name, so a half-copied one can never be taken for a backbone.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Compute } from '../../compute/backend.ts'
import type { BackboneFileRecord, ImportedBackbone } from '../../domain/backbones.ts'
import { AppError } from '../../domain/errors.ts'
import { elementCount } from '../files/tensor-file.ts'
import { describeFolder } from './architecture.ts'
import { contentHashOf, copyHashed, listSourceFiles, type SourceFiles } from './kept-files.ts'
import { loadImported, type LoadOptions } from './load-imported.ts'
import { readModelCard } from './model-card.ts'
import { openWeights } from './open-weights.ts'

/** How the folder of an unfinished copy begins; what a crash leaves is swept away before the next import. */
export const PART_PREFIX = 'part-'

export interface ImportFolderOptions {
  from: string
  /** Where every backbone has its folder. */
  backbonesDir: string
  /** Ids that are there already. */
  knownIds: readonly string[]
  usualTokenizer: LoadOptions['usualTokenizer']
  openCompute: () => Promise<Compute>
  signal: AbortSignal
  onProgress: (stage: string, doneBytes: number, totalBytes: number | null) => void
}

/** Throws BACKBONE_ALREADY_ADDED, BACKBONE_*, WEIGHTS_*, TOKENIZER_INVALID or STORE_DISK_FULL; nothing is left behind then, nor after an abort. */
export async function importFolder(options: ImportFolderOptions): Promise<ImportedBackbone> {
  const { backbonesDir, signal, onProgress } = options
  onProgress('Looking at the files', 0, null)
  const source = listSourceFiles(options.from)
  refuseUnreadable(source)
  const totalBytes = source.files.reduce((sum, { byteSize }) => sum + byteSize, 0)
  mkdirSync(backbonesDir, { recursive: true })
  const disk = statfsSync(backbonesDir)
  if (disk.bavail * disk.bsize < totalBytes) throw new AppError('STORE_DISK_FULL', `The copy needs ${totalBytes} bytes; ${disk.bavail * disk.bsize} are free.`)
  const part = mkdtempSync(join(backbonesDir, PART_PREFIX))
  try {
    const files: BackboneFileRecord[] = []
    let done = 0
    for (const { name } of source.files) {
      files.push(await copyHashed(join(source.dir, name), join(part, name), signal, (count) => onProgress('Copying and hashing', done += count, totalBytes)))
    }
    onProgress('Opening the copy', 0, null)
    const found = await describeCopy(part, files, options)
    signal.throwIfAborted()
    const place = join(backbonesDir, found.backboneId)
    // A folder that no record knows is what a crash between renaming and recording left: the verified copy takes its place.
    if (existsSync(place)) rmSync(place, { recursive: true })
    renameSync(part, place)
    return found
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

/** Reads the headers where they lie, so that a wrong folder is refused before gigabytes are copied. */
function refuseUnreadable({ dir, files }: SourceFiles): void {
  const names = files.map(({ name }) => name)
  const weights = openWeights(dir, names)
  try {
    describeFolder(dir, names, weights)
  } finally {
    weights.close()
  }
}

async function describeCopy(dir: string, files: BackboneFileRecord[], options: ImportFolderOptions): Promise<ImportedBackbone> {
  const hash = contentHashOf(files)
  const names = files.map(({ name }) => name)
  const weights = openWeights(dir, names)
  const entries = [...weights.entries.values()]
  weights.close()
  const used = new Set<string>()
  const compute = await options.openCompute()
  const model = loadImported(compute, { id: 'copy', hash, dir, names }, { usualTokenizer: options.usualTokenizer, onRead: (name) => used.add(name) })
  const { description, backbone, notes } = model
  const backboneId = `${description.architecture}-${hash.slice(0, 12)}`
  try {
    if (options.knownIds.includes(backboneId)) throw new AppError('BACKBONE_ALREADY_ADDED', `These files are already there as ${backboneId}.`)
    for (const kind of ['text', 'image'] as const) {
      if (backbone.describedWidth(kind) === 0 || (kind === 'text' && description.reads === 'image') || (kind === 'image' && description.reads === 'text')) continue
      // A description has unit length; overflow on the way shows as NaN or as nothing at all.
      const length = Math.hypot(...backbone.describePart(backbone.dummyPart(kind, 0, 0)))
      if (!(Math.abs(length - 1) < 1e-2)) throw new AppError('WEIGHTS_NOT_FINITE', `The model answers an empty ${kind} with values that are not finite numbers.`)
    }
    const tensors = entries.map(({ name, storedType, shape }) => ({ name, storedType, shape: [...shape], count: elementCount(shape), isUsed: used.has(name) }))
    const read = (name: string) => (names.includes(name) ? readFileSync(join(dir, name), 'utf8') : '')
    return {
      backboneId, contentHash: hash, files, notes,
      architecture: description.architecture, reads: description.reads, sizes: description.sizes,
      parameterCount: tensors.reduce((sum, { count, isUsed }) => sum + (isUsed ? count : 0), 0),
      tensors,
      ...readModelCard(read('README.md'), description.config),
    }
  } finally {
    backbone.dispose()
  }
}

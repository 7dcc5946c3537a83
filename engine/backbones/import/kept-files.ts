/** Which files of a folder make a backbone, copying them with their hashes, and finding out whether they are still the same. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BackboneCheck, BackboneFileRecord } from '../../domain/backbones.ts'
import { AppError } from '../../domain/errors.ts'
import { weightsFilesAmong } from './open-weights.ts'

export interface SourceFiles {
  dir: string
  files: { name: string; byteSize: number }[]
}

/** Beside the weights: settings, tokeniser, model card, licence. Everything else of a folder (training states, other formats) is left behind. */
const keptNames = /^(config|tokenizer|tokenizer_config|special_tokens_map|preprocessor_config|vocab)\.json$|^(vocab|merges)\.txt$|^README\.md$|^LICEN[CS]E(\.\w+)?$/i
const weightsName = /\.(safetensors|bin|ckpt|pt|pth|index\.json)$/
/** The largest published tokeniser of these families has about 5 MB. */
const SETTINGS_LIMIT_BYTES = 16 * 1024 * 1024

/** The files to keep of a folder, or of a single weights file with what lies beside it. Throws BACKBONE_FOLDER_INCOMPLETE. */
export function listSourceFiles(from: string): SourceFiles {
  const stat = statSync(from, { throwIfNoEntry: false })
  if (stat === undefined) throw new AppError('BACKBONE_FOLDER_INCOMPLETE', `There is nothing at ${from}.`)
  const dir = stat.isDirectory() ? from : dirname(from)
  const present = readdirSync(dir).flatMap((name) => {
    const byteSize = sizeOfFile(join(dir, name))
    return byteSize === null ? [] : [{ name, byteSize }]
  })
  const beside = present.filter(({ name }) => keptNames.test(name))
  for (const { name } of beside) refuseForeignLink(dir, name)
  for (const { name, byteSize } of [...beside, ...present.filter((one) => one.name.endsWith('.index.json'))]) {
    if (byteSize > SETTINGS_LIMIT_BYTES) throw new AppError('WEIGHTS_CLAIM_TOO_LARGE', `${name} has ${byteSize} bytes, too many for a file of settings.`)
  }
  const candidates = stat.isDirectory() ? present.filter(({ name }) => weightsName.test(name)) : present.filter(({ name }) => name === basename(from))
  const weights = weightsFilesAmong(candidates.map(({ name }) => name), (name) => readFileSync(join(dir, name), 'utf8'))
  return { dir, files: [...beside, ...candidates.filter(({ name }) => weights.includes(name))].sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

/** Null for anything but a file. Folders of the Hugging Face cache hold links: what they point to is what counts. */
function sizeOfFile(path: string): number | null {
  try {
    const entry = statSync(path)
    return entry.isFile() ? entry.size : null
  } catch {
    return null // a link to nothing, to itself, or to a place that may not be looked at
  }
}

/**
 * A readable file of a folder from elsewhere could be a link to any file of this computer, whose content would then be kept and shown as the
 * model's. Allowed are the folder itself and the `blobs` two levels above a snapshot of the Hugging Face cache; weights are held by their format.
 */
function refuseForeignLink(dir: string, name: string): void {
  const place = dirname(realpathSync(join(dir, name)))
  const home = realpathSync(dir)
  const isInside = place === home || place.startsWith(home + sep)
  if (!isInside && place !== join(home, '..', '..', 'blobs')) throw new AppError('BACKBONE_FOLDER_INCOMPLETE', `${name} is a link to a file outside its folder; put the file itself there.`)
}

/** Copies one file and hashes what is written on the way. Throws STORE_DISK_FULL; a copy of another length than the source is refused. */
export async function copyHashed(from: string, to: string, signal: AbortSignal, onBytes: (count: number) => void): Promise<BackboneFileRecord> {
  const hash = createHash('sha256')
  let byteSize = 0
  const meter = new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      hash.update(piece)
      byteSize += piece.length
      onBytes(piece.length)
      done(null, piece)
    },
  })
  try {
    await pipeline(createReadStream(from, { highWaterMark: 1 << 20 }), meter, createWriteStream(to, { flags: 'wx', flush: true }), { signal })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw new AppError('STORE_DISK_FULL', `There is no room for ${basename(from)}.`, { cause: error })
    throw error
  }
  if (statSync(to).size !== byteSize) throw new AppError('WEIGHTS_FILE_INVALID', `The copy of ${basename(from)} is not complete.`)
  return { name: basename(to), byteSize, sha256: hash.digest('hex') }
}

/** SHA-256 over the names and hashes of all files: the identity of a backbone. */
export function contentHashOf(files: readonly BackboneFileRecord[]): string {
  const hash = createHash('sha256')
  for (const { name, sha256 } of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) hash.update(`${name}\t${sha256}\n`)
  return hash.digest('hex')
}

/** Hashes every file now and compares; sizes come first, so that a half-copied file is told without reading it. */
export async function checkFiles(dir: string, files: readonly BackboneFileRecord[], signal: AbortSignal, onBytes: (count: number) => void = () => {}): Promise<BackboneCheck['files']> {
  const found: BackboneCheck['files'] = []
  for (const { name, byteSize, sha256 } of files) {
    const size = statSync(join(dir, name), { throwIfNoEntry: false })?.size
    if (size === undefined) found.push({ name, state: 'missing', detail: `${name} is not there` })
    else if (size < byteSize) found.push({ name, state: 'cut-short', detail: `${name} has ${size} of its ${byteSize} bytes` })
    else if (size > byteSize) found.push({ name, state: 'changed', detail: `${name} has ${size} bytes where ${byteSize} are recorded` })
    else {
      const hash = createHash('sha256')
      await pipeline(createReadStream(join(dir, name), { highWaterMark: 1 << 20 }), async (pieces: AsyncIterable<Buffer>) => {
        for await (const piece of pieces) {
          hash.update(piece)
          onBytes(piece.length)
        }
      }, { signal })
      const isSame = hash.digest('hex') === sha256
      found.push({ name, state: isSame ? 'intact' : 'changed', detail: isSame ? '' : `${name} is not the file that was added` })
    }
  }
  return found
}

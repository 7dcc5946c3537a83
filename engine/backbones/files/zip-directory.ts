/** The directory of a zip archive whose entries are stored as they are; entries that claim more than the file holds are refused before anything is read. */
import { AppError } from '../../domain/errors.ts'
import { type RangedFile, invalidWeights } from './tensor-file.ts'

export interface ZipEntry {
  name: string
  begin: number
  length: number
}

const END_LENGTH = 22
const COMMENT_LIMIT = 0xffff
const LOCATOR_LENGTH = 20
const CENTRAL_LENGTH = 46
const LOCAL_LENGTH = 30
/** Each tensor takes about a hundred bytes of it. */
const DIRECTORY_LIMIT_BYTES = 8 * 1024 * 1024
const WIDE = 0xffffffff

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Entries by name; throws WEIGHTS_FILE_INVALID when the archive is damaged or compressed, WEIGHTS_CLAIM_TOO_LARGE when an entry claims too much. */
export function readZipDirectory(file: RangedFile): Map<string, ZipEntry> {
  const { count, begin, length } = findDirectory(file)
  if (length > DIRECTORY_LIMIT_BYTES) throw new AppError('WEIGHTS_CLAIM_TOO_LARGE', `The directory of ${file.path} claims ${length} bytes.`)
  const bytes = file.read(begin, length)
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < count; i++) {
    const { entry, end } = readEntry(file, bytes, at)
    if (entries.has(entry.name)) throw invalidWeights(file.path, `it holds "${entry.name}" twice`)
    entries.set(entry.name, entry)
    at = end
  }
  const ordered = [...entries.values()].filter((entry) => entry.length > 0).sort((a, b) => a.begin - b.begin)
  for (let i = 1; i < ordered.length; i++) {
    const previous = ordered[i - 1]!
    if (ordered[i]!.begin < previous.begin + previous.length) throw invalidWeights(file.path, `"${previous.name}" and "${ordered[i]!.name}" overlap`)
  }
  return entries
}

function findDirectory(file: RangedFile): { count: number; begin: number; length: number } {
  const tailBegin = Math.max(file.size - END_LENGTH - COMMENT_LIMIT, 0)
  const tail = viewOf(file.read(tailBegin, file.size - tailBegin))
  let at = tail.byteLength - END_LENGTH
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--
  if (at < 0) throw invalidWeights(file.path, 'the end of its archive is missing, so it was probably cut short')
  const narrow = { count: tail.getUint16(at + 10, true), length: tail.getUint32(at + 12, true), begin: tail.getUint32(at + 16, true) }
  const locator = tailBegin + at - LOCATOR_LENGTH
  if (locator < 0) return narrow
  const pointer = viewOf(file.read(locator, LOCATOR_LENGTH))
  if (pointer.getUint32(0, true) !== 0x07064b50) return narrow
  const wide = viewOf(file.read(Number(pointer.getBigUint64(8, true)), 56))
  if (wide.getUint32(0, true) !== 0x06064b50) throw invalidWeights(file.path, 'the end of its archive is damaged')
  return { count: Number(wide.getBigUint64(32, true)), length: Number(wide.getBigUint64(40, true)), begin: Number(wide.getBigUint64(48, true)) }
}

function readEntry(file: RangedFile, directory: Uint8Array, at: number): { entry: ZipEntry; end: number } {
  const view = viewOf(directory)
  if (at + CENTRAL_LENGTH > directory.length || view.getUint32(at, true) !== 0x02014b50) throw invalidWeights(file.path, 'its directory is damaged')
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [number, number, number]
  const end = at + CENTRAL_LENGTH + nameLength + extraLength + commentLength
  if (end > directory.length) throw invalidWeights(file.path, 'its directory is damaged')
  const name = new TextDecoder().decode(directory.subarray(at + CENTRAL_LENGTH, at + CENTRAL_LENGTH + nameLength))
  const extra = directory.subarray(at + CENTRAL_LENGTH + nameLength, at + CENTRAL_LENGTH + nameLength + extraLength)
  const [length, packed, local] = widen(extra, [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)])
  if (/^[^/]+\/code\//.test(name)) throw new AppError('WEIGHTS_PICKLE_REFUSED', `${file.path} is a compiled TorchScript program, not a file of tensors.`)
  if (length > file.size) throw new AppError('WEIGHTS_CLAIM_TOO_LARGE', `"${name.slice(0, 100)}" in ${file.path} claims ${length} bytes; the whole file has ${file.size}.`)
  if ((flags & 1) !== 0 || method !== 0 || packed !== length) throw invalidWeights(file.path, `"${name}" is compressed or encrypted, which PyTorch never does`)
  const head = viewOf(file.read(local, LOCAL_LENGTH))
  if (head.getUint32(0, true) !== 0x04034b50) throw invalidWeights(file.path, `"${name}" does not begin where the directory says`)
  const begin = local + LOCAL_LENGTH + head.getUint16(26, true) + head.getUint16(28, true)
  if (begin + length > file.size) throw invalidWeights(file.path, `"${name}" is cut short`)
  return { entry: { name, begin, length }, end }
}

/** Sizes and offset from the zip64 field, which lists only those that did not fit into 32 bits. */
function widen(extra: Uint8Array, values: [number, number, number]): [number, number, number] {
  const view = viewOf(extra)
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue
    let place = at + 4
    return values.map((value) => {
      if (value !== WIDE || place + 8 > extra.length) return value
      place += 8
      return Number(view.getBigUint64(place - 8, true))
    }) as [number, number, number]
  }
  return values
}

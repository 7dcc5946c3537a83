import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'

/** Looks for values in every byte below some folders, in every writing in which a program might have kept them. */

export interface Needle { value: string; source: string }
/** `form` is what was found of the value: the whole of it, a part of a name, a date in another order. */
export interface Hit { file: string; value: string; form: string; source: string; how: string }

/** Files that hold numbers only (weights, prepared inputs, pictures): by chance any four letters stand in some of their millions of bytes. */
const numbersOnly = /\.(safetensors|jpe?g|png|bin|f16|f32|node|wasm|pak|dat)$|[\\/](prepared|Cache|GPUCache|DawnWebGPUCache|DawnGraphiteCache|Code Cache|ShaderCache|GrShaderCache)[\\/]/
const leastInNumbers = 8
const leastLength = 4

/** Every file below the folders; sockets and locks that cannot be read are left out and named. */
export function filesBelow(folders: readonly string[]): { files: string[]; unreadable: string[] } {
  const files: string[] = []
  const unreadable: string[] = []
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      if (entry.isFile()) files.push(file)
      else if (!entry.isDirectory() && !entry.isSymbolicLink()) unreadable.push(file)
    }
  }
  return { files, unreadable }
}

const lowered = (bytes: Buffer): Buffer => {
  const low = Buffer.from(bytes)
  for (let i = 0; i < low.length; i++) if (low[i]! >= 65 && low[i]! <= 90) low[i] = low[i]! + 32
  return low
}

const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** A value as it may be written: a date in other orders, a DICOM name by its parts and turned round. */
export function writingsOf(value: string): string[] {
  const forms = new Set([value])
  const date = /^(\d{4})(\d{2})(\d{2})$/.exec(value)
  if (date) {
    const [y, m, d] = [date[1]!, date[2]!, date[3]!]
    const month = monthNames[Number(m) - 1] ?? m
    for (const form of [`${y}-${m}-${d}`, `${d}/${m}/${y}`, `${m}/${d}/${y}`, `${d}.${m}.${y}`, `${y}/${m}/${d}`, `${month} ${Number(d)}, ${y}`, `${Number(d)} ${month} ${y}`]) forms.add(form)
  }
  if (value.includes('^')) {
    const parts = value.split(/[\^= ]+/).filter((part) => part.length >= leastLength)
    for (const part of parts) forms.add(part)
    forms.add(value.replaceAll('^', ' ').trim())
    const [f, g] = value.split('^')
    if (f && g) forms.add(`${g} ${f}`)
  }
  return [...forms].filter((form) => form.length >= leastLength)
}

interface Pattern { bytes: Buffer; needle: Needle; form: string; how: string; isFolded: boolean }

function patternsOf(needle: Needle): Pattern[] {
  return writingsOf(needle.value).flatMap((form): Pattern[] => {
    const encoded: [string, Buffer][] = [['UTF-8', Buffer.from(form, 'utf8')], ['UTF-16LE', Buffer.from(form, 'utf16le')], ['Latin-1', Buffer.from(form, 'latin1')]]
    // The inner part of a base64 text, at each of the three places where a value can start in it.
    const base64 = [0, 1, 2].map((shift): [string, Buffer] => {
      const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(form, 'utf8')]).toString('base64').replace(/=+$/, '')
      return ['base64', Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -1), 'latin1')]
    })
    return [
      ...encoded.map(([how, bytes]) => ({ bytes: lowered(bytes), needle, form, how, isFolded: true })),
      ...base64.filter(([, bytes]) => bytes.length >= leastInNumbers).map(([how, bytes]) => ({ bytes, needle, form, how, isFolded: false })),
    ]
  })
}

/** A table by the first four bytes, behind a bit map that turns nearly every position away at once. */
function createFinder(patterns: readonly Pattern[]) {
  const byStart = new Map<number, Pattern[]>()
  const map = new Uint8Array(1 << 21)
  const keyAt = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at)
  const slot = (key: number): number => Math.imul(key, 2654435761) >>> 8
  for (const pattern of patterns) {
    const key = keyAt(pattern.bytes, 0)
    const list = byStart.get(key)
    if (list) list.push(pattern)
    else byStart.set(key, [pattern])
    map[slot(key) >>> 3]! |= 1 << (slot(key) & 7)
  }
  return (bytes: Buffer, isNumbers: boolean, report: (pattern: Pattern) => void): void => {
    let key = bytes.length >= 4 ? keyAt(bytes, 0) : 0
    for (let at = 0; at + 4 <= bytes.length; at++) {
      if (at > 0) key = ((key >>> 8) | (bytes[at + 3]! << 24)) >>> 0
      const place = slot(key)
      if ((map[place >>> 3]! & (1 << (place & 7))) === 0) continue
      for (const pattern of byStart.get(key) ?? []) {
        const { length } = pattern.bytes
        if (isNumbers && length < leastInNumbers) continue
        if (at + length <= bytes.length && bytes.subarray(at, at + length).equals(pattern.bytes) && standsAlone(bytes, at, pattern)) report(pattern)
      }
    }
  }
}

/** "Rowe" in "arrowed" is no name: a value counts where no further letter or digit stands on both sides of it, as for words. Base64 has no words. */
function standsAlone(bytes: Buffer, at: number, { bytes: { length }, how }: Pattern): boolean {
  if (how === 'base64') return true
  const isWord = (value: number | undefined): boolean => value !== undefined && ((value >= 48 && value <= 57) || (value >= 97 && value <= 122) || (value >= 65 && value <= 90))
  const step = how === 'UTF-16LE' ? 2 : 1
  if (length / step >= leastInNumbers) return true
  return !isWord(bytes[at - step]) && !isWord(bytes[at + length])
}

/** What a file may hold inside: gzip, zlib and zip members, and the compressed data of PNG pictures. */
function membersOf(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  const attempt = (work: () => Buffer): void => {
    try {
      found.push(work())
    } catch {
      // The bytes only looked like a compressed member.
    }
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) attempt(() => gunzipSync(bytes))
  if (bytes[0] === 0x78 && [0x01, 0x9c, 0xda].includes(bytes[1] ?? 0)) attempt(() => inflateSync(bytes))
  for (let at = bytes.indexOf('PK\u0003\u0004', 0, 'latin1'); at >= 0 && at + 30 < bytes.length; at = bytes.indexOf('PK\u0003\u0004', at + 4, 'latin1')) {
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)
    if (bytes.readUInt16LE(at + 8) === 8) attempt(() => inflateRawSync(bytes.subarray(start), { finishFlush: 2 }))
  }
  return found
}

/** Searches the folders for every needle of four characters or more; each hit once for a file. */
export function searchBytes(folders: readonly string[], needles: readonly Needle[]): { hits: Hit[]; fileCount: number; byteCount: number } {
  const patterns = needles.filter(({ value }) => value.length >= leastLength).flatMap(patternsOf).filter(({ bytes }) => bytes.length >= leastLength)
  const findFolded = createFinder(patterns.filter(({ isFolded }) => isFolded))
  const findExact = createFinder(patterns.filter(({ isFolded }) => !isFolded))
  const hits = new Map<string, Hit>()
  let byteCount = 0
  const { files } = filesBelow(folders)
  for (const file of files) {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) continue
    const content = readFileSync(file)
    byteCount += content.length
    const name = relative(folders[0]!, file)
    const report = ({ needle, form, how }: Pattern): void => {
      hits.set(`${name} ${needle.value} ${form}`, { file: name, value: needle.value, form, source: needle.source, how })
    }
    for (const bytes of [content, ...membersOf(content)]) {
      findFolded(lowered(bytes), numbersOnly.test(file), report)
      findExact(bytes, numbersOnly.test(file), report)
    }
    // A file's own name is on disk too.
    findFolded(lowered(Buffer.from(` ${name} `)), false, report)
  }
  return { hits: [...hits.values()], fileCount: files.length, byteCount }
}

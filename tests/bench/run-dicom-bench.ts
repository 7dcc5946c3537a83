import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { mapInOrder } from '../../engine/importers/concurrency.ts'
import { decodeImage } from '../../engine/modalities/image-decode.ts'
import { letterboxForResnet, letterboxReduction } from '../../engine/modalities/image-letterbox.ts'
import { encode, imageElements, syntaxes, toBytes, writeDicom, type Elements, type Encoder, type Shape } from '../unit/importers/dicom/make-dicom.ts'

/**
 * Entry of `npm run bench:dicom [-- COUNT]`: synthetic 12-bit chest-sized DICOM images from disk to prepared inputs as a run
 * prepares them (read, hash, decode, window, resize to 224), beside pydicom + Pillow doing the same where Python (LACUNA_PEER_PYTHON)
 * has them. Distinct files are few and read in turn, so that the disk's cache holds them for both sides. Processor time is what
 * counts on a machine that does other things; two idle cores give 2000 / ms images a second.
 */

const imageCount = Number(process.argv[2] ?? 1000)
/** Compressed images take several times as long; a tenth of them is told apart as well. */
const compressedCount = Math.max(8, Math.ceil(imageCount / 10))
const distinctCount = 8
const side = 2048
const cores = availableParallelism()
const inFlight = 2 + cores
const python = process.env['LACUNA_PEER_PYTHON'] ?? 'python3'
const shape: Shape = { rows: side, columns: side, bits: 12, photometric: 'MONOCHROME1' }
const header: Elements = { ...imageElements(shape), '0028,1050': ['DS', '2048'], '0028,1051': ['DS', '3000'] }

const kinds: { name: string; count: number; distinct: number; encoder: Encoder | null; syntax: string }[] = [
  { name: 'uncompressed', count: imageCount, distinct: distinctCount, encoder: null, syntax: syntaxes.explicit },
  { name: 'RLE', count: compressedCount, distinct: 2, encoder: 'encodeRle', syntax: syntaxes.rle },
  { name: 'JPEG lossless', count: compressedCount, distinct: 2, encoder: 'encodeJpeg', syntax: syntaxes.jpegLossless },
  { name: 'JPEG-LS', count: compressedCount, distinct: 2, encoder: 'encodeJpegLs', syntax: syntaxes.jpegLs },
  { name: 'JPEG 2000 lossless', count: compressedCount, distinct: 2, encoder: 'encodeJpeg2000', syntax: syntaxes.jpeg2000 },
]

const write = (line: string): boolean => process.stdout.write(`${line}\n`)

/** A bright oval with ribs and some noise, like a chest: [side, side]. */
function makePixels(seed: number): Uint16Array {
  const values = new Uint16Array(side * side)
  let state = seed + 1
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const [x, y] = [(i % side) / side - 0.5, Math.floor(i / side) / side - 0.5]
    values[i] = Math.max(0, Math.min(4095, Math.floor(3600 * Math.exp(-4 * (x * x + y * y)) + 200 * Math.sin(40 * x + seed) + (state >>> 27))))
  }
  return values
}

async function makeFiles(folder: string, { distinct, encoder, syntax }: (typeof kinds)[number]): Promise<string[]> {
  mkdirSync(folder)
  const files: string[] = []
  for (let seed = 0; seed < distinct; seed++) {
    const pixels = makePixels(seed)
    const content = encoder === null ? toBytes(pixels, 2) : { table: [], fragments: [await encode(encoder, pixels, shape, { lossy: false })] }
    const file = join(folder, `image-${seed}.dcm`)
    writeFileSync(file, writeDicom(header, content, { syntax }))
    files.push(file)
  }
  return files
}

interface Timing { seconds: number; cpuMs: number; mainMs: number; mean: number }

async function prepareAll(files: readonly string[], count: number): Promise<Timing> {
  const startMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const mainBefore = process.threadCpuUsage()
  let sum = 0
  const todo = Array.from({ length: count }, (_, i) => files[i % files.length]!)
  const prepared = mapInOrder(todo, inFlight, async (file) => {
    const bytes = await readFile(file)
    createHash('sha256').update(bytes).digest()
    return letterboxForResnet(await decodeImage(bytes, { reduce: letterboxReduction, isGiven: true }))
  })
  for await (const { values } of prepared) sum += values.reduce((total, value) => total + value, 0) / values.length
  const cpu = process.cpuUsage(cpuBefore)
  // Reading and hashing happen on the main thread, one image after the other: its share is the limit with many cores.
  const main = process.threadCpuUsage(mainBefore)
  return { seconds: (performance.now() - startMs) / 1000, cpuMs: (cpu.user + cpu.system) / 1000 / count, mainMs: (main.user + main.system) / 1000 / count, mean: sum / count }
}

const folder = mkdtempSync(join(tmpdir(), 'lacuna-dicom-bench-'))
try {
  write(`${side} x ${side}, 12 bits, ${cores} cores; processor time an image, images a second by the clock, mean of the prepared values`)
  for (const kind of kinds) {
    const files = await makeFiles(join(folder, kind.name), kind)
    await prepareAll(files.slice(0, 1), 2 * cores)
    const ours = await prepareAll(files, kind.count)
    write(`${kind.name}, ${kind.count} images (${files.length} distinct)`)
    write(`  Lacuna: ${ours.cpuMs.toFixed(0)} ms of processor time (${ours.mainMs.toFixed(0)} on the main thread), ${(kind.count / ours.seconds).toFixed(1)} images/s, mean ${ours.mean.toFixed(3)}`)
    const peer = spawnSync(python, [join(process.env['LACUNA_ROOT'] ?? '.', 'tests/bench/peer_pydicom.py'), join(folder, kind.name), String(kind.count), String(cores)], { encoding: 'utf8' })
    const why = peer.stderr?.trim().split('\n').at(-1)?.slice(0, 160) ?? `${python} does not start`
    write(peer.status === 0 ? `  ${peer.stdout.trim()}` : `  pydicom + Pillow: not measured (${why})`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

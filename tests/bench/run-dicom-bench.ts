import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { mapInOrder } from '../../engine/importers/concurrency.ts'
import { decodeImage } from '../../engine/modalities/image-decode.ts'
import { letterboxForResnet, letterboxReduction } from '../../engine/modalities/image-letterbox.ts'
import { imageElements, toBytes, writeDicom, type Elements } from '../unit/importers/dicom/make-dicom.ts'

/**
 * Entry of `npm run bench:dicom [-- COUNT]`: synthetic 12-bit chest-sized DICOM images from disk to prepared inputs as a run
 * prepares them (read, hash, decode, window, resize to 224), beside pydicom + Pillow doing the same where Python has them.
 * Distinct files are few and read in turn, so that the disk's cache holds them for both sides.
 */

const imageCount = Number(process.argv[2] ?? 1000)
const distinctCount = Math.min(8, imageCount)
const side = 2048
const inFlight = 2 + availableParallelism()
const python = process.env['LACUNA_PEER_PYTHON'] ?? 'python3'

const write = (line: string): boolean => process.stdout.write(`${line}\n`)

function makeFiles(folder: string): string[] {
  const shape = { rows: side, columns: side, bits: 12, photometric: 'MONOCHROME1' }
  const header: Elements = { ...imageElements(shape), '0028,1050': ['DS', '2048'], '0028,1051': ['DS', '3000'] }
  return Array.from({ length: distinctCount }, (_, seed) => {
    const values = new Uint16Array(side * side)
    let state = seed + 1
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const [x, y] = [(i % side) / side - 0.5, Math.floor(i / side) / side - 0.5]
      values[i] = Math.max(0, Math.min(4095, Math.floor(3600 * Math.exp(-4 * (x * x + y * y)) + 200 * Math.sin(40 * x + seed) + (state >>> 25))))
    }
    const file = join(folder, `image-${seed}.dcm`)
    writeFileSync(file, writeDicom(header, toBytes(values, 2)))
    return file
  })
}

async function prepareAll(files: readonly string[]): Promise<{ seconds: number; cpuSeconds: number; mainSeconds: number; mean: number }> {
  const startMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const mainBefore = process.threadCpuUsage()
  let sum = 0
  const todo = Array.from({ length: imageCount }, (_, i) => files[i % files.length]!)
  const prepared = mapInOrder(todo, inFlight, async (file) => {
    const bytes = await readFile(file)
    createHash('sha256').update(bytes).digest()
    return letterboxForResnet(await decodeImage(bytes, { reduce: letterboxReduction, isGiven: true }))
  })
  for await (const { pixels } of prepared) sum += pixels[pixels.length >> 1]!
  const cpu = process.cpuUsage(cpuBefore)
  // Resizing happens on the main thread, one image after the other: its share is the limit with many cores.
  const main = process.threadCpuUsage(mainBefore)
  return { seconds: (performance.now() - startMs) / 1000, cpuSeconds: (cpu.user + cpu.system) / 1e6, mainSeconds: (main.user + main.system) / 1e6, mean: sum / imageCount }
}

const folder = mkdtempSync(join(tmpdir(), 'lacuna-dicom-bench-'))
try {
  const files = makeFiles(folder)
  write(`${imageCount} images of ${side} x ${side}, 12 bits, uncompressed (${readdirSync(folder).length} distinct files), ${availableParallelism()} cores`)
  await prepareAll(files.slice(0, 1))
  const ours = await prepareAll(files)
  write(`Lacuna: ${(imageCount / ours.seconds).toFixed(1)} images/s in ${ours.seconds.toFixed(1)} s; ${((1000 * ours.cpuSeconds) / imageCount).toFixed(0)} ms of CPU an image, ${((1000 * ours.mainSeconds) / imageCount).toFixed(0)} of them on the main thread`)
  const peer = spawnSync(python, [join(process.env['LACUNA_ROOT'] ?? '.', 'tests/bench/peer_pydicom.py'), folder, String(imageCount), String(availableParallelism())], { encoding: 'utf8' })
  write(peer.status === 0 ? peer.stdout.trim() : `pydicom + Pillow: not measured (${python} cannot import them)`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

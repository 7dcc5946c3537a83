/** DICOM decoding and display against the reference toolkits. The files are read from the data folder, never copied. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { openSafetensors, type SafetensorsFile } from '../../../engine/backbones/safetensors.ts'
import { AppError } from '../../../engine/domain/errors.ts'
import type { DisplayFrame } from '../../../engine/importers/dicom/display/draw-frame.ts'
import { readDicom, type DicomImage } from '../../../engine/importers/dicom/read-dicom.ts'
import { asArray, asNumbers, asObject, type Json, type JsonObject } from '../comparison.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'

/** Lossy decoders may round each value by one level; their mean may not drift. */
const LOSSY_LEVELS = 1
const LOSSY_MEAN = 0.5
/** The block means are stored as float32 of values up to 255. */
const POOL_BOUND = 1e-4
const MAX_MS = 2000
const MAX_BYTES = 1e9
/** Kinds of DICOM that the reference needed a special decoder for: refusing them plainly would be right as well. */
const OPTIONAL = /HTJ2K|inflate per frame|dcmdjpeg/

const arrays = { uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array, uint32: Uint32Array, int32: Int32Array }

export const dicomItem: GoldenItem = {
  name: 'dicom',
  async run(folder, report, options) {
    const files = options.dataDir === null ? null : path.join(options.dataDir, 'dicom')
    if (files === null || !existsSync(files)) {
      report.notChecked('every file: no --data folder that holds "dicom"')
      return
    }
    const entries = asArray(JSON.parse(readFileSync(path.join(folder, 'dicom.json'), 'utf8')) as Json, 'dicom.json').map((entry) => asObject(entry, 'dicom.json'))
    const poolFile = path.join(folder, 'display32.safetensors')
    const pools = existsSync(poolFile) ? openSafetensors(poolFile) : null
    for (const entry of entries) checkEntry(report, files, entry, pools)
    pools?.close()
    const failing = path.join(folder, 'must_fail.json')
    const known = new Set(entries.map((entry) => String(entry['file'])))
    if (existsSync(failing)) {
      for (const row of asArray(JSON.parse(readFileSync(failing, 'utf8')) as Json, 'must_fail.json')) {
        const file = String(asObject(row, 'must_fail.json')['file'])
        if (!known.has(file) && existsSync(path.join(files, file))) checkRefusal(report, file, attempt(readFileSync(path.join(files, file))))
      }
    }
    for (const name of readdirSync(files)) if (!known.has(name) && !/\.(csv|md)$/i.test(name)) report.notChecked(name)
  },
}

interface Attempt {
  image: DicomImage | null
  raw: string
  range: [number, number, number]
  display: DisplayFrame | null
  error: unknown
  ms: number
  bytes: number
}

function checkEntry(report: GoldenReport, folder: string, entry: JsonObject, pools: SafetensorsFile | null): void {
  const file = String(entry['file'])
  const place = path.join(folder, file)
  if (!existsSync(place)) return report.notChecked(`${file}: not in the data folder`)
  const bytes = readFileSync(place)
  if (createHash('sha256').update(bytes).digest('hex') !== entry['file_sha256']) return report.notChecked(`${file}: another version of the file`)
  let outcome = attempt(bytes, entry)
  // A busy machine is no slow decoder.
  for (let again = 0; again < 2 && outcome.ms > MAX_MS; again++) outcome = attempt(bytes, entry)
  report.check(`${file}.milliseconds`, Math.round(outcome.ms), MAX_MS)
  report.check(`${file}.bytes taken`, outcome.bytes, MAX_BYTES)
  if (entry['status'] !== 'ok') return checkRefusal(report, file, outcome)
  if (outcome.display === null) {
    const isAllowed = OPTIONAL.test(String(entry['decoder'])) && outcome.error instanceof AppError
    report.checkThat(`${file}.readable`, isAllowed, outcome.error instanceof Error ? outcome.error.message : 'unknown error')
    return
  }
  checkPixels(report, file, outcome, entry)
  checkDisplay(report, file, outcome.display, entry, pools)
}

/** Everything that the product does with a file, timed; the hash has the element type that the reference names. */
function attempt(bytes: Uint8Array, entry: JsonObject = {}): Attempt {
  const rssBefore = process.memoryUsage.rss()
  const before = process.cpuUsage()
  // Processor time: a machine that does other things must not fail a file that it reads in half a second.
  const elapsedMs = (): number => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  const outcome: Attempt = { image: null, raw: '', range: [0, 0, 0], display: null, error: null, ms: 0, bytes: 0 }
  let peak = rssBefore
  try {
    const image = readDicom(bytes)
    outcome.image = image
    outcome.display = image.renderFrame(0)
    outcome.ms = elapsedMs()
    peak = Math.max(peak, process.memoryUsage.rss())
    const hash = createHash('sha256')
    let [low, high, sum, count] = [Infinity, -Infinity, 0, 0]
    const Target = arrays[String(entry['dtype'] ?? 'uint8') as keyof typeof arrays]
    for (let frame = 0; frame < image.description.frameCount; frame++) {
      const { data } = image.readFrame(frame)
      const typed = Target.from(data)
      hash.update(new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength))
      for (const value of data) {
        if (value < low) low = value
        if (value > high) high = value
        sum += value
      }
      count += data.length
    }
    outcome.raw = hash.digest('hex')
    outcome.range = [low, high, sum / count]
  } catch (error) {
    outcome.error = error
    outcome.display = null
    outcome.ms = elapsedMs()
  }
  outcome.bytes = Math.max(0, peak - rssBefore)
  return outcome
}

function checkRefusal(report: GoldenReport, file: string, { error }: Attempt): void {
  const isPlain = error instanceof AppError && (error.code.startsWith('DICOM_') || error.code.startsWith('IMAGE_'))
  report.checkThat(`${file}.refused`, isPlain, error instanceof Error ? error.message : 'was accepted')
}

function checkPixels(report: GoldenReport, file: string, { image, raw, range }: Attempt, entry: JsonObject): void {
  const { rows, columns, samples, frameCount } = image!.description
  const shape = [...(frameCount > 1 ? [frameCount] : []), rows, columns, ...(samples > 1 ? [samples] : [])]
  report.checkThat(`${file}.shape`, JSON.stringify(shape) === JSON.stringify(asNumbers(entry['shape'], file)), shape.join(' x '))
  if (entry['raw_exact_expected'] === true) {
    report.checkThat(`${file}.pixels identical`, raw === entry['raw_sha256'])
    return
  }
  if (raw === entry['raw_sha256']) return report.checkThat(`${file}.pixels identical`, true)
  // YBR pictures of baseline JPEG may come out of the reference as RGB: its own note says to compare what is displayed.
  if (samples === 3) return report.notChecked(`${file}.pixels: compared as displayed`)
  const [low, high, mean] = range
  report.check(`${file}.pixels min and max`, Math.max(Math.abs(low - Number(entry['raw_min'])), Math.abs(high - Number(entry['raw_max']))), LOSSY_LEVELS)
  report.check(`${file}.pixels mean`, Math.abs(mean - Number(entry['raw_mean'])), LOSSY_MEAN)
}

function checkDisplay(report: GoldenReport, file: string, display: DisplayFrame, entry: JsonObject, pools: SafetensorsFile | null): void {
  const isSame = createHash('sha256').update(display.pixels).digest('hex') === entry['display8_sha256']
  if (entry['display8_exact_expected'] === true || isSame) report.checkThat(`${file}.display identical`, isSame)
  const mean = display.pixels.reduce((sum, value) => sum + value, 0) / display.pixels.length
  report.check(`${file}.display mean`, Math.abs(mean - Number(entry['display8_mean'])), isSame ? 1e-6 : LOSSY_LEVELS)
  if (pools === null || !pools.entries.has(file)) return report.notChecked(`${file}.display32`)
  const reference = pools.readFloats(file).values
  const ours = blockMeans(display)
  const worst = ours.length === reference.length ? ours.reduce((most, value, i) => Math.max(most, Math.abs(value - reference[i]!)), 0) : Infinity
  report.check(`${file}.display blocks`, worst, isSame ? POOL_BOUND : LOSSY_LEVELS)
}

/** Means over 32 x 32 blocks with edges floor(i * H / 32), at least one pixel each: [32, 32, channels]. */
function blockMeans({ pixels, width, height, channels }: DisplayFrame): Float64Array {
  const means = new Float64Array(32 * 32 * channels)
  const edges = (i: number, size: number): [number, number] => {
    const from = Math.floor((i * size) / 32)
    return [from, Math.max(from + 1, Math.floor(((i + 1) * size) / 32))]
  }
  for (let i = 0, at = 0; i < 32; i++) {
    const [top, bottom] = edges(i, height)
    for (let j = 0; j < 32; j++) {
      const [left, right] = edges(j, width)
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += pixels[(y * width + x) * channels + c]!
        means[at++] = sum / ((bottom - top) * (right - left))
      }
    }
  }
  return means
}

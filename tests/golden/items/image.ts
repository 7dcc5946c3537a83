/** Image decoding and preparation against the reference processors. Pictures stay in the reference folder. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { openSafetensors, type SafetensorsFile } from '../../../engine/backbones/safetensors.ts'
import { AppError } from '../../../engine/domain/errors.ts'
import { decodeImage, type RgbImage } from '../../../engine/modalities/image-decode.ts'
import { parseImageProcessorConfig } from '../../../engine/modalities/image-processor-config.ts'
import { createImageProcessor, type ImageProcessor, type PreparedImage } from '../../../engine/modalities/image.ts'
import { asArray, asNumbers, asObject, asRows, checkKeys, type Json, type JsonObject } from '../comparison.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'

// Means over a whole picture are accumulated in doubles on both sides.
const MEAN_BOUND = 1e-9
// The block means are stored as float32.
const POOL_BOUND = 1e-6

export const imageItem: GoldenItem = {
  name: 'image',
  async run(folder, report) {
    const root = asObject(JSON.parse(readFileSync(path.join(folder, 'image.json'), 'utf8')) as Json, 'image.json')
    const processors = new Map<string, ImageProcessor>()
    for (const [name, settings] of Object.entries(asObject(root['processors'], 'processors'))) {
      processors.set(name, createImageProcessor(parseImageProcessorConfig(settings, `processor ${name}`)))
    }
    const poolFile = path.join(folder, 'pool16.safetensors')
    const pools = existsSync(poolFile) ? openSafetensors(poolFile) : null
    if (pools === null) report.notChecked('pool16.safetensors is absent')
    for (const entry of asArray(root['images'], 'images')) {
      await checkImage(report, folder, asObject(entry, 'images'), processors, pools)
    }
    pools?.close()
    if ('vilt_batch' in root) await checkBatch(report, folder, asObject(root['vilt_batch'], 'vilt_batch'), processors)
    for (const key of Object.keys(root)) {
      if (!['processors', 'images', 'vilt_batch'].includes(key)) report.notChecked(`image.json.${key}`)
    }
    const named = asArray(root['images'], 'images').map((entry) => String(asObject(entry, 'images')['file']))
    const expected = new Set([...named, ...named.map(decodedName), 'README.md', 'image.json', 'pool16.safetensors'])
    for (const file of readdirSync(folder)) if (!expected.has(file)) report.notChecked(file)
  },
}

async function checkImage(
  report: GoldenReport, folder: string, entry: JsonObject,
  processors: ReadonlyMap<string, ImageProcessor>, pools: SafetensorsFile | null,
): Promise<void> {
  const file = String(entry['file'])
  const decoded = await decodeImage(path.join(folder, file))
  const rgb = asObject(entry['rgb'], file)
  const isExact = sha256(decoded.pixels) === rgb['sha256']
  const stored = path.join(folder, decodedName(file))
  if (isExact || decoded.format !== 'jpeg' || !existsSync(stored)) checkPixels(report, `${file}.rgb`, decoded, rgb)
  else {
    // JPEG decoders may round differently: at most 2 levels from the stored decoding, which then feeds the resizing.
    const reference = await decodeImage(stored)
    checkPixels(report, `${file}.rgb (from ${path.basename(stored)})`, reference, rgb)
    report.check(`${file}.jpeg decoder`, largestByteDifference(decoded, reference), 2)
  }
  checkKeys(report, `${file}.header`, { exif_orientation: decoded.orientation, format: decoded.format.toUpperCase() },
    { exif_orientation: entry['exif_orientation'] ?? 1, format: entry['format'] ?? decoded.format.toUpperCase() }, 0)
  const source = isExact || !existsSync(stored) ? decoded : await decodeImage(stored)
  for (const [name, result] of Object.entries(asObject(entry['results'], file))) {
    const processor = processors.get(name)
    if (processor === undefined) report.notChecked(`${file}.${name}`)
    else checkProcessor(report, `${file}.${name}`, () => processor(source, 'chw', file), asObject(result, file), pools)
  }
  const others = Object.keys(entry).filter((key) => !['file', 'format', 'mode', 'stored_size_wh', 'exif_orientation', 'rgb_rule', 'rgb', 'results', 'gray16'].includes(key))
  for (const key of others) report.notChecked(`${file}.${key}`)
}

function checkPixels(report: GoldenReport, caseName: string, image: RgbImage, reference: JsonObject): void {
  const sums = [0, 0, 0]
  image.pixels.forEach((value, i) => (sums[i % 3]! += value))
  checkKeys(report, caseName, {
    shape_hwc: [image.height, image.width, 3],
    sha256: sha256(image.pixels),
    mean: sums.map((sum) => sum / (image.width * image.height)),
  }, reference, MEAN_BOUND)
}

function checkProcessor(
  report: GoldenReport, caseName: string, prepare: () => PreparedImage, reference: JsonObject, pools: SafetensorsFile | null,
): void {
  if (reference['must_fail'] === true) {
    let refusal: unknown
    try {
      prepare()
    } catch (error) {
      refusal = error
    }
    const isRefused = refusal instanceof AppError && refusal.code === 'IMAGE_SHAPE_UNSUPPORTED'
    report.checkThat(`${caseName}.must_fail`, isRefused, refusal instanceof Error ? refusal.message : 'was accepted')
    return
  }
  const ours = prepare()
  const plane = ours.width * ours.height
  const channels = [0, 1, 2].map((c) => ours.values.subarray(c * plane, (c + 1) * plane))
  const means = channels.map((values) => values.reduce((sum, value) => sum + value, 0) / plane)
  const positions = asRows(reference['positions_cyx'] ?? [], caseName)
  checkKeys(report, caseName, {
    shape_chw: [3, ours.height, ours.width],
    sha256_uint8_hwc: sha256(ours.pixels),
    sha256_float32_le_chw: sha256(new Uint8Array(ours.values.buffer, ours.values.byteOffset, ours.values.byteLength)),
    mean: means,
    std: channels.map((values, c) => Math.sqrt(values.reduce((sum, value) => sum + (value - means[c]!) ** 2, 0) / plane)),
    values: positions.map(([c, y, x]) => ours.values[c! * plane + y! * ours.width + x!]),
  }, reference, MEAN_BOUND, { informative: ['positions_cyx', 'integer_reimplementation_exact', 'float32_formula_max_abs'] })
  const poolName = `${caseName}.pool16`
  if (pools === null || !pools.entries.has(poolName)) report.notChecked(poolName)
  else report.check(poolName, poolDifference(channels, ours, pools.readFloats(poolName).values), POOL_BOUND)
}

// Block means over 16 x 16 blocks with edges floor(i * H / 16), floor(j * W / 16).
function poolDifference(channels: readonly Float32Array[], size: { width: number; height: number }, pool: Float32Array): number {
  let worst = 0
  channels.forEach((values, c) => {
    for (let i = 0; i < 16; i += 1) {
      for (let j = 0; j < 16; j += 1) {
        const [top, bottom] = [Math.floor((i * size.height) / 16), Math.floor(((i + 1) * size.height) / 16)]
        const [left, right] = [Math.floor((j * size.width) / 16), Math.floor(((j + 1) * size.width) / 16)]
        let sum = 0
        for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) sum += values[y * size.width + x]!
        const difference = sum / ((bottom - top) * (right - left)) - pool[(c * 16 + i) * 16 + j]!
        worst = Math.max(worst, Number.isNaN(difference) ? Infinity : Math.abs(difference))
      }
    }
  })
  return worst
}

async function checkBatch(
  report: GoldenReport, folder: string, batch: JsonObject, processors: ReadonlyMap<string, ImageProcessor>,
): Promise<void> {
  const processor = processors.get('vilt')
  if (processor === undefined) return report.notChecked('vilt_batch')
  const sizes: number[][] = []
  for (const file of asArray(batch['files'], 'vilt_batch')) {
    const prepared = processor(await decodeImage(path.join(folder, String(file))))
    sizes.push([prepared.height, prepared.width])
  }
  const shape = asNumbers(batch['pixel_values_shape'], 'vilt_batch')
  checkKeys(report, 'vilt_batch', {
    valid_hw: sizes,
    pixel_values_shape: [sizes.length, shape[1], Math.max(...sizes.map((size) => size[0]!)), Math.max(...sizes.map((size) => size[1]!))],
  }, batch, 0, { informative: ['files', 'pad_value', 'pad_is_zero'] })
}

function largestByteDifference(a: RgbImage, b: RgbImage): number {
  if (a.width !== b.width || a.height !== b.height) return Infinity
  return a.pixels.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b.pixels[i]!)), 0)
}

function decodedName(file: string): string {
  return `${path.parse(file).name}.decoded.png`
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

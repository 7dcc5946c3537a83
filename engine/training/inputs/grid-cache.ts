import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Degradation } from '../../domain/degradation.ts'
import { AppError } from '../../domain/errors.ts'
import { type MemoryGuard, piecesOf } from '../../compute/out-of-memory.ts'
import { RESNET_GRID_DEPTH, RESNET_GRID_TOKENS, type Resnet50 } from '../../backbones/resnet50.ts'
import { addNoise, blurImage } from '../../modalities/degrade.ts'
import { imageContentHash } from '../../modalities/image-content.ts'
import { decodeImage } from '../../modalities/image-decode.ts'
import { letterboxForResnet, letterboxReduction } from '../../modalities/image-letterbox.ts'
import type { JobContext } from '../../protocol.ts'
import { createPace } from '../pace.ts'

/** One image of the run: where its file lies, which of its frames it is (from 0) and what content that must be. `where` names it in errors without naming the file. */
export interface ImageFile {
  path: string
  sha256: string
  /** Absent: the first. */
  frame?: number
  where: string
}

export interface GridCache {
  /** Frozen features of one image, [49, 2048] row-major, from disk. */
  read: (sha256: string) => Promise<Float32Array>
}

/** Part of the folder name: another way of preparing pixels must never read the old features. */
const preparation = 'letterbox1'
const imagesPerBatch = 8
const valuesPerImage = RESNET_GRID_TOKENS * RESNET_GRID_DEPTH

/**
 * Computes the frozen grid features of every image once and keeps them by content hash as half floats (200 KB an image):
 * ImageNet features lie far inside half precision, and the disk and the memory hold twice as many.
 * Whatever is missing is computed; the folder may be deleted at any time between runs.
 * Where memory runs out, fewer images are computed at once, as `guard` finds out. Throws COMPUTE_OUT_OF_MEMORY when one alone does not fit,
 * RUN_FILE_CHANGED when a file is gone or no longer the one that was imported.
 */
export async function fillGridCache(images: readonly ImageFile[], options: { resnet: Resnet50; cacheDir: string; context: JobContext; guard: MemoryGuard; degradation?: Degradation | undefined }): Promise<GridCache> {
  const { resnet, context, guard, degradation } = options
  const dir = join(options.cacheDir, `grid-${resnet.weightsHash.slice(0, 16)}-${preparation}`)
  const fileOf = (sha256: string) => join(dir, sha256.slice(0, 2), `${sha256}.f16`)
  const missing = [...new Map(images.map((image) => [image.sha256, image])).values()].filter((image) => !existsSync(fileOf(image.sha256)))
  const pace = createPace(missing.length)

  const prepareBatch = (start: number) => Promise.all(missing.slice(start, start + imagesPerBatch).map((image) => readPrepared(image, degradation)))
  let next = missing.length > 0 ? prepareBatch(0) : null
  for (let start = 0; start < missing.length; start += imagesPerBatch) {
    context.signal.throwIfAborted()
    const batch = await next!
    // Decoding the next images on other threads overlaps with the convolutions on this one.
    next = start + imagesPerBatch < missing.length ? prepareBatch(start + imagesPerBatch) : null
    next?.catch(() => {})
    const input = new Float32Array(batch.length * batch[0]!.length)
    batch.forEach((values, index) => input.set(values, index * values.length))
    const perImage = batch[0]!.length
    const features = guard.attempt(batch.length, (size) => piecesOf(batch.length, size).flatMap(({ from, to }) => {
      const piece = resnet.gridFeatures(input.subarray(from * perImage, to * perImage), to - from)
      return Array.from({ length: to - from }, (_, index) => piece.subarray(index * valuesPerImage, (index + 1) * valuesPerImage))
    }))
    await Promise.all(features.map((values, index) => writeHalf(fileOf(missing[start + index]!.sha256), values)))
    context.progress({ stage: 'Reading images', ...pace.at(start + batch.length) })
  }
  return { read: async (sha256) => readHalf(fileOf(sha256)) }
}

/** The bytes of an image, checked to be the ones that were imported. Throws RUN_FILE_CHANGED. */
export async function readImported(image: ImageFile): Promise<Buffer> {
  let bytes: Buffer
  try {
    bytes = await readFile(image.path)
  } catch (error) {
    throw new AppError('RUN_FILE_CHANGED', `${image.where} cannot be read any more.`, { cause: error })
  }
  if (imageContentHash(createHash('sha256').update(bytes).digest('hex'), image.frame ?? 0) !== image.sha256) throw new AppError('RUN_FILE_CHANGED', `${image.where} is not the file that was imported.`)
  return bytes
}

async function readPrepared(image: ImageFile, degradation: Degradation | undefined): Promise<Float32Array> {
  // A blur belongs to the picture as it was taken.
  const reduce = degradation?.kind === 'blur' ? {} : { reduce: letterboxReduction }
  const decoded = await decodeImage(await readImported(image), { name: image.where, frame: image.frame ?? 0, isGiven: true, ...reduce })
  return letterboxForResnet(await blurImage(decoded, degradation), (resized) => addNoise(resized, degradation, image.sha256)).values
}

async function writeHalf(file: string, values: Float32Array): Promise<void> {
  const half = new Float16Array(values)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.part`, new Uint8Array(half.buffer))
  await rename(`${file}.part`, file)
}

async function readHalf(file: string): Promise<Float32Array> {
  const bytes = await readFile(file)
  if (bytes.byteLength !== valuesPerImage * 2) throw new AppError('RUN_FILE_CHANGED', 'A prepared input is damaged; clear the prepared inputs on the page "This workstation" and start again.')
  return new Float32Array(new Float16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)))
}

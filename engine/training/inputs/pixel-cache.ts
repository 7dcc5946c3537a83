/** Resized images by content hash, kept as bytes: a quarter of the size of the values they become, and exact. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../../domain/errors.ts'
import type { RgbImage } from '../../modalities/image-decode.ts'
import type { JobContext } from '../../protocol.ts'
import type { ImageFile } from './grid-cache.ts'
import { createPace } from '../pace.ts'

export interface PixelCache {
  read: (sha256: string) => Promise<RgbImage>
}

export interface PixelCacheOptions {
  cacheDir: string
  context: JobContext
  /** Names the way of preparing: another one must never read these bytes. */
  preparation: string
  prepare: (image: ImageFile) => Promise<RgbImage>
}

const imagesPerBatch = 4
/** Width and height in front of the bytes. */
const HEADER_BYTES = 8

/** Prepares every image that is not there yet; the folder may be deleted at any time between runs. */
export async function fillPixelCache(images: readonly ImageFile[], { cacheDir, context, preparation, prepare }: PixelCacheOptions): Promise<PixelCache> {
  const dir = join(cacheDir, `pixels-${preparation}`)
  const fileOf = (sha256: string) => join(dir, sha256.slice(0, 2), `${sha256}.rgb`)
  const missing = [...new Map(images.map((image) => [image.sha256, image])).values()].filter((image) => !existsSync(fileOf(image.sha256)))
  const pace = createPace(missing.length)
  for (let start = 0; start < missing.length; start += imagesPerBatch) {
    context.signal.throwIfAborted()
    const batch = missing.slice(start, start + imagesPerBatch)
    await Promise.all(batch.map(async (image) => writeImage(fileOf(image.sha256), await prepare(image))))
    context.progress({ stage: 'Reading images', ...pace.at(start + batch.length) })
  }
  return { read: (sha256) => readImage(fileOf(sha256)) }
}

async function writeImage(file: string, { pixels, width, height }: RgbImage): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.part`, [new Uint8Array(Uint32Array.of(width, height).buffer), pixels])
  await rename(`${file}.part`, file)
}

async function readImage(file: string): Promise<RgbImage> {
  const bytes = await readFile(file)
  const [width, height] = bytes.length < HEADER_BYTES ? [0, 0] : [bytes.readUInt32LE(0), bytes.readUInt32LE(4)]
  if (bytes.length !== HEADER_BYTES + 3 * width * height || width === 0) throw new AppError('RUN_FILE_CHANGED', 'A prepared input is damaged; clear the prepared inputs on the page "This workstation" and start again.')
  return { pixels: bytes.subarray(HEADER_BYTES), width, height }
}

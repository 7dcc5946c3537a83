import { hash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import sharp from 'sharp'
import { AppError } from '../../domain/errors.ts'
import type { ImageWindow } from '../../domain/image-facts.ts'
import { imageContentHash } from '../../modalities/image-content.ts'
import { decodeImage, type RgbImage } from '../../modalities/image-decode.ts'
import type { JobContext, JobRequest, JobResult } from '../../protocol.ts'
import { runOnThread } from '../dicom/decode-pool.ts'
import { isDicom } from '../dicom/parse.ts'
import { systemCode } from '../file-errors.ts'

const jpegQuality = 90
const maxFileBytes = 512 * 1024 * 1024

/**
 * Draws an image file for the screen: the pixels that training sees (EXIF rotation applied, 16 bit scaled, palette looked up),
 * no larger than `maxEdgePx`, without any metadata. `frame` is one of a DICOM file with several, counted from 0; a `window` replaces the file's own.
 * JPEG, or PNG when `outFile` ends so. The picture appears under its name only when it is complete.
 * @throws AppError RUN_FILE_CHANGED when the file is not `original`, IMAGE_* for the original, STORE_DISK_FULL or EXPORT_FAILED for the place it is written to
 */
export async function renderImage(request: JobRequest<'image:render'>, context: JobContext): Promise<JobResult<'image:render'>> {
  const { path, original, maxEdgePx, outFile, window, frame = 0 } = request
  const bytes = await readOriginal(path, original ?? null)
  const { pixels, width, height } = window ? await drawWindowed(bytes, window, frame) : await decodeImage(bytes, { name: 'The image', frame })
  context.signal.throwIfAborted()
  const isPng = extname(outFile).toLowerCase() === '.png'
  const picture = sharp(pixels, { raw: { width, height, channels: 3 } }).resize({ width: maxEdgePx, height: maxEdgePx, fit: 'inside', withoutEnlargement: true })
  const { data, info } = await (isPng ? picture.png() : picture.jpeg({ quality: jpegQuality })).toBuffer({ resolveWithObject: true })
  const unfinished = `${outFile}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(outFile), { recursive: true })
    await writeFile(unfinished, data)
    await rename(unfinished, outFile)
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined)
    const code = systemCode(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new AppError('STORE_DISK_FULL', 'The disk is full; the picture could not be stored.', { cause: error })
    throw new AppError('EXPORT_FAILED', `The picture could not be written (${code || 'unknown error'}).`, { cause: error })
  }
  return { widthPx: info.width, heightPx: info.height }
}

/** The bytes that are looked at are the bytes that are drawn: nothing can be put in their place between the two. */
async function readOriginal(path: string, original: { sha256: string; frame: number } | null): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > maxFileBytes) throw new AppError('IMAGE_TOO_LARGE', `The image has ${Math.round(size / 1e6)} MB; at most ${Math.round(maxFileBytes / 1e6)} MB are read.`)
    const bytes = await readFile(path)
    if (original !== null && imageContentHash(hash('sha256', bytes), original.frame) !== original.sha256) throw new AppError('RUN_FILE_CHANGED', 'The image is no longer the file that was imported.')
    return bytes
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('IMAGE_NOT_FOUND', `The image cannot be read (${systemCode(error) || 'unknown error'}).`, { cause: error })
  }
}

/** A frame of a DICOM image under a window that the reader chose; any other picture as it is. */
async function drawWindowed(bytes: Buffer, window: ImageWindow, frame: number): Promise<RgbImage> {
  if (!isDicom(bytes)) return decodeImage(bytes, { name: 'The image' })
  // The exact form has no steps at its ends, so that what was seen while dragging is what is drawn.
  const voi = { kind: 'window' as const, window: { ...window, function: 'LINEAR_EXACT' as const, name: null } }
  return runOnThread({ kind: 'draw', bytes, frame, voi, to: null }, { isGiven: true })
}

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { dirname, extname } from 'node:path'
import sharp from 'sharp'
import { AppError } from '../../domain/errors.ts'
import type { ImageWindow } from '../../domain/image-facts.ts'
import { decodeImage, type RgbImage } from '../../modalities/image-decode.ts'
import type { JobContext, JobRequest, JobResult } from '../../protocol.ts'
import { runOnThread } from '../dicom/decode-pool.ts'
import { isDicom } from '../dicom/parse.ts'
import { systemCode } from '../file-errors.ts'

const jpegQuality = 90

/**
 * Draws an image file for the screen: the pixels that training sees (EXIF rotation applied, 16 bit scaled, palette looked up),
 * no larger than `maxEdgePx`, without any metadata. `frame` is one of a DICOM file with several, counted from 0; a `window` replaces the file's own.
 * JPEG, or PNG when `outFile` ends so. The picture appears under its name only when it is complete.
 * @throws AppError IMAGE_* for the original, STORE_DISK_FULL or EXPORT_FAILED for the place it is written to
 */
export async function renderImage(request: JobRequest<'image:render'>, context: JobContext): Promise<JobResult<'image:render'>> {
  const { path, maxEdgePx, outFile, window, frame = 0 } = request
  const { pixels, width, height } = window ? await drawWindowed(path, window, frame) : await decodeImage(path, { name: 'The image', frame })
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

/** A frame of a DICOM image under a window that the reader chose; any other picture as it is. */
async function drawWindowed(path: string, window: ImageWindow, frame: number): Promise<RgbImage> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new AppError('IMAGE_NOT_FOUND', `The image cannot be read (${systemCode(cause) || 'unknown error'}).`, { cause })
  })
  if (!isDicom(bytes)) return decodeImage(bytes, { name: 'The image' })
  // The exact form has no steps at its ends, so that what was seen while dragging is what is drawn.
  const voi = { kind: 'window' as const, window: { ...window, function: 'LINEAR_EXACT' as const, name: null } }
  return runOnThread({ kind: 'draw', bytes, frame, voi, to: null }, { isGiven: true })
}

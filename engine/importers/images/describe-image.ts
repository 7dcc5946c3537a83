import { readFile } from 'node:fs/promises'
import { AppError } from '../../domain/errors.ts'
import type { ImageFacts } from '../../domain/image-facts.ts'
import type { JobContext, JobRequest } from '../../protocol.ts'
import { runOnThread } from '../dicom/decode-pool.ts'
import type { VoiTransform } from '../dicom/display/grayscale.ts'
import { isDicom } from '../dicom/parse.ts'
import { systemCode } from '../file-errors.ts'

/** Windows in use for computed tomography, in Hounsfield units; files seldom carry more than one. */
const ctWindows = [
  { name: 'Lung', center: -600, width: 1500 }, { name: 'Soft tissue', center: 40, width: 400 },
  { name: 'Bone', center: 400, width: 1800 }, { name: 'Brain', center: 40, width: 80 },
]

/**
 * What the viewer needs to know of a frame (counted from 0) beyond its pixels: the window that is shown, others to choose from,
 * directions and side. Pictures other than DICOM, and coloured ones, are windowed over their 0..255.
 * @throws AppError IMAGE_NOT_FOUND, DICOM_*
 */
export async function describeImage({ path, frame = 0 }: JobRequest<'image:describe'>, context: JobContext): Promise<ImageFacts> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new AppError('IMAGE_NOT_FOUND', `The image cannot be read (${systemCode(cause) || 'unknown error'}).`, { cause })
  })
  context.signal.throwIfAborted()
  const plain: ImageFacts = { isDicom: false, hasWindow: false, center: 127.5, width: 255, isInverted: false, presets: [], directions: null, laterality: null, view: null, frameCount: 1, pixelAspect: 1 }
  if (!isDicom(bytes)) return plain
  const { facts, voi, presets, range, isInverted } = await runOnThread({ kind: 'describe', bytes, frame }, { isGiven: true })
  const { patientOrientation, laterality, viewPosition, dicomModality, frameCount, pixelAspect } = facts
  const said: ImageFacts = { ...plain, isDicom: true, directions: patientOrientation, laterality, view: viewPosition, frameCount, pixelAspect }
  if (voi === null || range === null) return said
  const others = presets.flatMap((preset, i) => (preset.kind === 'window' && i > 0 ? [{ name: preset.window.name, center: preset.window.center, width: preset.window.width }] : []))
  return {
    ...said, hasWindow: true, ...spanOf(voi), isInverted,
    presets: [...others, { name: 'Full range', ...spanOf(range) }, ...(dicomModality === 'CT' ? ctWindows : [])],
  }
}

/** Centre and width of whatever is shown, in units of the modality. */
function spanOf(voi: VoiTransform): { center: number; width: number } {
  if (voi.kind === 'window') return { center: voi.window.center, width: Math.max(1, voi.window.width) }
  if (voi.kind === 'range') return { center: (voi.low + voi.high) / 2, width: Math.max(1, voi.high - voi.low) }
  return { center: voi.table.first + voi.table.entries.length / 2, width: voi.table.entries.length }
}

/** Reads the image settings of a Hugging Face backbone folder (preprocessor_config.json). */
import { AppError } from '../domain/errors.ts'
import type { ImageProcessorConfig } from './image.ts'
import type { ResampleFilter } from './image-resample.ts'

// Pillow's numbers for its filters; the others are not used by the supported backbones.
const resampleFilters: Record<number, ResampleFilter> = { 2: 'bilinear', 3: 'bicubic' }

// ViLT ties the longest side to the shortest in the ratio of its pre-training sizes.
const VILT_RATIO = 1333 / 800

/** Four times the largest of published models of these families; beyond it one image takes gigabytes. */
const LARGEST_SIDE = 4096

/**
 * Turns a parsed preprocessor_config.json into a processor configuration. Throws AppError BACKBONE_CONFIG_UNSUPPORTED
 * for any setting we would have to ignore: other preparation gives other features without any visible error.
 */
export function parseImageProcessorConfig(json: unknown, fileName: string): ImageProcessorConfig {
  const settings = asRecord(json)
  const refuse = (what: string): never => {
    throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', `${fileName} ${what}.`)
  }
  const require = (isAccepted: boolean, what: string) => {
    if (!isAccepted) refuse(what)
  }
  const positive = (value: unknown, what: string): number =>
    typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LARGEST_SIDE ? value : refuse(`has no valid ${what} (1 to ${LARGEST_SIDE})`)
  const triple = (value: unknown, what: string): readonly [number, number, number] => {
    if (!Array.isArray(value) || value.length !== 3) return refuse(`needs three values for ${what}`)
    const numbers = value.map((entry) => (typeof entry === 'number' && Number.isFinite(entry) ? entry : refuse(`has no valid ${what}`)))
    return [numbers[0]!, numbers[1]!, numbers[2]!]
  }
  for (const step of ['do_resize', 'do_rescale', 'do_normalize']) require(settings[step] !== false, `switches off ${step}`)
  const named = settings['image_processor_type'] ?? settings['feature_extractor_type']
  const type = typeof named === 'string' ? named.slice(0, 80) : ''
  const method = settings['resample'] ?? (type.startsWith('ViT') ? 2 : 3)
  const filter = typeof method === 'number' ? resampleFilters[method] : undefined
  const factor = settings['rescale_factor'] ?? 1 / 255
  const shared = {
    resample: filter ?? refuse(`asks for ${typeof method === 'number' ? `resampling method ${method}` : 'resampling in an unknown way'}`),
    rescaleFactor: typeof factor === 'number' && factor > 0 ? factor : refuse('has no valid rescale_factor'),
    mean: triple(settings['image_mean'], 'image_mean'),
    std: triple(settings['image_std'], 'image_std'),
  }
  require(shared.std.every((value) => value > 0), 'has an image_std that is not positive')
  const size = asRecord(settings['size'])
  const edge = typeof settings['size'] === 'number' ? settings['size'] : size['shortest_edge']

  if (/^Vilt/.test(type)) {
    const shortestEdge = positive(edge, 'size.shortest_edge')
    const sizeDivisor = positive(settings['size_divisor'] ?? 32, 'size_divisor')
    return { kind: 'vilt', ...shared, shortestEdge, longestEdge: Math.trunc(VILT_RATIO * shortestEdge), sizeDivisor }
  }
  if (/^(ViT|DeiT)/.test(type)) {
    require(settings['do_center_crop'] !== true, 'asks for a centre crop')
    const side = typeof settings['size'] === 'number' ? settings['size'] : undefined
    return { kind: 'vit', ...shared, width: positive(size['width'] ?? side, 'size.width'), height: positive(size['height'] ?? side, 'size.height') }
  }
  if (/^CLIP/.test(type)) {
    require(settings['do_center_crop'] !== false, 'switches off the centre crop')
    const shortestEdge = positive(edge, 'size.shortest_edge')
    const side = typeof settings['crop_size'] === 'number' ? settings['crop_size'] : undefined
    const cropWidth = positive(asRecord(settings['crop_size'])['width'] ?? side, 'crop_size.width')
    const cropHeight = positive(asRecord(settings['crop_size'])['height'] ?? side, 'crop_size.height')
    require(cropWidth <= shortestEdge && cropHeight <= shortestEdge, 'crops more than the resized image')
    return { kind: 'clip', ...shared, shortestEdge, cropWidth, cropHeight }
  }
  return refuse(`describes a ${type || 'nameless'} processor; ViLT, ViT and CLIP are supported`)
}

function asRecord(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

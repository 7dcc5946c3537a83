/** How the inputs of a backbone are prepared: its tokeniser, and its images as frozen grid features or as pixels. */
import { createHash } from 'node:crypto'
import type { SamplePart } from '../../backbones/backbone.ts'
import { RESNET_GRID_TOKENS, type Resnet50 } from '../../backbones/resnet50.ts'
import type { MemoryGuard } from '../../compute/out-of-memory.ts'
import type { Degradation } from '../../domain/degradation.ts'
import { AppError } from '../../domain/errors.ts'
import { type ImageProcessorConfig, createImageProcessor, createNormaliser, reductionOf } from '../../modalities/image.ts'
import { addNoise, blurImage } from '../../modalities/degrade.ts'
import { decodeImage } from '../../modalities/image-decode.ts'
import type { TextTokenizer } from '../../modalities/text-tokenizer.ts'
import type { JobContext } from '../../protocol.ts'
import { fillGridCache, readImported, type ImageFile } from './grid-cache.ts'
import { fillPixelCache } from './pixel-cache.ts'

/** The prepared images of a run, by content hash. */
export interface ImageParts {
  /** One image as the part that the backbone embeds. */
  read(sha256: string, modality: number, slot: number): Promise<SamplePart>
}

/** Degraded images are prepared in a folder of their own: `cacheDir` must name the level. */
export interface ImageOptions {
  cacheDir: string
  context: JobContext
  /** Knows how many images the device holds at once. */
  guard: MemoryGuard
  degradation?: Degradation | undefined
}

export interface InputReader {
  /** Null when the backbone reads no text. */
  readonly tokenizer: TextTokenizer | null
  /** Longest text that is read when a run asks for `wanted` tokens; longer ones are cut. */
  textTokens(wanted: number): number
  /** Prepares what is not prepared yet. Throws RUN_FILE_CHANGED, IMAGE_* or BACKBONE_LACKS_MODALITY. */
  openImages(images: readonly ImageFile[], options: ImageOptions): Promise<ImageParts>
  /** Tokens of one image of usual shape, for forecasts. */
  readonly imageTokens: number
  /** Operations that preparing one image takes, for forecasts. */
  readonly imageFlops: number
}

/** Multiply-adds of one ResNet-50 pass at 224 x 224, times two. */
const RESNET_FLOPS = 7.7e9

/** Reader of the embedded backbone, or of its image encoder beside another text encoder: ResNet-50 grids. */
export function gridReader(resnet: Resnet50, tokenizer: TextTokenizer | null, positions: number): InputReader {
  return {
    tokenizer,
    textTokens: (wanted) => Math.min(wanted, positions),
    imageTokens: RESNET_GRID_TOKENS,
    imageFlops: RESNET_FLOPS,
    openImages: async (images, options) => {
      const grids = await fillGridCache(images, { resnet, ...options })
      return { read: async (sha256, modality, slot) => ({ kind: 'grid', modality, slot, features: await grids.read(sha256), count: RESNET_GRID_TOKENS }) }
    },
  }
}

export interface PixelReaderOptions {
  tokenizer: TextTokenizer | null
  /** Null when the backbone reads no images. */
  images: ImageProcessorConfig | null
  /** Positions of the text table, and whether it can be stretched beyond them. */
  textPositions: number | null
  canStretch: boolean
  imageTokens: number
}

/** Reader of an imported backbone: pixels as its own processor prepares them. */
export function pixelReader({ tokenizer, images: config, textPositions, canStretch, imageTokens }: PixelReaderOptions): InputReader {
  return {
    tokenizer, imageTokens,
    imageFlops: 0,
    textTokens: (wanted) => (canStretch ? wanted : Math.min(wanted, textPositions ?? wanted)),
    openImages: async (images, options) => {
      if (config === null) {
        if (images.length > 0) throw new AppError('BACKBONE_LACKS_MODALITY', 'The chosen backbone reads no images.')
        return { read: () => { throw new Error('no image was prepared') } }
      }
      const prepare = createImageProcessor(config)
      const normalise = createNormaliser(config)
      const cache = await fillPixelCache(images, {
        ...options,
        preparation: createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 16),
        prepare: async (image) => {
          // A blur belongs to the picture as it was taken.
          const reduce = options.degradation?.kind === 'blur' ? {} : { reduce: reductionOf(config) }
          const decoded = await decodeImage(await readImported(image), { name: image.where, frame: image.frame ?? 0, isGiven: true, ...reduce })
          return addNoise(prepare(await blurImage(decoded, options.degradation), 'hwc', image.where), options.degradation, image.sha256)
        },
      })
      return {
        read: async (sha256, modality, slot) => {
          const resized = await cache.read(sha256)
          return { kind: 'pixels', modality, slot, pixels: normalise(resized, 'chw'), height: resized.height, width: resized.width }
        },
      }
    },
  }
}

/** Which family a folder holds, from its config.json (or the tensor names of the original ViLT), with its sizes and prepared settings. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BackboneArchitecture, type BackboneReads, type BackboneSizes, type PixelSides, bothSides, sidesText } from '../../domain/backbones.ts'
import { AppError } from '../../domain/errors.ts'
import { type ImageProcessorConfig, clipConfig, viltConfig, vitConfig } from '../../modalities/image.ts'
import { parseImageProcessorConfig } from '../../modalities/image-processor-config.ts'
import { parseBertConfig } from '../bert.ts'
import { parseClipConfig } from '../encoders/clip.ts'
import { parseVitConfig } from '../encoders/vit.ts'
import type { TensorFile } from '../files/tensor-file.ts'
import { parseViltConfig } from '../vilt.ts'
import { configOfOriginalVilt, isOriginalVilt } from './vilt-original.ts'

type ImportedArchitecture = Exclude<BackboneArchitecture, 'mmbt'>

export interface FolderDescription {
  architecture: ImportedArchitecture
  reads: BackboneReads
  sizes: BackboneSizes
  /** config.json as it lies there, or as it was worked out. */
  config: Record<string, unknown>
  isOriginal: boolean
  /** Null for text encoders. */
  images: ImageProcessorConfig | null
  notes: string[]
}

/** Prefixes under which heads keep the tensors of the model itself. */
export const tensorPrefixes: Record<ImportedArchitecture, readonly string[]> = {
  vilt: ['', 'vilt.'], bert: ['', 'bert.'], vit: ['', 'vit.'], deit: ['', 'deit.'], clip: ['', 'clip.'],
}

/** Throws BACKBONE_FOLDER_INCOMPLETE or BACKBONE_CONFIG_UNSUPPORTED. */
export function describeFolder(dir: string, names: readonly string[], weights: TensorFile): FolderDescription {
  const isOriginal = isOriginalVilt(weights)
  const config = names.includes('config.json') ? readJson(dir, 'config.json') : isOriginal ? configOfOriginalVilt(weights) : null
  if (config === null) throw new AppError('BACKBONE_FOLDER_INCOMPLETE', 'There is no config.json beside the weights, and their names are not those of the original ViLT.')
  const { architecture, reads, sizes } = sizesOf(config)
  const notes = isOriginal && !names.includes('config.json') ? ['These are the original ViLT weights without a config.json: sizes were read from the tensors, heads taken as 64 wide.'] : []
  const limit = config['max_image_length']
  // The reference draws anew in every pass, so no two passes over one image agree.
  if (architecture === 'vilt' && typeof limit === 'number' && limit >= 0) notes.push(`The configuration limits an image to ${limit} patches (max_image_length), drawn at random where it has more: here every patch is kept, so that the same image always gives the same prediction.`)
  if (reads === 'text') return { architecture, reads, sizes, config, isOriginal, images: null, notes }
  const images = names.includes('preprocessor_config.json')
    ? parseImageProcessorConfig(readJson(dir, 'preprocessor_config.json'), 'preprocessor_config.json')
    : usualPreparation(architecture, sizes.imageSize!)
  if (!names.includes('preprocessor_config.json')) notes.push(`There is no preprocessor_config.json: images are prepared as the published ${architecture.toUpperCase()} models want them, at ${sidesText(sizes.imageSize!)} pixels.`)
  return { architecture, reads, sizes, config, isOriginal, images, notes }
}

function sizesOf(config: Record<string, unknown>): Pick<FolderDescription, 'architecture' | 'reads' | 'sizes'> {
  const base = (model: { hidden_size: number; num_hidden_layers: number; num_attention_heads: number }) =>
    ({ width: model.hidden_size, blocks: model.num_hidden_layers, heads: model.num_attention_heads, imageSize: null, patchSize: null, textPositions: null, vocabulary: null })
  switch (config['model_type']) {
    case 'vilt': {
      const vilt = parseViltConfig(config)
      return { architecture: 'vilt', reads: 'joint', sizes: { ...base(vilt), imageSize: vilt.image_size, patchSize: vilt.patch_size, textPositions: vilt.max_position_embeddings, vocabulary: vilt.vocab_size } }
    }
    case 'bert': {
      const bert = parseBertConfig(config)
      return { architecture: 'bert', reads: 'text', sizes: { ...base(bert), textPositions: bert.max_position_embeddings, vocabulary: bert.vocab_size } }
    }
    case 'vit':
    case 'deit': {
      const vit = parseVitConfig(config)
      return { architecture: vit.model_type, reads: 'image', sizes: { ...base(vit), imageSize: narrowSides(vit.image_size), patchSize: narrowSides(vit.patch_size) } }
    }
    case 'clip': {
      const { text, vision } = parseClipConfig(config)
      return { architecture: 'clip', reads: 'pair', sizes: { ...base(vision), imageSize: vision.image_size, patchSize: vision.patch_size, textPositions: text.max_position_embeddings, vocabulary: text.vocab_size } }
    }
    default: {
      const type = config['model_type']
      throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', `${typeof type === 'string' ? `"${type.slice(0, 40)}" models are` : 'A model without model_type is'} not supported; ViLT, BERT (with MiniLM and PubMedBERT), ViT, DeiT and CLIP are.`)
    }
  }
}

const narrowSides = ([height, width]: [number, number]): PixelSides => (height === width ? height : [height, width])

/** What the published models of a family want, at the model's own size. */
function usualPreparation(architecture: ImportedArchitecture, sides: PixelSides): ImageProcessorConfig {
  const [height, width] = bothSides(sides)
  if (architecture === 'vit' || architecture === 'deit') return { ...vitConfig, width, height } as ImageProcessorConfig
  const side = height // ViLT and CLIP are square
  if (architecture === 'vilt') return { ...viltConfig, shortestEdge: side, longestEdge: Math.trunc((1333 / 800) * side) } as ImageProcessorConfig
  return { ...clipConfig, shortestEdge: side, cropWidth: side, cropHeight: side } as ImageProcessorConfig
}

function readJson(dir: string, name: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(join(dir, name), 'utf8'))
  } catch (error) {
    throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', `${name} is not a readable JSON file.`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new AppError('BACKBONE_CONFIG_UNSUPPORTED', `${name} does not hold settings.`)
  return value as Record<string, unknown>
}

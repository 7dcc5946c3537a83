/** Opens the model of a backbone folder, whatever its family, with everything that prepares its inputs. */
import { createHash } from 'node:crypto'
import type { Compute } from '../../compute/backend.ts'
import type { BackboneSizes } from '../../domain/backbones.ts'
import { AppError } from '../../domain/errors.ts'
import type { ImageProcessorConfig } from '../../modalities/image.ts'
import type { TextTokenizer } from '../../modalities/text-tokenizer.ts'
import type { Backbone } from '../backbone.ts'
import { loadBert, parseBertConfig } from '../bert.ts'
import { loadClip, parseClipConfig } from '../encoders/clip.ts'
import { type ImageTower, type TextTower, bertTower, clipTowers, createTowers, vitTower } from '../encoders/towers.ts'
import { loadVit, parseVitConfig } from '../encoders/vit.ts'
import { loadVilt, parseViltConfig } from '../vilt.ts'
import { type WeightSource, fileWeightSource } from '../weight-source.ts'
import { type FolderDescription, describeFolder, tensorPrefixes } from './architecture.ts'
import { openWeights } from './open-weights.ts'
import { openBytePairsOf, openWordPieceOf } from './text-files.ts'
import { originalViltSource } from './vilt-original.ts'

export interface BackboneFolder {
  id: string
  /** Content hash: the identity of the weights in run records. */
  hash: string
  dir: string
  names: readonly string[]
}

export interface LoadOptions {
  /** Reads the texts of a model whose folder has no tokeniser but whose vocabulary is bert-base-uncased's. */
  usualTokenizer?: (vocabularySize: number) => TextTokenizer | null
  /** Longest text of the run in tokens; ViLT's positions are stretched to it. */
  textTokens?: number
  /** Told the stored name of every tensor that the model reads. */
  onRead?: (name: string) => void
}

export interface ImportedModel {
  description: FolderDescription
  backbone: Backbone
  /** Null when the model reads no text or its folder has no tokeniser. */
  tokenizer: TextTokenizer | null
  images: ImageProcessorConfig | null
  /** The encoders inside, so that two folders can be joined as a pair; null for a model that reads both together. */
  towers: Towers | null
  /** What was assumed. */
  notes: string[]
}

interface Towers {
  text: TextTower | null
  image: ImageTower | null
}

interface OpenedFolder {
  description: FolderDescription
  source: WeightSource
  tokenizer: TextTokenizer | null
  notes: string[]
  close: () => void
}

/** Frame of an empty text for models whose tokeniser is not there: bert-base-uncased's [CLS] and [SEP]. */
const usualFrame = Int32Array.of(101, 102)

function openFolder(folder: BackboneFolder, options: LoadOptions): OpenedFolder {
  const weights = openWeights(folder.dir, folder.names)
  try {
    const description = describeFolder(folder.dir, folder.names, weights)
    const seen: typeof weights = options.onRead === undefined ? weights : {
      ...weights,
      readFloats: (name) => {
        options.onRead!(name)
        return weights.readFloats(name)
      },
    }
    const own = fileWeightSource(seen, folder.hash, tensorPrefixes[description.architecture])
    const { tokenizer, notes } = openTokenizer(folder, description, options)
    return { description, source: description.isOriginal ? originalViltSource(own) : own, tokenizer, notes: [...description.notes, ...notes], close: weights.close }
  } catch (error) {
    weights.close()
    throw error
  }
}

function openTokenizer({ dir, names }: BackboneFolder, { architecture, reads, sizes }: FolderDescription, options: LoadOptions): { tokenizer: TextTokenizer | null; notes: string[] } {
  if (reads === 'image') return { tokenizer: null, notes: [] }
  const tokenizer = architecture === 'clip' ? openBytePairsOf(dir, names) : openWordPieceOf(dir, names)
  if (tokenizer !== null) {
    if (tokenizer.vocabularySize > sizes.vocabulary!) throw new AppError('TOKENIZER_INVALID', `The tokeniser has ${tokenizer.vocabularySize} entries, the model only ${sizes.vocabulary}.`)
    return { tokenizer, notes: [] }
  }
  // A BERT with the same number of entries may have another vocabulary (PubMedBERT has); every published ViLT has this one.
  const usual = architecture === 'vilt' ? options.usualTokenizer?.(sizes.vocabulary!) ?? null : null
  return usual === null
    ? { tokenizer: null, notes: ['The folder has no tokeniser: runs on this backbone cannot read text.'] }
    : { tokenizer: usual, notes: ['The folder has no tokeniser: texts are read with the vocabulary of bert-base-uncased, as every published ViLT.'] }
}

/** Loads a ViLT, an encoder or CLIP; throws WEIGHTS_*, BACKBONE_* or TOKENIZER_INVALID. The file is closed again; tensors stay until `backbone.dispose`. */
export function loadImported(compute: Compute, folder: BackboneFolder, options: LoadOptions = {}): ImportedModel {
  return allOrNothing(compute, () => load(compute, folder, options))
}

/** Keeps every tensor that was made when `make` succeeds, and frees every one when it throws: a bad file must not cost memory. */
function allOrNothing<T>(compute: Compute, make: () => T): T {
  const engine = compute.tf.engine()
  engine.startScope('load')
  try {
    const made = make()
    for (const tensor of engine.state.activeScope.track) compute.tf.keep(tensor)
    return made
  } finally {
    engine.endScope()
  }
}

function load(compute: Compute, folder: BackboneFolder, options: LoadOptions): ImportedModel {
  const opened = openFolder(folder, options)
  const { description, source, tokenizer, notes } = opened
  try {
    const emptyText = tokenizer?.emptyText ?? ((description.sizes.vocabulary ?? Infinity) > usualFrame[1]! ? usualFrame : Int32Array.of(0))
    const config = description.config
    const base = { description, tokenizer, images: description.images, notes }
    if (description.architecture === 'vilt') {
      const vilt = loadVilt(compute, source, parseViltConfig(config), { emptyText, textPositions: options.textTokens })
      return { ...base, towers: null, backbone: { ...vilt, id: folder.id, weightsHash: folder.hash } }
    }
    const towers = loadTowers(compute, description, source)
    return { ...base, towers, backbone: createTowers({ id: folder.id, hash: folder.hash, emptyText, ...towers }) }
  } finally {
    opened.close()
  }
}

function loadTowers(compute: Compute, description: FolderDescription, source: WeightSource): Towers {
  switch (description.architecture) {
    case 'bert': return { text: bertTower(loadBert(compute, source, parseBertConfig(description.config))), image: null }
    case 'clip': return clipTowers(compute, loadClip(compute, source, parseClipConfig(description.config)))
    default: return { text: null, image: vitTower(compute, loadVit(compute, source, parseVitConfig(description.config))) }
  }
}

/** What a pair takes of one of its encoders; `sizes` are those of its modality. */
export interface PairSide {
  id: string
  hash: string
  notes: string[]
  tokenizer: TextTokenizer | null
  images: ImageProcessorConfig | null
  text: TextTower | null
  image: ImageTower | null
  sizes: Partial<BackboneSizes>
}

function sideOf({ backbone, description, tokenizer, images, notes, towers }: ImportedModel): PairSide {
  const { textPositions, vocabulary, imageSize, patchSize } = description.sizes
  return {
    id: backbone.id, hash: backbone.weightsHash, notes, tokenizer, images,
    text: description.reads === 'text' ? towers?.text ?? null : null, image: description.reads === 'image' ? towers?.image ?? null : null,
    sizes: description.reads === 'text' ? { textPositions, vocabulary } : { imageSize, patchSize },
  }
}

/**
 * A text encoder and an image encoder as one backbone for late fusion: two imported ones, or an imported one beside another. Throws
 * BACKBONE_LACKS_MODALITY when they are not one of each.
 */
export function joinPair(first: ImportedModel, second: ImportedModel | PairSide): ImportedModel {
  const sides = [sideOf(first), 'backbone' in second ? sideOf(second) : second]
  const text = sides.find((side) => side.text !== null)
  const image = sides.find((side) => side.image !== null)
  if (text === undefined || image === undefined) throw new AppError('BACKBONE_LACKS_MODALITY', 'A pair needs one text encoder (BERT) and one image encoder (ViT or DeiT).')
  return {
    tokenizer: text.tokenizer,
    images: image.images,
    description: { ...first.description, reads: 'pair', sizes: { ...first.description.sizes, textPositions: null, vocabulary: null, imageSize: null, patchSize: null, ...text.sizes, ...image.sizes } },
    notes: [...text.notes, ...image.notes],
    towers: null,
    backbone: createTowers({
      id: `${sides[0]!.id}+${sides[1]!.id}`, hash: createHash('sha256').update(sides[0]!.hash).update(sides[1]!.hash).digest('hex'),
      text: text.text, image: image.image, emptyText: text.tokenizer?.emptyText ?? usualFrame,
    }),
  }
}

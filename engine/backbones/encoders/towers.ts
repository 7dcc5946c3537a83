/**
 * Encoders that read one modality each, offered as a backbone: every part becomes one frozen feature vector (METHODS 3 and 5). There are no
 * common blocks, so only methods on frozen features can use it (late fusion, probes, the head alone).
 * Text: mean over the tokens of BERT's last hidden state, or CLIP's projected end-of-text token. Image: the final-normed class token of ViT or
 * DeiT, CLIP's projected class token, or the average of ResNet-50's grid. Each vector has unit length.
 */
import type { Compute } from '../../compute/backend.ts'
import { type Tensor2D, takeFloats } from '../../compute/tensorflow.ts'
import { AppError } from '../../domain/errors.ts'
import { type Backbone, DUMMY_SEGMENT, type GridPart, type PixelPart, type SamplePart, orderParts } from '../backbone.ts'
import type { BertModel } from '../bert.ts'
import { averageGrid } from '../mmbt-join.ts'
import type { Resnet50 } from '../resnet50.ts'
import type { ClipModel } from './clip.ts'
import type { Pixels, Sides } from './patches.ts'
import type { VitModel } from './vit.ts'

interface Tower {
  readonly width: number
  readonly parameterCount: number
  dispose(): void
}

export interface TextTower extends Tower {
  describe(ids: Int32Array): Float32Array
}

export interface ImageTower extends Tower {
  /** The stand-in for a missing image: one of ones. */
  dummyPart(modality: number, slot: number): ImagePart
  describe(part: ImagePart): Float32Array
}

type ImagePart = PixelPart | GridPart

/** A tower over pixels of this height and width. */
function pixelTower([height, width]: Sides, describe: (image: Pixels) => Float32Array): Pick<ImageTower, 'dummyPart' | 'describe'> {
  return {
    dummyPart: (modality, slot) => ({ kind: 'pixels', modality, slot, pixels: new Float32Array(3 * height * width).fill(1), height, width }),
    describe: (part) => {
      if (part.kind !== 'pixels') throw new Error('this tower reads pixels, not grid features')
      return describe(part)
    },
  }
}

/** One row at unit length; everything else that `make` makes is freed. */
function unitVector({ tf }: Compute, make: () => Tensor2D): Float32Array {
  return takeFloats(tf.tidy(() => {
    const x = make()
    return x.div<Tensor2D>(x.norm())
  }))
}

export function bertTower(bert: BertModel): TextTower {
  return { width: bert.config.hidden_size, parameterCount: bert.parameterCount, describe: (ids) => bert.embedSentences([ids]), dispose: bert.dispose }
}

export function vitTower(compute: Compute, vit: VitModel): ImageTower {
  return {
    width: vit.config.hidden_size, parameterCount: vit.parameterCount, dispose: vit.dispose,
    ...pixelTower(vit.config.image_size, (image) => unitVector(compute, () => vit.finalNorm(vit.hiddenStates([image]).at(-1)!.slice([0, 0], [1, -1])))),
  }
}

/** The embedded ResNet-50 over grids that were computed once for each image. */
export function gridTower({ parameterCount, dispose }: Pick<Resnet50, 'parameterCount' | 'dispose'>, depth: number, dummyGrid: Float32Array): ImageTower {
  return {
    width: depth, parameterCount, dispose,
    dummyPart: (modality, slot) => ({ kind: 'grid', modality, slot, features: dummyGrid, count: dummyGrid.length / depth }),
    describe: (part) => {
      if (part.kind !== 'grid') throw new Error('this tower reads grid features, not pixels')
      return averageGrid(part, depth)
    },
  }
}

/** CLIP's two towers; disposing the text tower frees both. */
export function clipTowers(compute: Compute, clip: ClipModel): { text: TextTower; image: ImageTower } {
  return {
    text: {
      width: clip.config.projectionWidth, parameterCount: clip.text.parameterCount, dispose: clip.dispose,
      describe: (ids) => unitVector(compute, () =>
        clip.text.project(clip.text.finalNorm(clip.text.hiddenStates([ids]).at(-1)!.slice([clip.text.pooledIndex(ids), 0], [1, -1])))),
    },
    image: {
      width: clip.config.projectionWidth, parameterCount: clip.vision.parameterCount, dispose: () => {},
      ...pixelTower([clip.config.vision.image_size, clip.config.vision.image_size], (image) => unitVector(compute, () => clip.vision.project(clip.vision.finalNorm(clip.vision.hiddenStates([image]).at(-1)!.slice([0, 0], [1, -1]))))),
    },
  }
}

export interface TowerParts {
  id: string
  hash: string
  text: TextTower | null
  image: ImageTower | null
  /** Token ids of an empty text. */
  emptyText: Int32Array
}

/** Joins up to two towers. Disposing the result disposes them. */
export function createTowers({ id, hash, text, image, emptyText }: TowerParts): Backbone {
  const [textWidth, imageWidth] = [text?.width ?? 0, image?.width ?? 0]
  const width = textWidth + imageWidth
  const lacks = (what: string) => new AppError('BACKBONE_LACKS_MODALITY', `The backbone ${id} reads no ${what}.`)

  const describePart = (part: SamplePart): Float32Array => {
    if (part.kind === 'text') {
      if (text === null) throw lacks('text')
      return text.describe(part.ids)
    }
    if (part.kind === 'tabular') throw new Error('a table is read before the towers')
    if (image === null) throw lacks('images')
    return image.describe(part)
  }

  return {
    id, width,
    heads: 1,
    blocks: [],
    finalNorm: null,
    pooling: 'modality-mean',
    joinsFirstAndLast: false,
    weightsHash: hash,
    pooler: null,
    parameterCount: (text?.parameterCount ?? 0) + (image?.parameterCount ?? 0),
    // One token for each part, text features in the first columns and image features behind them, so that no tower's numbers meet the other's.
    embed: (samples, dummies) => samples.map((sample, index) => {
      const parts = orderParts(sample)
      const x = new Float32Array(parts.length * width)
      parts.forEach((part, token) => x.set(describePart(part), token * width + (part.kind === 'text' ? 0 : textWidth)))
      const segments = parts.map((part) => (dummies?.[index]?.has(part.modality) === true ? DUMMY_SEGMENT : part.modality))
      return { x, tokens: parts.length, segments: Uint8Array.from(segments) }
    }),
    describePart,
    describedWidth: (kind) => (kind === 'text' ? textWidth : imageWidth),
    dummyPart: (kind, modality, slot) => {
      if (kind === 'text') return { kind, modality, ids: emptyText }
      if (image === null) throw lacks('images')
      return image.dummyPart(modality, slot)
    },
    dispose: () => {
      text?.dispose()
      image?.dispose()
    },
  }
}

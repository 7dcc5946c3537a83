/**
 * ViLT's input layer (Kim et al. 2021, arXiv:2102.03334, section 3.1) with its way back by hand, so that one code serves the frozen model,
 * whose tokens are computed once, and methods that train the embeddings. A whole batch is embedded at once: a word table of 30,000 rows
 * must get its gradient once for each step and not once for each sample.
 */
import type { Compute } from '../compute/backend.ts'
import { type Tensor, type Tensor1D, type Tensor2D, disposeAll } from '../compute/tensorflow.ts'
import { AppError } from '../domain/errors.ts'
import { type InputLayer, type InputRole, type PixelPart, type SamplePart, type TextPart, orderParts } from './backbone.ts'
import { patchRows } from './encoders/patches.ts'
import { bilinearTaps } from './encoders/positions.ts'

const text = 'embeddings.text_embeddings'
/** The tensors' names as Hugging Face writes them. */
export const viltInputNames = {
  words: `${text}.word_embeddings.weight`,
  positions: `${text}.position_embeddings.weight`,
  types: `${text}.token_type_embeddings.weight`,
  textGamma: `${text}.LayerNorm.weight`,
  textBeta: `${text}.LayerNorm.bias`,
  modalityTypes: 'embeddings.token_type_embeddings.weight',
  classToken: 'embeddings.cls_token',
  gridPositions: 'embeddings.position_embeddings',
  projection: 'embeddings.patch_embeddings.projection.weight',
  projectionBias: 'embeddings.patch_embeddings.projection.bias',
} as const
type Key = keyof typeof viltInputNames

/** words [V, D], positions [P, D], types [2, D], modalityTypes [M, D], classToken [1, D], gridPositions [1 + side^2, D], projection [D, 3 patch^2], the rest [D]. */
export type ViltInputTensors = Record<Exclude<Key, 'textGamma' | 'textBeta' | 'projectionBias'>, Tensor2D> & Record<'textGamma' | 'textBeta' | 'projectionBias', Tensor1D>

const roles: Record<Key, InputRole> = {
  words: 'table', positions: 'table', types: 'table', modalityTypes: 'table', classToken: 'table', gridPositions: 'table',
  projection: 'weight', projectionBias: 'bias', textGamma: 'norm-gain', textBeta: 'norm-offset',
}

export interface ViltInputSize {
  width: number
  patch: number
  /** Patches on one side of the image that the position grid was made for. */
  side: number
  epsilon: number
  /** Modality types: 0 for text, the others for images in turn. */
  typeCount: number
  textLimit: number
}

/** `frozen` stays the caller's. */
export function createViltInput(compute: Compute, size: ViltInputSize, frozen: ViltInputTensors): { layer: InputLayer; frozen: ViltInputTensors } {
  const { tf, kernels } = compute
  const { width: D, patch, side, textLimit } = size
  const keys = Object.keys(viltInputNames) as Key[]
  const frozenByName = new Map<string, Tensor>(keys.map((key) => [viltInputNames[key], frozen[key]]))
  const indices = (values: readonly number[]): Tensor1D => tf.tensor1d(Int32Array.from(values), 'int32')
  /** Rows summed back to the table they were taken from, [rows, D]. */
  const backToTable = (rows: Tensor2D, taken: readonly number[], tableRows: number): Tensor =>
    tf.tidy(() => tf.scatterND(tf.tensor2d(Int32Array.from(taken), [taken.length, 1], 'int32'), rows, [tableRows, D]))
  const typeOf = ({ slot }: PixelPart): number => (slot + 1 < size.typeCount ? slot + 1 : 1)
  const gridOf = ({ height, width }: PixelPart): [rows: number, columns: number] => [Math.floor(height / patch), Math.floor(width / patch)]

  const tokensOf = (part: SamplePart): number => {
    if (part.kind === 'text') {
      if (part.ids.length > textLimit) throw new AppError('TEXT_TOO_LONG', `A text has ${part.ids.length} tokens; this model reads at most ${textLimit}.`)
      return part.ids.length
    }
    if (part.kind !== 'pixels') throw new Error('ViLT reads pixels, not grid features')
    const [rows, columns] = gridOf(part)
    return 1 + rows * columns
  }

  const forward: InputLayer['forward'] = (samples, tokens, tensors, keep) => {
    const read = <T extends Tensor>(key: Key): T => tensors.get(viltInputNames[key]) as T
    const ordered = samples.map(orderParts)
    const texts = ordered.flat().filter((part): part is TextPart => part.kind === 'text')
    const images = ordered.flat().filter((part): part is PixelPart => part.kind === 'pixels')
    ordered.flat().forEach(tokensOf)
    const words = texts.flatMap(({ ids }) => [...ids])
    const wordTypes = texts.flatMap(({ ids, typeIds }) => [...(typeIds ?? new Int32Array(ids.length))])
    const wordPositions = texts.flatMap(({ ids }) => [...ids.keys()])
    const counts = images.map((image) => tokensOf(image) - 1)
    const patchTypes = images.flatMap((image, i) => new Array<number>(counts[i]!).fill(typeOf(image)))
    const imageTypes = images.map(typeOf)

    /** [words, D] before their norm. */
    const summed: Tensor2D | null = words.length === 0 ? null : tf.tidy(() =>
      read<Tensor2D>('words').gather(indices(words)).add(read<Tensor2D>('types').gather(indices(wordTypes))).add<Tensor2D>(read<Tensor2D>('positions').gather(indices(wordPositions))))
    /** [patches, 3 patch^2] */
    const patches: Tensor2D | null = images.length === 0 ? null : tf.tidy(() => tf.concat2d(images.map((image) => patchRows(compute, image, [patch, patch]).patches), 0))
    /** Position grid of each image from the model's own: [its patches, side^2]. */
    const taps = images.map((image) => tf.tensor2d(bilinearTaps(side, ...gridOf(image)), [tokensOf(image) - 1, side * side]))

    // All rows of the batch in the order words, class tokens, patches; a row of zeros for padding.
    const firstClass = words.length
    const firstPatch = firstClass + images.length
    const zeroRow = firstPatch + patchTypes.length
    const order: number[] = []
    let [nextWord, nextImage, nextPatch] = [0, 0, firstPatch]
    for (const parts of ordered) {
      const start = order.length
      for (const part of parts) {
        if (part.kind === 'text') for (let i = 0; i < part.ids.length; i++) order.push(nextWord++)
        else {
          order.push(firstClass + nextImage)
          for (let i = 0; i < counts[nextImage]!; i++) order.push(nextPatch++)
          nextImage++
        }
      }
      while (order.length < start + tokens) order.push(zeroRow)
    }

    const x = tf.tidy(() => {
      const rows: Tensor2D[] = []
      const modalityTypes = read<Tensor2D>('modalityTypes')
      if (summed !== null) rows.push(kernels.layerNorm(summed, read('textGamma'), read('textBeta'), size.epsilon).add<Tensor2D>(modalityTypes.slice([0, 0], [1, D])))
      if (patches !== null) {
        const grid = read<Tensor2D>('gridPositions')
        const own = grid.slice<Tensor2D>([1, 0], [side * side, D])
        const first = read<Tensor2D>('classToken').add<Tensor2D>(grid.slice([0, 0], [1, D]))
        rows.push(first.add<Tensor2D>(modalityTypes.gather(indices(imageTypes)))) // [images, D]
        const positions = tf.concat2d(taps.map((each) => kernels.matMul(each, own)), 0)
        const content = kernels.addBias(kernels.matMul(patches, read('projection'), false, true), read('projectionBias'))
        rows.push(content.add<Tensor2D>(positions).add<Tensor2D>(modalityTypes.gather(indices(patchTypes))))
      }
      return tf.concat2d([...rows, tf.zeros([1, D]) as Tensor2D], 0).gather<Tensor2D>(indices(order)) // [B * tokens, D]
    })
    const discard = (): void => disposeAll(summed, patches, ...taps)
    if (!keep) discard()

    return {
      x, discard,
      backward: (dx, wants, write) => {
        const gradient = (key: Key, make: () => Tensor): void => {
          const name = viltInputNames[key]
          if (wants(name)) write(name, tf.tidy(make))
        }
        const rowsOf = (key: Key): number => read(key).shape[0]!
        const all = backToTable(dx, order, zeroRow + 1) as Tensor2D // every row but the padding's has one place
        const part = (from: number, count: number): Tensor2D => all.slice<Tensor2D>([from, 0], [count, D])
        const [dWords, dClass, dPatches] = [part(0, words.length), part(firstClass, images.length), part(firstPatch, patchTypes.length)]
        gradient('modalityTypes', () => backToTable(part(0, zeroRow), [...words.map(() => 0), ...imageTypes, ...patchTypes], rowsOf('modalityTypes')))
        gradient('textBeta', () => dWords.sum(0))
        gradient('textGamma', () => (summed === null ? tf.zeros([D])
          : dWords.mul(kernels.layerNorm(summed, tf.ones([D]), tf.zeros([D]), size.epsilon)).sum(0)))
        const dSummed = summed === null ? dWords.clone() : kernels.layerNormGradient(dWords, summed, read('textGamma'), size.epsilon)
        for (const [key, taken] of [['words', words], ['types', wordTypes], ['positions', wordPositions]] as const) {
          gradient(key, () => (words.length === 0 ? tf.zeros([rowsOf(key), D]) : backToTable(dSummed, taken, rowsOf(key))))
        }
        gradient('classToken', () => dClass.sum(0, true))
        gradient('gridPositions', () => {
          let from = 0
          const own = taps.map((each, i) => {
            const rows = dPatches.slice<Tensor2D>([from, 0], [counts[i]!, D])
            from += counts[i]!
            return kernels.matMul(each, rows, true, false)
          })
          const grid = own.reduce((sum, each) => sum.add<Tensor2D>(each), tf.zeros([side * side, D]) as Tensor2D)
          return tf.concat2d([dClass.sum<Tensor2D>(0, true), grid], 0)
        })
        gradient('projectionBias', () => dPatches.sum(0))
        gradient('projection', () => (patches === null ? tf.zeros([D, 3 * patch * patch]) : kernels.matMul(dPatches, patches, true, false)))
        disposeAll(all, dWords, dClass, dPatches, dSummed)
        discard()
      },
    }
  }

  return { frozen, layer: { frozen: frozenByName, roles: new Map(keys.map((key) => [viltInputNames[key], roles[key]])), tokensOf, forward } }
}

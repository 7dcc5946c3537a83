import { sidesText } from '../../domain/backbones.ts'
import type { RunConfig } from '../../domain/run.ts'
import type { Slot } from '../../domain/slots.ts'
import type { Session } from './session.ts'

/** Where an imported backbone is used in another way than it was trained: said in the record of every run. */
export function backboneNotes({ imported }: Pick<Session, 'imported'>, config: RunConfig, slots: readonly Slot[]): string[] {
  if (imported === null) return []
  const { description, images } = imported
  const { sizes, reads, architecture } = description
  const notes = [...imported.notes]
  const hasText = slots.some(({ modality }) => modality === 'text')
  const imageCount = slots.filter(({ modality }) => modality === 'image').length
  const positions = sizes.textPositions
  if (hasText && positions !== null && config.maxTextTokens > positions) {
    notes.push(reads === 'joint'
      ? `The backbone knows ${positions} text positions; for texts of ${config.maxTextTokens} tokens its table was stretched linearly, as the reference code of ViLT with longer texts does.`
      : `The backbone reads at most ${positions} tokens, as its reference: longer texts are cut there.`)
  }
  if (architecture === 'vilt') {
    const types = Number(description.config['modality_type_vocab_size'] ?? 2) - 1
    if (imageCount > types) notes.push(`The backbone has ${types === 1 ? 'one image-type embedding' : `${types} image-type embeddings`} for ${imageCount} images: further images take a copy of the first, as ViLT's own two-image head began with.`)
    if (imageCount > 0) notes.push(`The position grid of the backbone (${sidesText(sizes.imageSize!)} pixels) is interpolated bilinearly to the size of each image, as its reference does.`)
  } else if (imageCount > 0 && images !== null && images.kind !== 'vilt') {
    const [width, height] = images.kind === 'vit' ? [images.width, images.height] : [images.cropWidth, images.cropHeight]
    const own = sizes.imageSize
    const text = sidesText([height, width])
    if (own !== null && text !== sidesText(own)) notes.push(`Images are prepared at ${width} x ${height} pixels and the backbone was trained at ${sidesText(own)}: its position grid is interpolated bicubically${typeof own === 'number' ? ', as its reference does' : ' in its own shape; its reference would take it for a square'}.`)
  }
  return notes
}

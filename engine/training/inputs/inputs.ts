import type { ModalitySpec, Sample } from '../../adapters/network.ts'
import { AppError } from '../../domain/errors.ts'
import type { RunConfig } from '../../domain/run.ts'
import { slotIdsOfPattern, type Slot } from '../../domain/slots.ts'
import { parseTabularItem } from '../../domain/tabular.ts'
import { encodeTabular, fitTabular, type TabularStatistics } from '../../modalities/tabular.ts'
import type { TrainingStudy } from '../../domain/exchange.ts'
import type { ImageParts, InputReader } from './input-reader.ts'

/** The modalities that a run's adapter tells apart, and which one each slot belongs to. */
export interface ModalityPlan {
  modalities: ModalitySpec[]
  modalityOfSlot: Map<string, number>
  /** Place of each image slot among the images (0 right eye, 1 left eye, ...). */
  imageIndexOfSlot: Map<string, number>
  /** Place of each tabular slot among the tables. */
  tabularIndexOfSlot: Map<string, number>
}

/**
 * Groups slots into modalities: all images as one, all texts as one (as the paper's two) and all tables as one, or each image and table as its own.
 * Texts always form one modality, because they are read as one sequence.
 */
export function planModalities(slots: readonly Slot[], by: RunConfig['mora']['modalitiesBy']): ModalityPlan {
  const images = slots.filter((slot) => slot.modality === 'image')
  const texts = slots.filter((slot) => slot.modality === 'text')
  const tables = slots.filter((slot) => slot.modality === 'tabular')
  const tabularIndexOfSlot = new Map(tables.map((slot, index) => [slot.slotId, index]))
  const imageIndexOfSlot = new Map(images.map((slot, index) => [slot.slotId, index]))
  const modalities: ModalitySpec[] = []
  const modalityOfSlot = new Map<string, number>()
  const add = (spec: ModalitySpec, members: readonly Slot[]) => {
    for (const slot of members) modalityOfSlot.set(slot.slotId, modalities.length)
    modalities.push(spec)
  }
  if (texts.length > 0) add({ name: 'text', kind: 'text', slots: [] }, texts)
  if (by === 'slot') images.forEach((slot, index) => add({ name: slot.slotId, kind: 'image', slots: [index] }, [slot]))
  else if (images.length > 0) add({ name: 'image', kind: 'image', slots: images.map((_, index) => index) }, images)
  if (by === 'slot') tables.forEach((slot, index) => add({ name: slot.slotId, kind: 'tabular', slots: [index] }, [slot]))
  else if (tables.length > 0) add({ name: 'tabular', kind: 'tabular', slots: tables.map((_, index) => index) }, tables)
  return { modalities, modalityOfSlot, imageIndexOfSlot, tabularIndexOfSlot }
}

/** The pattern that a study really has, over the run's slots. */
export function actualPattern(slots: readonly Slot[], study: Pick<TrainingStudy, 'items'>): string {
  const present = new Set(study.items.map((item) => item.slotId))
  return slots.filter((slot) => present.has(slot.slotId)).map((slot) => slot.slotId).join('+')
}

/** Builds what the network reads: a study under a presence pattern as a list of parts. */
export function createSampleBuilder(slots: readonly Slot[], plan: ModalityPlan, reader: InputReader, images: ImageParts, maxTextTokens: number, tables: TabularStatistics) {
  const textSlots = slots.filter((slot) => slot.modality === 'text')

  /** @returns the parts of the pattern's slots; never empty, because a pattern is not */
  return async function buildSample(study: TrainingStudy, pattern: string): Promise<Sample> {
    const wanted = new Set(slotIdsOfPattern(pattern))
    const itemOf = new Map(study.items.filter((item) => wanted.has(item.slotId)).map((item) => [item.slotId, item]))
    const parts: Sample[number][] = []
    const texts = textSlots.flatMap((slot) => itemOf.get(slot.slotId)?.text ?? [])
    if (texts.length > 0) {
      if (reader.tokenizer === null) throw new AppError('BACKBONE_LACKS_MODALITY', 'The chosen backbone reads no text.')
      const encoding = reader.tokenizer.encode(texts.join(' '), { maxLength: reader.textTokens(maxTextTokens) })
      parts.push({ kind: 'text', modality: plan.modalityOfSlot.get(textSlots[0]!.slotId)!, ids: encoding.ids.slice(0, encoding.tokenCount) })
    }
    for (const [slotId, imageIndex] of plan.imageIndexOfSlot) {
      const item = itemOf.get(slotId)
      if (!item) continue
      parts.push(await images.read(item.sha256, plan.modalityOfSlot.get(slotId)!, imageIndex))
    }
    for (const [slotId, tabularIndex] of plan.tabularIndexOfSlot) {
      const text = itemOf.get(slotId)?.text ?? null
      if (text === null) continue
      parts.push({ kind: 'tabular', modality: plan.modalityOfSlot.get(slotId)!, slot: tabularIndex, features: encodeTabular(parseTabularItem(text), tables[slotId] ?? []) })
    }
    return parts
  }
}

/** Studies whose text would be cut, told as a note of the run: cut text is missing text. */
export function countTruncatedTexts(slots: readonly Slot[], studies: readonly TrainingStudy[], { tokenizer, textTokens }: InputReader, maxTextTokens: number): number {
  if (tokenizer === null) return 0
  const texts = new Set(slots.filter((slot) => slot.modality === 'text').map((slot) => slot.slotId))
  return studies.filter((study) => {
    const text = study.items.flatMap((item) => (texts.has(item.slotId) ? (item.text ?? []) : [])).join(' ')
    return text !== '' && tokenizer.encode(text, { maxLength: textTokens(maxTextTokens) }).isTruncated
  }).length
}

/** Means, spreads and categories of each table, counted on these studies only: the training patients of a fold. */
export function tabularStatisticsOf(plan: ModalityPlan, studies: readonly Pick<TrainingStudy, 'items'>[]): TabularStatistics {
  return Object.fromEntries([...plan.tabularIndexOfSlot.keys()].map((slotId) =>
    [slotId, fitTabular(studies.flatMap((study) => study.items.flatMap((item) => (item.slotId === slotId && item.text !== null ? [parseTabularItem(item.text)] : []))))]))
}

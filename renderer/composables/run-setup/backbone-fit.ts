import type { BackboneEntry } from '../../../electron/contract/contract.ts'
import { backboneIdsOf, methodsOnSeparateEncoders } from '../../../engine/domain/backbones.ts'
import type { AdapterName, RunConfig } from '../../../engine/domain/run.ts'
import type { Modality } from '../../../engine/domain/slots.ts'

/** Blocks of the usual base size (ViLT-B/32, BERT-base, ViT-B/16), while nothing better is known. */
const usualBlockCount = 12

/** Why a backbone cannot be used: the method, a modality it does not read, or its files. */
export type Unfit = 'method' | 'text' | 'image' | 'broken'

/** One backbone, or a text and an image encoder together, as the run set-up offers it. */
export interface BackboneOption {
  backboneId: string
  parts: BackboneEntry[]
  /** Null where it fits. */
  unfit: Unfit | null
}

/**
 * Every backbone and every pair of a text and an image encoder (text first), each with the reason for which it cannot serve the method and the chosen items.
 * The same rules as the engine's own refusal, told before the start.
 */
export function backboneOptionsOf(entries: readonly BackboneEntry[], adapter: AdapterName, modalities: readonly Modality[]): BackboneOption[] {
  const texts = entries.filter(({ reads }) => reads === 'text')
  const images = entries.filter(({ reads }) => reads === 'image')
  // The embedded model lends one of its encoders to an imported one of the other modality.
  const embedded = entries.filter(({ isEmbedded }) => isEmbedded)
  const pairs = [...texts, ...embedded].flatMap((text) => (text.isEmbedded ? images : [...images, ...embedded]).map((image) => [text, image]))
  return [...entries.map((entry) => [entry]), ...pairs].map((parts) => ({ backboneId: parts.map(({ backboneId }) => backboneId).join('+'), parts, unfit: unfitOf(parts, adapter, modalities) }))
}

/** Which of its encoders the embedded model lends to a pair; null for any other part. */
export function lentSideOf({ parts }: Pick<BackboneOption, 'parts'>, index: number): 'text' | 'image' | null {
  return parts.length === 2 && parts[index]!.isEmbedded ? (['text', 'image'] as const)[index]! : null
}

function unfitOf(parts: readonly BackboneEntry[], adapter: AdapterName, modalities: readonly Modality[]): Unfit | null {
  if (parts.some(({ state }) => state === 'changed' || state === 'incomplete')) return 'broken'
  const reads = new Set(parts.flatMap((part) => (part.reads === 'joint' || part.reads === 'pair' ? ['text', 'image'] as const : [part.reads])))
  const unread = (['text', 'image'] as const).find((modality) => modalities.includes(modality) && !reads.has(modality))
  if (unread !== undefined) return unread
  return parts.every((part) => part.reads === 'joint') || methodsOnSeparateEncoders.has(adapter) ? null : 'method'
}

/** Blocks beside which an adapter can be placed. */
export function blockCountOf(entries: readonly BackboneEntry[], backbone: RunConfig['backbone']): number {
  const [first] = backboneIdsOf(backbone)
  return entries.find(({ backboneId }) => backboneId === first)?.blockCount ?? usualBlockCount
}

/** The draft with only those blocks that the backbone has, and at least its first. */
export function withBlocksWithin(config: RunConfig, blockCount: number): RunConfig {
  const within = (blocks: readonly number[]): number[] => {
    const kept = blocks.filter((block) => block < blockCount)
    return kept.length > 0 || blocks.length === 0 ? kept : [0]
  }
  return { ...config, mora: { ...config.mora, blocks: within(config.mora.blocks) }, prompt: { ...config.prompt, blocks: within(config.prompt.blocks) } }
}

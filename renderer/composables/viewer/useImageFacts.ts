import { onScopeDispose, ref, watch, type Ref } from 'vue'
import type { PageItem } from '../../../electron/contract/contract.ts'
import type { ImageFacts, ImageWindow } from '../../../engine/domain/image-facts.ts'
import { call } from '../../api.ts'

/** An ordinary picture; also stands in until the facts of a file are there. */
export const plainFacts: ImageFacts = { isDicom: false, hasWindow: false, center: 127.5, width: 255, isInverted: false, presets: [], directions: null, laterality: null, view: null, frameCount: 1, pixelAspect: 1 }

/** Asked for once scrolling through frames rests this long. */
const restMs = 120

/**
 * Facts of the pictures on the page by slot, for the frame that each shows; those of the frame before stay until they are there. A
 * picture whose facts cannot be had is viewed like an ordinary one.
 */
export function useImageFacts(studyId: () => number, items: () => readonly PageItem[], frameOf: (slotId: string, frameCount: number) => number): { facts: Ref<Record<string, ImageFacts>> } {
  const facts = ref<Record<string, ImageFacts>>({})
  const countOf = (slotId: string): number => facts.value[slotId]?.frameCount ?? 1
  const shown = (slotId: string): number => frameOf(slotId, countOf(slotId))
  let latest = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const load = async (id: number, slots: readonly string[], mine: number): Promise<void> => {
    for (const slotId of slots) {
      const found = await call('patients:image-facts', { studyId: id, slotId, frame: shown(slotId) }).catch(() => null)
      if (mine !== latest) return
      if (found !== null) facts.value = { ...facts.value, [slotId]: found }
    }
  }
  const slots = (): string[] => items().filter((item) => item.url !== null).map(({ slotId }) => slotId)
  // Sources one by one: a list made anew would count as changed with every answer, and each would call off the rest.
  watch([studyId, () => slots().map(shown).join()], ([id], [beforeId]) => {
    latest += 1
    clearTimeout(timer)
    const mine = latest
    if (beforeId !== id) {
      facts.value = {}
      void load(id, slots(), mine)
    } else timer = setTimeout(() => void load(id, slots().filter((slotId) => facts.value[slotId] === undefined || countOf(slotId) > 1), mine), restMs)
  }, { immediate: true })
  onScopeDispose(() => clearTimeout(timer))
  return { facts }
}

/** Address of a picture drawn under a window of its own (null: the file's) and of one of its frames (null: the one that the model sees). */
export function urlOfLook(url: string, window: ImageWindow | null, frame: number | null): string {
  const withFrame = frame === null ? url : `${url}&frame=${frame}`
  return window === null ? withFrame : `${withFrame}&center=${window.center.toPrecision(6)}&width=${window.width.toPrecision(6)}`
}

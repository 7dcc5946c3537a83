import { ref, watch, type Ref } from 'vue'
import type { PageItem } from '../../../electron/contract/contract.ts'
import type { ImageFacts, ImageWindow } from '../../../engine/domain/image-facts.ts'
import { call } from '../../api.ts'

/** An ordinary picture; also stands in until the facts of a file are there. */
export const plainFacts: ImageFacts = { isDicom: false, hasWindow: false, center: 127.5, width: 255, isInverted: false, presets: [], directions: null, laterality: null, view: null }

/** Facts of the pictures on the page by slot. A picture whose facts cannot be had is viewed like an ordinary one. */
export function useImageFacts(studyId: () => number, items: () => readonly PageItem[]): { facts: Ref<Record<string, ImageFacts>> } {
  const facts = ref<Record<string, ImageFacts>>({})
  let latest = 0
  watch(studyId, async (id) => {
    latest += 1
    const mine = latest
    facts.value = {}
    for (const { slotId } of items().filter((item) => item.url !== null)) {
      const found = await call('patients:image-facts', { studyId: id, slotId }).catch(() => null)
      if (mine !== latest) return
      if (found !== null) facts.value = { ...facts.value, [slotId]: found }
    }
  }, { immediate: true })
  return { facts }
}

/** Address of a picture drawn under a window of its own. */
export function urlOfWindow(url: string, window: ImageWindow): string {
  return `${url}&center=${window.center.toPrecision(6)}&width=${window.width.toPrecision(6)}`
}

import { computed, ref, type ComputedRef, type Ref } from 'vue'
import { differencesOf, plainLook, type ImageLook } from './image-look.ts'

/** One look for all pictures of a page while they are linked, else one for each. */
export function useImageLooks(isLinked: Ref<boolean>): {
  isChanged: ComputedRef<boolean>
  lookOf: (slotId: string) => ImageLook
  change: (slotId: string, update: (look: ImageLook) => ImageLook) => void
  reset: () => void
} {
  const shared = ref<ImageLook>(plainLook)
  const own = ref<Record<string, ImageLook>>({})
  const lookOf = (slotId: string): ImageLook => (isLinked.value ? shared.value : own.value[slotId] ?? shared.value)
  const change = (slotId: string, update: (look: ImageLook) => ImageLook): void => {
    const next = update(lookOf(slotId))
    if (isLinked.value) {
      shared.value = next
      own.value = {}
    } else own.value = { ...own.value, [slotId]: next }
  }
  const reset = (): void => {
    shared.value = plainLook
    own.value = {}
  }
  const isChanged = computed(() => [shared.value, ...Object.values(own.value)].some((look) => differencesOf(look).length > 0))
  return { isChanged, lookOf, change, reset }
}

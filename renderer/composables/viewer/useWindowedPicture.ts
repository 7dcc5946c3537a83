import { computed, onScopeDispose, ref, watch, type ComputedRef } from 'vue'
import type { ImageFacts, ImageWindow } from '../../../engine/domain/image-facts.ts'
import { hasOwnWindow, lineBetween, shownFrame, windowOfLook, type ImageLook } from './image-look.ts'
import { urlOfLook } from './useImageFacts.ts'

/** Drawn anew once the drag, or scrolling through frames, rests this long. */
const restMs = 180
const frameRestMs = 60

/**
 * Address and grey line of a picture under a look: while dragging the picture at hand is stretched, at rest it is drawn anew
 * from the stored values, which holds what the window before had cut off.
 */
export function useWindowedPicture(url: () => string | null, facts: () => ImageFacts, look: () => ImageLook, modelFrame: () => number): {
  shownUrl: ComputedRef<string | null>
  line: ComputedRef<{ slope: number; intercept: number }>
  onLoad: () => void
} {
  /** The window asked for and the one of the picture on the screen; null is the file's own. */
  const asked = ref<ImageWindow | null>(null)
  const drawn = ref<ImageWindow | null>(null)
  const wanted = computed((): ImageWindow | null => (hasOwnWindow(look()) ? null : windowOfLook(look(), facts())))
  const shown = (): number => shownFrame(look(), { frameCount: facts().frameCount, modelFrame: modelFrame() })
  const frame = ref(modelFrame())
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(url, () => { [asked.value, drawn.value, frame.value] = [null, null, shown()] })
  watch(() => [url(), wanted.value, facts().hasWindow, shown()] as const, ([, window, hasWindow, wantedFrame]) => {
    clearTimeout(timer)
    const isFrame = wantedFrame !== frame.value
    timer = setTimeout(() => { [asked.value, frame.value] = [hasWindow ? window : null, wantedFrame] }, isFrame ? frameRestMs : window === null ? 0 : restMs)
  }, { immediate: true })
  onScopeDispose(() => clearTimeout(timer))
  const shownUrl = computed(() => {
    const plain = url()
    return plain === null ? plain : urlOfLook(plain, asked.value, frame.value === modelFrame() ? null : frame.value)
  })
  const line = computed(() => {
    const { center, width, isInverted } = facts()
    return lineBetween(drawn.value ?? { center, width }, wanted.value ?? { center, width }, isInverted)
  })
  return { shownUrl, line, onLoad: () => { drawn.value = asked.value } }
}

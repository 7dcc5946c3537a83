import { computed, ref, type ComputedRef, type Ref } from 'vue'

/** Part of a picture on show: `scale` 1 = fitted; `x`, `y` = shift of the centre in shares of the frame, so that two frames can follow each other. */
export interface ZoomView { scale: number; x: number; y: number }

export const fittedView: ZoomView = { scale: 1, x: 0, y: 0 }
export const largestScale = 16

/** Keeps the picture over the frame: at scale s the centre may move by half of what sticks out. */
export function clampView(view: ZoomView): ZoomView {
  const scale = Math.min(Math.max(view.scale, 1), largestScale)
  const reach = (scale - 1) / 2
  const within = (shift: number): number => Math.min(Math.max(shift, -reach), reach) + 0
  return { scale, x: within(view.x), y: within(view.y) }
}

/** Zooms by `factor` and keeps the point under the pointer where it is. `point` is measured from the frame's centre, in shares of the frame. */
export function zoomAt(view: ZoomView, point: { x: number; y: number }, factor: number): ZoomView {
  const scale = Math.min(Math.max(view.scale * factor, 1), largestScale)
  const ratio = scale / view.scale
  return clampView({ scale, x: point.x - (point.x - view.x) * ratio, y: point.y - (point.y - view.y) * ratio })
}

/** Moves the picture by a share of the frame. */
export function panBy(view: ZoomView, dx: number, dy: number): ZoomView {
  return clampView({ scale: view.scale, x: view.x + dx, y: view.y + dy })
}

/** One zoom for all pictures of a page while they are linked, else one for each. */
export function useImageZoom(): {
  isLinked: Ref<boolean>
  isZoomed: ComputedRef<boolean>
  viewOf: (slotId: string) => ZoomView
  change: (slotId: string, update: (view: ZoomView) => ZoomView) => void
  reset: () => void
} {
  const isLinked = ref(true)
  const shared = ref<ZoomView>(fittedView)
  const own = ref<Record<string, ZoomView>>({})
  const viewOf = (slotId: string): ZoomView => (isLinked.value ? shared.value : (own.value[slotId] ?? shared.value))
  const change = (slotId: string, update: (view: ZoomView) => ZoomView): void => {
    const next = update(viewOf(slotId))
    if (isLinked.value) {
      shared.value = next
      own.value = {}
    } else own.value = { ...own.value, [slotId]: next }
  }
  const reset = (): void => {
    shared.value = fittedView
    own.value = {}
  }
  const isZoomed = computed(() => shared.value.scale > 1 || Object.values(own.value).some((view) => view.scale > 1))
  return { isLinked, isZoomed, viewOf, change, reset }
}

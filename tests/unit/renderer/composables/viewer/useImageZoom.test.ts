import { describe, expect, it } from 'vitest'
import { clampView, fittedView, largestScale, panBy, useImageZoom, zoomAt } from '../../../../../renderer/composables/viewer/useImageZoom.ts'

describe('zoom of a picture', () => {
  it('keeps the point under the pointer', () => {
    const point = { x: 0.2, y: -0.1 }
    const before = { scale: 2, x: 0.1, y: 0.05 }
    const after = zoomAt(before, point, 1.5)
    // The picture point under the pointer is (point - shift) / scale in both views.
    expect((point.x - after.x) / after.scale).toBeCloseTo((point.x - before.x) / before.scale, 12)
    expect((point.y - after.y) / after.scale).toBeCloseTo((point.y - before.y) / before.scale, 12)
  })
  it('never leaves the frame and never shrinks below fitted', () => {
    expect(zoomAt(fittedView, { x: 0.4, y: 0.4 }, 0.5)).toEqual(fittedView)
    expect(panBy({ scale: 2, x: 0, y: 0 }, 9, -9)).toEqual({ scale: 2, x: 0.5, y: -0.5 })
    expect(clampView({ scale: 99, x: 0, y: 0 }).scale).toBe(largestScale)
    expect(panBy(fittedView, 0.3, 0.3)).toEqual(fittedView)
  })
  it('moves all pictures together while linked, one when not', () => {
    const zoom = useImageZoom()
    zoom.change('right-eye', (view) => zoomAt(view, { x: 0, y: 0 }, 2))
    expect(zoom.viewOf('left-eye').scale).toBe(2)
    zoom.isLinked.value = false
    zoom.change('right-eye', (view) => zoomAt(view, { x: 0, y: 0 }, 2))
    expect([zoom.viewOf('right-eye').scale, zoom.viewOf('left-eye').scale]).toEqual([4, 2])
    zoom.reset()
    expect([zoom.viewOf('right-eye'), zoom.isZoomed.value]).toEqual([fittedView, false])
  })
})

/**
 * Plots wait in line, one for each frame. Each takes 10 to 30 ms of processor time when it is drawn first; two or three in one task
 * would hold the page up for longer than the 50 ms that a reader does not notice.
 */
export interface DrawQueue {
  /** Draws soon; asked again before that, only the newer drawing is done. Returns a function that takes it back. */
  add: (key: object, draw: () => void) => () => void
}

/** `afterFrame` calls back once the page has been painted; tests hand in their own. */
export function createDrawQueue(afterFrame: (next: () => void) => void): DrawQueue {
  const waiting = new Map<object, () => void>()
  let isDrawing = false

  function drawNext(): void {
    const first = waiting.entries().next()
    if (first.done === true) {
      isDrawing = false
      return
    }
    const [key, draw] = first.value
    waiting.delete(key)
    // The next in line is drawn whatever becomes of this one.
    afterFrame(drawNext)
    draw()
  }

  return {
    add: (key, draw) => {
      waiting.set(key, draw)
      if (!isDrawing) {
        isDrawing = true
        afterFrame(drawNext)
      }
      return () => void waiting.delete(key)
    },
  }
}

/** A task of its own after the next frame: work inside the frame callback would count to the frame. */
export const drawQueue = createDrawQueue((next) => requestAnimationFrame(() => setTimeout(next)))

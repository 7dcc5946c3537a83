/** Turns counts into "done, total, seconds left" from the pace so far; silent until there is something to go by. */
export function createPace(total: number): { at: (done: number) => { done: number; total: number; secondsLeft: number | null } } {
  const startedMs = performance.now()
  return {
    at: (done) => {
      const elapsedSeconds = (performance.now() - startedMs) / 1000
      const secondsLeft = done > 0 && elapsedSeconds > 1 ? (elapsedSeconds / done) * (total - done) : null
      return { done, total, secondsLeft }
    },
  }
}

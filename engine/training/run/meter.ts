import type { Spent } from './resume-state.ts'

/** What a run takes, told over every session that it was trained in: a resumed run must not look as if its last hour were all. */
export interface Meter {
  /** Looks at the memory in use; to be called often. */
  sample: () => void
  /** Adds what earlier sessions of the run took. */
  goOnFrom: (earlier: Spent | null) => void
  /** Until now; `notes` are those of this session. */
  spent: (notes: readonly string[]) => Spent
}

export function startMeter(): Meter {
  const startedMs = performance.now()
  const peakBefore = processPeakBytes()
  let highestSeen = 0
  let earlier: Spent = { elapsedMs: 0, peakBytes: 0, notes: [] }
  const sample = (): void => { highestSeen = Math.max(highestSeen, process.memoryUsage.rss()) }
  sample()
  return {
    sample,
    goOnFrom: (spent) => { earlier = spent ?? earlier },
    spent: (notes) => {
      sample()
      const peak = processPeakBytes()
      return {
        elapsedMs: earlier.elapsedMs + performance.now() - startedMs,
        // The system keeps one peak for the life of a process, which trains run after run: only where this run raised it is it this run's.
        peakBytes: Math.max(earlier.peakBytes, peak > peakBefore ? peak : highestSeen),
        notes: [...earlier.notes.filter((note) => !notes.includes(note)), ...notes],
      }
    },
  }
}

const processPeakBytes = (): number => process.resourceUsage().maxRSS * 1024

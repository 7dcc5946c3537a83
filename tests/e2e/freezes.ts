import type { LaunchedApp } from './launch.ts'

/** How long the two threads that must stay free were blocked, in milliseconds. */
export interface Freezes {
  /** Long tasks of the page (those over 50 ms; the browser tells no shorter ones). */
  pageOver50: number
  pageWorst: number
  /** Delay of the event loop of the process of the windows, beyond its own sampling step. */
  mainP99: number
  mainWorst: number
  seconds: number
}

const samplingMs = 5

/** Begins to measure; the returned function ends it. */
export async function watchFreezes({ page, application }: LaunchedApp): Promise<() => Promise<Freezes>> {
  const startedMs = performance.now()
  await page.evaluate(`{
    const tasks = []
    const observer = new PerformanceObserver((list) => { for (const entry of list.getEntries()) tasks.push(entry.duration) })
    observer.observe({ type: 'longtask' })
    window.endFreezeWatch = () => { observer.disconnect(); return tasks }
  }`)
  await application.evaluate((_electron, resolution) => {
    const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks')
    const histogram = monitorEventLoopDelay({ resolution })
    histogram.enable()
    Object.assign(globalThis, { freezeHistogram: histogram })
  }, samplingMs)
  return async () => {
    const tasks = await page.evaluate<number[]>('window.endFreezeWatch()')
    const main = await application.evaluate(() => {
      const { freezeHistogram: histogram } = globalThis as unknown as { freezeHistogram: { disable: () => void; percentile: (percent: number) => number; max: number } }
      histogram.disable()
      return { p99: histogram.percentile(99) / 1e6, worst: histogram.max / 1e6 }
    })
    return {
      pageOver50: tasks.length,
      pageWorst: Math.max(0, ...tasks),
      mainP99: Math.max(0, main.p99 - samplingMs),
      mainWorst: Math.max(0, main.worst - samplingMs),
      seconds: (performance.now() - startedMs) / 1000,
    }
  }
}

/** One line for the log of the test run. */
export function describeFreezes(during: string, freezes: Freezes): string {
  const { pageOver50, pageWorst, mainP99, mainWorst, seconds } = freezes
  return `freezes during ${during} (${seconds.toFixed(0)} s): page ${pageOver50} tasks over 50 ms, worst ${pageWorst.toFixed(0)} ms; main process 99 % under ${mainP99.toFixed(1)} ms, worst ${mainWorst.toFixed(0)} ms\n`
}

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LaunchedApp } from './launch.ts'

/** The aim: no task of a thread that answers the user is longer. */
export const longTaskMs = 50

/** One task of a main thread. On a shared machine a task may be long because it waited for a core: `cpuMs` is what it really used. */
export interface Task { wallMs: number; cpuMs: number; parts: string }

export interface ThreadFreezes {
  over50: number
  over50Cpu: number
  worstMs: number
  worstCpuMs: number
  /** Tasks over 50 ms by the clock, worst first, with what they were made of. */
  long: Task[]
}

/** How long the two threads that must stay free were held up. */
export interface Freezes {
  page: ThreadFreezes
  /** The process of the windows, which owns the store: every call of SQLite there counts. */
  main: ThreadFreezes
  seconds: number
}

interface TraceEvent { ph: string; name: string; pid: number; tid: number; ts: number; dur?: number; tdur?: number; args?: { name?: string; data?: { functionName?: string; url?: string } } }

/** Tasks of every thread with their processor time, and what Blink and V8 did inside them. */
const categories = ['toplevel', 'devtools.timeline', 'v8']
const traceBufferKb = 1_000_000
const namedPartMs = 8
const namedTasks = 8

/** Begins to measure; the returned function ends it. Uses Chromium's own tracing, which sees every task and not only the page's. */
export async function watchFreezes({ application, dir }: LaunchedApp): Promise<() => Promise<Freezes>> {
  const file = join(dir, 'freezes.json')
  await application.evaluate(({ contentTracing }, config) => contentTracing.startRecording(config), { included_categories: categories, excluded_categories: ['*'], trace_buffer_size_in_kb: traceBufferKb })
  const startedMs = performance.now()
  return async () => {
    const seconds = (performance.now() - startedMs) / 1000
    await application.evaluate(({ contentTracing }, path) => contentTracing.stopRecording(path), file)
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: TraceEvent[] }
    rmSync(file)
    return { page: freezesOf(traceEvents, 'CrRendererMain'), main: freezesOf(traceEvents, 'CrBrowserMain'), seconds }
  }
}

function freezesOf(events: readonly TraceEvent[], threadName: string): ThreadFreezes {
  const threads = new Set(events.filter((event) => event.name === 'thread_name' && event.args?.name === threadName).map(({ pid, tid }) => `${pid}:${tid}`))
  const own = events.filter((event) => event.ph === 'X' && threads.has(`${event.pid}:${event.tid}`))
  const tasks = own.filter((event) => event.name.endsWith('RunTask'))
  const msOf = (microseconds = 0): number => microseconds / 1000
  const long = tasks.filter((task) => msOf(task.dur) > longTaskMs).sort((a, b) => b.dur! - a.dur!)
  return {
    over50: long.length,
    over50Cpu: tasks.filter((task) => msOf(task.tdur) > longTaskMs).length,
    worstMs: Math.max(0, ...tasks.map((task) => msOf(task.dur))),
    worstCpuMs: Math.max(0, ...tasks.map((task) => msOf(task.tdur))),
    long: long.map((task) => ({ wallMs: msOf(task.dur), cpuMs: msOf(task.tdur), parts: partsOf(task, own) })),
  }
}

/** The longest steps inside a task, such as "Layout 41 ms, FunctionCall mount 30 ms". */
function partsOf(task: TraceEvent, own: readonly TraceEvent[]): string {
  const inside = own.filter((event) => event !== task && event.pid === task.pid && event.ts >= task.ts && event.ts + (event.dur ?? 0) <= task.ts + task.dur! && (event.dur ?? 0) > namedPartMs * 1000)
  return inside.sort((a, b) => b.dur! - a.dur!).slice(0, 5).map((event) => {
    const { functionName, url } = event.args?.data ?? {}
    const where = functionName || url?.split('/').at(-1) || ''
    return `${event.name}${where === '' ? '' : ` ${where}`} ${(event.dur! / 1000).toFixed(0)} ms`
  }).join(', ')
}

/** For the log of the test run: one line for each thread, then its long tasks. */
export function describeFreezes(during: string, freezes: Freezes): string {
  const line = (who: string, { over50, over50Cpu, worstMs, worstCpuMs, long }: ThreadFreezes): string => [
    `  ${who}: ${over50} tasks over ${longTaskMs} ms, worst ${worstMs.toFixed(0)} ms; by processor time ${over50Cpu}, worst ${worstCpuMs.toFixed(0)} ms`,
    ...long.slice(0, namedTasks).map((task) => `    ${task.wallMs.toFixed(0)} ms (processor ${task.cpuMs.toFixed(0)} ms)${task.parts === '' ? '' : `: ${task.parts}`}`),
  ].join('\n')
  return `freezes during ${during} (${freezes.seconds.toFixed(0)} s)\n${line('page', freezes.page)}\n${line('main process', freezes.main)}\n`
}

import { fork, type ChildProcess } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stretch, StretchOutcome } from './fuzz-child.ts'

export interface FuzzPlan {
  decoders: readonly string[]
  casesEach: number
  firstSeed: number
  /** Outcomes are added here, one JSON a line; what already stands there is not run again. */
  reportFile: string | null
}

/** Cases between two lines of the report. */
const stretchCases = 5000
/** One case may take two seconds of processor time; a busy machine stretches that. */
const hangMs = 60_000

/** Runs every case in a process of its own that is started again after a crash or a hang; the seed that did it becomes a find. */
export async function runFuzz({ decoders, casesEach, firstSeed, reportFile }: FuzzPlan): Promise<StretchOutcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lacuna-fuzz-'))
  const stateFile = join(folder, 'seed')
  const outcomes = reportFile !== null && existsSync(reportFile) ? readFileSync(reportFile, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line) as StretchOutcome) : []
  const note = (outcome: StretchOutcome): void => {
    outcomes.push(outcome)
    if (reportFile !== null) appendFileSync(reportFile, `${JSON.stringify(outcome)}\n`)
  }
  let child: ChildProcess | null = null
  try {
    for (const decoder of decoders) {
      // A process for each decoder, so that growth of memory is that decoder's.
      if (casesEach > stretchCases) child = stop(child)
      const last = firstSeed + casesEach
      for (let at = nextSeed(outcomes, decoder, firstSeed); at < last;) {
        rmSync(stateFile, { force: true })
        const stretch: Stretch = { decoder, firstSeed: at, cases: Math.min(stretchCases, last - at), stateFile }
        // One heap: with the several of glibc what native libraries give back is not seen, and looks like a leak. A small young generation: V8 lets it
        // grow from 12 to 70 MB and more over thousands of cases, and keeps it.
        child ??= fork(new URL('./fuzz-child.ts', import.meta.url), { execArgv: ['--expose-gc', '--no-warnings', '--max-semi-space-size=1'], env: { ...process.env, MALLOC_ARENA_MAX: '1' } })
        const outcome = await follow(child, stretch)
        if (typeof outcome === 'string') {
          child = stop(child)
          const seed = existsSync(stateFile) ? Number(readFileSync(stateFile, 'utf8')) : at
          note({ decoder, firstSeed: at, cases: seed - at + 1, readable: 0, refused: {}, worstMs: 0, worstSeed: seed, cpuMs: 0, rssMb: 0, finds: [{ seed, what: outcome }] })
          at = seed + 1
        } else {
          note(outcome)
          at += outcome.cases
        }
      }
    }
  } finally {
    stop(child)
    rmSync(folder, { recursive: true, force: true })
  }
  return outcomes
}

function nextSeed(outcomes: readonly StretchOutcome[], decoder: string, firstSeed: number): number {
  return outcomes.filter((one) => one.decoder === decoder).reduce((next, one) => Math.max(next, one.firstSeed + one.cases), firstSeed)
}

function stop(child: ChildProcess | null): null {
  child?.kill('SIGKILL')
  return null
}

/** The outcome of a stretch, or what became of the process. */
function follow(child: ChildProcess, stretch: Stretch): Promise<StretchOutcome | string> {
  return new Promise((resolve) => {
    let seen = ''
    let seenAtMs = performance.now()
    const timer = setInterval(() => {
      const now = existsSync(stretch.stateFile) ? readFileSync(stretch.stateFile, 'utf8') : ''
      if (now !== seen) [seen, seenAtMs] = [now, performance.now()]
      else if (performance.now() - seenAtMs > hangMs) end('does not end')
    }, 1000)
    const end = (outcome: StretchOutcome | string): void => {
      clearInterval(timer)
      child.removeAllListeners()
      resolve(outcome)
    }
    child.once('message', (outcome) => end(outcome as StretchOutcome))
    child.once('exit', (code, signal) => end(`ends the process (${signal ?? String(code)})`))
    child.send(stretch)
  })
}

/** One line for each decoder: cases, how many were read, worst time, cases in a second of processor time, growth of memory after the first stretch. */
export function summarise(outcomes: readonly StretchOutcome[]): string[] {
  return [...new Set(outcomes.map(({ decoder }) => decoder))].map((decoder) => {
    const own = outcomes.filter((one) => one.decoder === decoder)
    const sum = (pick: (one: StretchOutcome) => number): number => own.reduce((total, one) => total + pick(one), 0)
    const worst = own.reduce((most, one) => (one.worstMs > most.worstMs ? one : most))
    const growth = own.at(-1)!.rssMb - own[0]!.rssMb
    const [cases, cpuMs] = [sum((one) => one.cases), sum((one) => one.cpuMs)]
    return `${decoder.padEnd(24)} ${String(cases).padStart(7)} cases, ${String(sum((one) => one.readable)).padStart(6)} read, ${((cases * 1000) / Math.max(1, cpuMs)).toFixed(0).padStart(6)}/s of processor time, worst ${worst.worstMs.toFixed(0).padStart(4)} ms (seed ${worst.worstSeed}), memory ${growth >= 0 ? '+' : ''}${growth.toFixed(0)} MB to ${own.at(-1)!.rssMb.toFixed(0)} MB, finds ${sum((one) => one.finds.length)}`
  })
}

import { spawn, type ChildProcess } from 'node:child_process'
import { AppError, fromErrorOutcome, type ErrorOutcome } from '../domain/errors.ts'
import type { Progress } from '../protocol.ts'
import { yieldToWindow } from './priority.ts'

/** One question to the reader process; `name` is one of the reads of engine/jobs/store-reads.ts. */
export interface ReadQuestion { id: number; name: string; request: unknown }
export type ReadAnswer = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: ErrorOutcome }
/** How far a long read is; any number of them come before its answer. */
export interface ReadProgress { id: number; progress: Progress }

export interface ReaderProcessOptions {
  /** Stock Node, as for the engine: better-sqlite3 is loaded there, TensorFlow never. */
  nodePath: string
  readerFile: string
  storeFile: string
  appVersion: string
  /** Receives what the process prints; never patient data. */
  log: (line: string) => void
  /** Long computations: everything that draws or answers goes first. */
  isBackground: boolean
  /** Ends the process after this long without a question; the next one starts it again. */
  idleMs: number
}

export interface ReaderProcess {
  ask: (name: string, request: unknown, onProgress?: (progress: Progress) => void) => Promise<unknown>
  /** Ends the process: everything under way fails with ENGINE_CRASHED, the next question starts it again. */
  stop: () => void
  pid: () => number | null
  dispose: () => void
}

/**
 * A process that only reads the database, beside the one writer (WAL lets readers and the writer go on together).
 * It starts at the first question and again after a crash, which fails the questions under way with ENGINE_CRASHED and nothing else.
 */
export function createReaderProcess(options: ReaderProcessOptions): ReaderProcess {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: AppError) => void; onProgress?: (progress: Progress) => void }>()
  let child: ChildProcess | null = null
  let nextId = 1
  let idle: NodeJS.Timeout | null = null

  function end(): void {
    if (idle) clearTimeout(idle)
    idle = null
    child?.kill('SIGKILL')
    child = null
  }

  function restWhenIdle(): void {
    if (idle) clearTimeout(idle)
    idle = waiting.size > 0 ? null : setTimeout(end, options.idleMs).unref()
  }

  function failAll(error: () => AppError): void {
    for (const [id, { reject }] of [...waiting]) {
      waiting.delete(id)
      reject(error())
    }
  }

  function start(): ChildProcess {
    const spawned = spawn(options.nodePath, [options.readerFile, options.storeFile, options.appVersion], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, ELECTRON_RUN_AS_NODE: undefined },
      windowsHide: true,
    })
    if (options.isBackground) yieldToWindow(spawned)
    spawned.on('message', (raw: unknown) => {
      const answer = raw as ReadAnswer | ReadProgress
      const asked = waiting.get(answer.id)
      if (!asked) return
      if ('progress' in answer) {
        asked.onProgress?.(answer.progress)
        return
      }
      waiting.delete(answer.id)
      restWhenIdle()
      if (answer.ok) asked.resolve(answer.value)
      else asked.reject(fromErrorOutcome(answer.error))
    })
    spawned.on('error', (error) => {
      if (child !== spawned) return
      child = null
      failAll(() => new AppError('ENGINE_UNAVAILABLE', `The process that reads the database did not start: ${error.message}.`, { cause: error }))
    })
    spawned.on('exit', (code, signal) => {
      // After end() the process is nobody's any more, and nothing waits for it.
      if (child !== spawned) return
      child = null
      failAll(() => new AppError('ENGINE_CRASHED', `The process that reads the database ended unexpectedly (${signal ? `signal ${signal}` : `exit code ${code}`}).`))
    })
    spawned.stderr?.on('data', (chunk: Buffer) => options.log(chunk.toString('utf8').trimEnd()))
    return spawned
  }

  return {
    ask: (name, request, onProgress) => {
      if (idle) clearTimeout(idle)
      idle = null
      child ??= start()
      const id = nextId++
      const question: ReadQuestion = { id, name, request }
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject, onProgress })
        // A process that has just been killed closes its end before its exit is told; the exit then fails everything that waits.
        child?.send(question, () => {})
      })
    },
    pid: () => child?.pid ?? null,
    stop: () => {
      end()
      failAll(() => new AppError('ENGINE_CRASHED', 'The reading was stopped.'))
    },
    dispose: () => {
      end()
      failAll(() => new AppError('ENGINE_CRASHED', 'The process that reads the database was ended with the app.'))
    },
  }
}

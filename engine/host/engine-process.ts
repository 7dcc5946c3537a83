import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { AppError, fromErrorOutcome, toErrorOutcome } from '../domain/errors.ts'
import { engineMessageSchema, type EngineData, type HostMessage, type JobName, type JobRequest, type JobResult, type Progress } from '../protocol.ts'
import { yieldToWindow } from './priority.ts'

/** Without a word for this long a busy engine counts as hung. One training step on a slow machine stays far below it. */
const silenceLimitMs = 240_000
/** An engine that has not ended a cancelled job by then is killed; its work was to be thrown away anyway. */
const cancelGraceMs = 10_000
const keptErrorLines = 20
/** What TensorFlow prints at every start, whatever its log level; it would pass for the cause of a crash. */
const chatter = /All log messages before absl|oneDNN custom operations are on/

export interface EngineProcessOptions {
  /** Stock Node, never Electron's: see CONVENTIONS section 6. */
  nodePath: string
  workerFile: string
  env: Record<string, string | undefined>
  /** Receives what the engine prints; never patient data. */
  log: (line: string) => void
  silenceLimitMs?: number
}

export interface JobHooks {
  onProgress?: (progress: Progress) => void
  /** Takes data in order; the engine waits for it before sending much more. A thrown AppError ends the job with that error. */
  onData?: (data: EngineData) => void | Promise<void>
}

export type JobOutcome<N extends JobName> = { status: 'done'; value: JobResult<N> } | { status: 'cancelled' }

export interface RunningJob<N extends JobName> {
  jobId: number
  outcome: Promise<JobOutcome<N>>
  cancel: () => void
  /** Asks a training to end after this step and keep its best checkpoint. */
  stop: () => void
}

export interface EngineProcess {
  start: <N extends JobName>(name: N, request: JobRequest<N>, hooks?: JobHooks) => RunningJob<N>
  /** The same with a request that `writeRequestFile` wrote, in whichever process: the engine reads the file and deletes it. */
  startFromFile: <N extends JobName>(name: N, requestFile: string, hooks?: JobHooks) => RunningJob<N>
  /** Starts a job and waits for it; a cancelled one throws nothing and returns null. */
  run: <N extends JobName>(name: N, request: JobRequest<N>, hooks?: JobHooks) => Promise<JobResult<N> | null>
  pid: () => number | null
  dispose: () => void
}

interface PendingJob {
  hooks: JobHooks
  resolve: (outcome: JobOutcome<JobName>) => void
  reject: (error: unknown) => void
  isCancelled: boolean
  /** Data is handled strictly one after the other, also when a handler is asynchronous. */
  queue: Promise<void>
}

/**
 * One engine process, started at the first job and again after a crash.
 * A crash, a hang or a kill rejects the running jobs with ENGINE_CRASHED or ENGINE_UNRESPONSIVE and touches nothing else.
 */
export function createEngineProcess(options: EngineProcessOptions): EngineProcess {
  const pending = new Map<number, PendingJob>()
  const limitMs = options.silenceLimitMs ?? silenceLimitMs
  let child: ChildProcess | null = null
  let nextJobId = 1
  /** How long this process has itself been awake since the engine's last word. */
  let silentMs = 0
  let watchdog: NodeJS.Timeout | null = null
  let errorLines: string[] = []
  let isHung = false

  function post(message: HostMessage): void {
    // A send to a process that has just died fails; its exit, told a moment later, rejects what was under way.
    if (child?.connected) child.send(message, () => {})
  }

  function settle(jobId: number, finish: (job: PendingJob) => void): void {
    const job = pending.get(jobId)
    if (!job) return
    // Wait for the data before the end: a result must not overtake its last batch.
    void job.queue.then(() => {
      if (!pending.delete(jobId)) return
      finish(job)
      if (pending.size === 0) stopWatchdog()
    })
  }

  function handleMessage(raw: unknown): void {
    silentMs = 0
    const message = engineMessageSchema.parse(raw)
    if (message.type === 'ready' || message.type === 'alive') return
    const job = pending.get(message.jobId)
    if (!job) return
    if (message.type === 'progress') job.hooks.onProgress?.(message.progress)
    else if (message.type === 'data') {
      const { jobId, sequence, data } = message
      job.queue = job.queue.then(async () => {
        try {
          await job.hooks.onData?.(data)
          post({ type: 'ack', jobId, sequence, error: null })
        } catch (error) {
          post({ type: 'ack', jobId, sequence, error: toErrorOutcome(error, 'ENGINE_CRASHED') })
        }
      })
    } else if (message.type === 'result') settle(message.jobId, (ended) => ended.resolve({ status: 'done', value: message.result as never }))
    else {
      settle(message.jobId, (ended) => {
        if (message.isCancelled) ended.resolve({ status: 'cancelled' })
        else ended.reject(fromErrorOutcome(message.error))
      })
    }
  }

  function handleExit(code: number | null, signal: NodeJS.Signals | null): void {
    child = null
    stopWatchdog()
    const how = signal ? `signal ${signal}` : `exit code ${code}`
    const last = errorLines.at(-1)
    for (const [jobId, job] of [...pending]) {
      pending.delete(jobId)
      if (job.isCancelled) job.resolve({ status: 'cancelled' })
      else if (isHung) job.reject(new AppError('ENGINE_UNRESPONSIVE', `The engine gave no sign of life for ${Math.round(limitMs / 1000)} s and was stopped.`))
      else job.reject(new AppError('ENGINE_CRASHED', `The engine process ended unexpectedly (${how})${last ? `: ${last}` : '.'}`))
    }
    isHung = false
  }

  function stopWatchdog(): void {
    if (watchdog) clearInterval(watchdog)
    watchdog = null
  }

  function watch(): void {
    silentMs = 0
    if (watchdog) return
    const everyMs = Math.min(5000, limitMs / 4)
    let lastLookMs = performance.now()
    watchdog = setInterval(() => {
      const now = performance.now()
      // A workstation that slept, or a host that was held up, finds hours between two looks: the engine could not be heard in them. They count as two looks.
      silentMs += Math.min(now - lastLookMs, 2 * everyMs)
      lastLookMs = now
      if (silentMs < limitMs) return
      isHung = true
      child?.kill('SIGKILL')
    }, everyMs)
    watchdog.unref()
  }

  function ensureChild(): void {
    if (child) return
    errorLines = []
    const spawned = spawn(options.nodePath, [options.workerFile], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, ...options.env, ELECTRON_RUN_AS_NODE: undefined },
      windowsHide: true,
    })
    yieldToWindow(spawned)
    spawned.on('message', handleMessage)
    spawned.on('error', (error) => {
      if (child !== spawned) return
      errorLines.push(error.message)
      handleExit(-1, null)
    })
    spawned.on('exit', (code, signal) => {
      if (child === spawned) handleExit(code, signal)
    })
    const keep = (chunk: Buffer) => {
      for (const line of chunk.toString('utf8').split('\n')) {
        if (line.trim() === '' || chatter.test(line)) continue
        options.log(line)
        errorLines = [...errorLines, line.slice(0, 300)].slice(-keptErrorLines)
      }
    }
    spawned.stdout?.on('data', (chunk: Buffer) => options.log(chunk.toString('utf8').trimEnd()))
    spawned.stderr?.on('data', keep)
    child = spawned
  }

  function begin<N extends JobName>(name: N, { request, requestFile }: { request?: JobRequest<N>; requestFile?: string }, hooks: JobHooks = {}): RunningJob<N> {
    ensureChild()
    watch()
    const jobId = nextJobId++
    const outcome = new Promise<JobOutcome<JobName>>((resolve, reject) => {
      pending.set(jobId, { hooks, resolve, reject, isCancelled: false, queue: Promise.resolve() })
    }) as Promise<JobOutcome<N>>
    post({ type: 'start', jobId, name, request, requestFile })
    const cancel = () => {
      const job = pending.get(jobId)
      if (!job || job.isCancelled) return
      job.isCancelled = true
      post({ type: 'cancel', jobId })
      setTimeout(() => {
        if (pending.has(jobId)) child?.kill('SIGKILL')
      }, cancelGraceMs).unref()
    }
    return { jobId, outcome, cancel, stop: () => post({ type: 'stop', jobId }) }
  }

  const start: EngineProcess['start'] = (name, request, hooks) => begin(name, { request }, hooks)

  return {
    start,
    startFromFile: (name, requestFile, hooks) => {
      const job = begin(name, { requestFile }, hooks)
      // An engine that ended before it read the file has left it.
      return { ...job, outcome: job.outcome.finally(() => rmSync(requestFile, { force: true })) }
    },
    run: async (name, request, hooks) => {
      const outcome = await start(name, request, hooks).outcome
      return outcome.status === 'done' ? outcome.value : null
    },
    pid: () => child?.pid ?? null,
    dispose: () => {
      stopWatchdog()
      child?.kill('SIGKILL')
      child = null
    },
  }
}

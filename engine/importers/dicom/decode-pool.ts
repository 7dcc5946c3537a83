/**
 * Decodes DICOM frames on threads: codecs run for up to a second without a pause, which would hold up everything else of the
 * engine process, and a damaged file that keeps one busy for ever can only be stopped by ending its thread.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { AppError, fromErrorOutcome } from '../../domain/errors.ts'
import type { ThreadReply, ThreadRequest, ThreadResult } from './decode-thread.ts'
import type { PixelDescription } from './pixel-description.ts'
import { readDicom } from './read-dicom.ts'

const maxThreads = 4
/**
 * Processor time of the thread, so that a busy machine refuses nothing that an idle one reads. The slowest codec (JPEG 2000) was
 * seen to take 0.13 s a million pixels.
 */
const maxCpuMs = 1200
const maxCpuMsPerMegapixel = 500
const pollMs = 250
/** By the clock, in case that no processor time is used. */
const maxMs = 120_000
const maxHeapMb = 1024
const threadFile = import.meta.url.endsWith('.ts') ? './decode-thread.ts' : '../engine/dicom-thread.js'

interface ThreadOptions {
  /** The caller has no further use for the bytes: they change hands instead of being copied. */
  isGiven?: boolean | undefined
  /** When the caller has read it already. */
  description?: PixelDescription
}

interface Job {
  request: ThreadRequest
  isGiven: boolean
  /** Processor time that the job may take, in milliseconds. */
  limitMs: number
  settle: (reply: ThreadReply) => void
  fail: (error: Error) => void
}

const waiting: Job[] = []
const idle: Worker[] = []
/** Processor time that each thread had used when its last job ended; a new one has its start before it. */
const usedMs = new WeakMap<Worker, number>()
let threadCount = 0

/**
 * Draws one frame of a DICOM file as the model and the screen get it, or describes it.
 * @throws AppError DICOM_* and IMAGE_TOO_LARGE, see readDicom; DICOM_FRAME_DAMAGED when decoding does not end
 */
export async function runOnThread<R extends ThreadRequest>(request: R, { isGiven = false, description = readDicom(request.bytes).description }: ThreadOptions = {}): Promise<ThreadResult<R>> {
  const { rows, columns, samples } = description
  const limitMs = maxCpuMs + (maxCpuMsPerMegapixel * rows * columns * samples) / 1e6
  const reply = await new Promise<ThreadReply>((resolve, reject) => {
    waiting.push({ request, isGiven, limitMs, settle: resolve, fail: reject })
    startNext()
  })
  if (!reply.ok) throw fromErrorOutcome(reply.error)
  return reply.value as ThreadResult<R>
}

function startNext(): void {
  if (waiting.length === 0) return
  const thread = idle.pop() ?? (threadCount < Math.min(maxThreads, availableParallelism()) ? createThread() : null)
  if (thread !== null) run(thread, waiting.shift()!)
}

function createThread(): Worker {
  threadCount++
  const thread = new Worker(new URL(threadFile, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } })
  // What a thread says while it is being ended belongs to no job any more.
  thread.on('error', () => undefined)
  return thread
}

function run(thread: Worker, { request, isGiven, limitMs, settle, fail }: Job): void {
  thread.ref()
  const onMessage = (reply: ThreadReply): void => {
    usedMs.set(thread, reply.cpuMs)
    finish(true)
    settle(reply)
  }
  const onError = (cause: Error & { code?: string }): void => {
    finish(false)
    // Out of memory is the file's doing; anything else is ours.
    fail(cause.code === 'ERR_WORKER_OUT_OF_MEMORY' ? new AppError('IMAGE_TOO_LARGE', 'Decoding the image takes more memory than it may have.', { cause }) : cause)
  }
  let isOver = false
  const startedMs = performance.now()
  const timer = setInterval(() => {
    void cpuMsOf(thread).then((cpuMs) => {
      // A thread's own start, about 0.2 s, is not the file's.
      const isTooLong = cpuMs - (usedMs.get(thread) ?? 200) > limitMs || performance.now() - startedMs > maxMs
      if (isOver || !isTooLong) return
      finish(false)
      fail(new AppError('DICOM_FRAME_DAMAGED', `Decoding did not end within ${(limitMs / 1000).toFixed(1)} seconds of processor time; the compressed pixels are damaged.`))
    })
  }, pollMs)
  const finish = (isUsable: boolean): void => {
    isOver = true
    clearInterval(timer)
    // One by one: a worker has listeners of its own, without which it falls silent.
    thread.off('message', onMessage)
    thread.off('error', onError)
    if (isUsable) {
      // An idle thread must not keep a finished command alive.
      thread.unref()
      idle.push(thread)
    } else {
      threadCount--
      void thread.terminate()
    }
    startNext()
  }
  thread.on('message', onMessage)
  thread.on('error', onError)
  const { buffer, byteLength } = request.bytes
  // A view into a larger buffer is copied: what else lies there belongs to others.
  thread.postMessage(request, isGiven && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [])
}

/** Nothing for a thread that has just ended. */
async function cpuMsOf(thread: Worker): Promise<number> {
  try {
    const { user, system } = await thread.cpuUsage()
    return (user + system) / 1000
  } catch {
    return 0
  }
}

/**
 * Draws DICOM frames on threads: codecs run for up to a second without a pause, which would hold up everything else of the
 * engine process, and a damaged file that keeps one busy for ever can only be stopped by ending its thread.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { AppError, fromErrorOutcome } from '../../domain/errors.ts'
import type { DrawnFrame, DrawReply, DrawRequest } from './decode-thread.ts'

const maxThreads = 4
/** The largest radiographs take a second; a busy machine several. */
const maxMs = 30_000
const maxHeapMb = 1024
const threadFile = import.meta.url.endsWith('.ts') ? './decode-thread.ts' : '../engine/dicom-thread.js'

interface Job {
  request: DrawRequest
  /** The caller has no further use for the bytes: they change hands instead of being copied. */
  isGiven: boolean
  settle: (reply: DrawReply) => void
  fail: (error: Error) => void
}

const waiting: Job[] = []
const idle: Worker[] = []
let threadCount = 0

/**
 * Draws one frame of a DICOM file as the model and the screen get it.
 * @throws AppError DICOM_* and IMAGE_TOO_LARGE, see readDicom; DICOM_FRAME_DAMAGED when decoding does not end
 */
export async function drawDicom(request: DrawRequest, isGiven = false): Promise<DrawnFrame> {
  const reply = await new Promise<DrawReply>((resolve, reject) => {
    waiting.push({ request, isGiven, settle: resolve, fail: reject })
    startNext()
  })
  if (!reply.ok) throw fromErrorOutcome(reply.error)
  return reply.value
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

function run(thread: Worker, { request, isGiven, settle, fail }: Job): void {
  thread.ref()
  const onMessage = (reply: DrawReply): void => {
    finish(true)
    settle(reply)
  }
  const onError = (cause: Error & { code?: string }): void => {
    finish(false)
    // Out of memory is the file's doing; anything else is ours.
    fail(cause.code === 'ERR_WORKER_OUT_OF_MEMORY' ? new AppError('IMAGE_TOO_LARGE', 'Decoding the image takes more memory than it may have.', { cause }) : cause)
  }
  const timer = setTimeout(() => {
    finish(false)
    fail(new AppError('DICOM_FRAME_DAMAGED', `Decoding did not end within ${maxMs / 1000} seconds; the compressed pixels are damaged.`))
  }, maxMs)
  const finish = (isUsable: boolean): void => {
    clearTimeout(timer)
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

/**
 * Going on after a device ran out of memory: the same work in smaller pieces. Pieces of a training batch are put together by gradient
 * accumulation, so the effective batch size, and with it the result up to rounding, stays what the run asked for.
 */
import { AppError } from '../domain/errors.ts'
import type { Tensor, Tf } from './tensorflow.ts'

/** What TensorFlow, CUDA, Dawn, V8 and Emscripten say when an allocation fails. */
const signs = [
  /OOM when allocating/i, /RESOURCE_EXHAUSTED|Resource exhausted/i, /out[ -]of[ -]memory/i, /CUDA_ERROR_OUT_OF_MEMORY|CU(BLAS|DNN)_STATUS_ALLOC_FAILED/i,
  /failed to allocate|allocation failed/i, /std::bad_alloc/i, /Invalid (typed )?array (buffer )?length/i, /Array buffer allocation failed/i,
  // A tensor larger than a graphics device can hold in one piece: smaller pieces help as well.
  /exceeds the max buffer size limit|larger than the maximum (storage )?(buffer )?binding size/i,
]

/** Whether an error says that memory ran out. An AppError never does: it is a decision already taken. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof AppError || !(error instanceof Error)) return false
  return signs.some((sign) => sign.test(error.message))
}

export interface MemoryGuard {
  /** The largest piece that is tried now; Infinity until memory ran out for the first time. */
  readonly limit: number
  /**
   * Runs `work(size)` on pieces of at most `size` of `samples` samples; after each failure for memory again with pieces half as large.
   * `work` must change nothing before its last allocation. Throws COMPUTE_OUT_OF_MEMORY when one sample alone does not fit.
   * `most` bounds this piece of work alone, where its need is known beforehand.
   */
  attempt<R>(samples: number, work: (size: number) => R, most?: number): R
}

/** @param onReduced told the new limit, each time it falls */
export function createMemoryGuard(tf: Tf, onReduced: (limit: number) => void): MemoryGuard {
  let limit = Infinity
  return {
    get limit() { return limit },
    attempt: (samples, work, most = Infinity) => {
      let size = Math.max(1, Math.min(samples, limit, most))
      for (;;) {
        try {
          return withCleanUp(tf, () => work(size))
        } catch (error) {
          if (!isOutOfMemory(error)) throw error
          if (size <= 1) throw new AppError('COMPUTE_OUT_OF_MEMORY', 'The device has too little memory even for one sample at a time.', { cause: error })
          size = Math.ceil(size / 2)
          limit = size
          onReduced(limit)
        }
      }
    },
  }
}

/** As few pieces as possible of at most `size` items, all of nearly the same length, in order. */
export function piecesOf(count: number, size: number): { from: number; to: number }[] {
  const pieces = Math.ceil(count / size)
  return Array.from({ length: pieces }, (_, i) => ({ from: Math.floor((i * count) / pieces), to: Math.floor(((i + 1) * count) / pieces) }))
}

/** Runs `work`; when it throws, frees every tensor it had made, so that the next try finds the memory. What it made stays when it ends well. */
function withCleanUp<R>(tf: Tf, work: () => R): R {
  const engine = tf.engine()
  engine.startScope('attempt')
  const scope = (engine.state as unknown as { activeScope: { track: Tensor[] } }).activeScope
  let survivors: Tensor[] = []
  try {
    const result = work()
    survivors = scope.track.filter((tensor) => !tensor.isDisposed)
    return result
  } finally {
    engine.endScope(survivors)
  }
}

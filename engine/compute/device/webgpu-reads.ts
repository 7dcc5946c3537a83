/**
 * Synchronous reads from Dawn in Node. TensorFlow.js reads a WebGPU buffer either by a promise or through a browser canvas, and Node has
 * no canvas; a training step needs the logits before it goes on. Dawn for Node delivers its events from a callback that it hands to
 * `setImmediate`: kept here, that callback can also be run by hand until the buffer is mapped. The package's version is pinned for this;
 * opening the backend reads a known product back, so that a change in Dawn refuses the backend instead of hanging.
 */
import { AppError } from '../../domain/errors.ts'
import type { Tf } from '../tensorflow.ts'

/** Runs Dawn's pending events by hand. */
export interface EventPump {
  /** Delivers what is due; false when Dawn had asked for nothing. */
  tick(): boolean
  /** From now on Dawn's events alone no longer keep the process alive. */
  letProcessEnd(): void
}

/** Must be made before Dawn's `create`, which looks `setImmediate` up at each call. */
export function createEventPump(): EventPump {
  const original = globalThis.setImmediate
  let due: (() => void)[] = []
  let keepsAlive = true
  const tick = (): boolean => {
    const now = due
    due = []
    for (const deliver of now) deliver()
    return now.length > 0
  }
  const intercepting = (callback: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate => {
    if (!isFromDawn(callback, args)) return original(callback, ...args)
    due.push(callback)
    const handle = original(tick)
    return keepsAlive ? handle : handle.unref()
  }
  globalThis.setImmediate = Object.assign(intercepting, { __promisify__: original.__promisify__ }) as typeof setImmediate
  return { tick, letProcessEnd: () => (keepsAlive = false) }
}

/** Native and without parameters: a promise's `resolve` is native too, but takes one. */
function isFromDawn(callback: (...args: never[]) => void, args: readonly unknown[]): boolean {
  return args.length === 0 && callback.length === 0 && Function.prototype.toString.call(callback).includes('[native code]')
}

/** The parts of the WebGPU backend of TensorFlow.js 4.22 that a read touches. */
interface ReadableBackend {
  tensorMap: { get(dataId: object): { values: ArrayLike<number> | null; dtype: 'float32' | 'int32' | 'bool'; resource: GPUBuffer } }
  bufferManager: { acquireBuffer(size: number, usage: number): GPUBuffer; releaseBuffer(buffer: GPUBuffer): void }
  commandEncoder: GPUCommandEncoder
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
  convertAndCacheOnCPU(dataId: object, values: ArrayLike<number>): void
  readSync(dataId: object): ArrayLike<number>
  read(dataId: object): Promise<ArrayLike<number>>
}

/** Longest wait for one result: 0.2 ms x 1.5 million, some five minutes. A driver resets a hung device long before. */
const longestWait = { napMs: 0.2, naps: 1_500_000 }
/** Short results are ready within a few ticks; only then does the process nap between them. */
const ticksBeforeNap = 50

/** Replaces both reads of the backend by a synchronous one, which throws what `failure` returns when a buffer cannot be mapped. */
export function installSynchronousReads(tf: Tf, backend: object, pump: EventPump, failure: () => Error | null): void {
  const target = backend as ReadableBackend
  const nap = new Int32Array(new SharedArrayBuffer(4))
  const waitForMap = (buffer: GPUBuffer): void => {
    for (let i = 0; buffer.mapState === 'pending'; i++) {
      if (!pump.tick() || i > longestWait.naps) throw new AppError('COMPUTE_DEVICE_LOST', 'The graphics device gave no answer.')
      if (i > ticksBeforeNap) Atomics.wait(nap, 0, 0, longestWait.napMs)
    }
  }
  const readSync = (dataId: object): ArrayLike<number> => {
    const data = target.tensorMap.get(dataId)
    if (data.values !== null && data.values !== undefined) return data.values
    const size = data.resource.size
    const staging = target.bufferManager.acquireBuffer(size, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ)
    target.ensureCommandEncoderReady()
    target.endComputePassEncoder()
    target.commandEncoder.copyBufferToBuffer(data.resource, 0, staging, 0, size)
    target.submitQueue()
    // The promise settles too late to be of use; a rejection shows in `mapState`.
    staging.mapAsync(GPUMapMode.READ).catch(() => undefined)
    waitForMap(staging)
    const reported = failure()
    if (reported !== null) throw reported
    if (staging.mapState !== 'mapped') throw new AppError('COMPUTE_DEVICE_LOST', 'The graphics device was lost while a result was read.')
    const values = tf.util.convertBackendValuesAndArrayBuffer(staging.getMappedRange().slice(0), data.dtype) as ArrayLike<number>
    staging.unmap()
    target.bufferManager.releaseBuffer(staging)
    target.convertAndCacheOnCPU(dataId, values)
    return values
  }
  target.readSync = readSync
  target.read = (dataId) => Promise.resolve(readSync(dataId))
}

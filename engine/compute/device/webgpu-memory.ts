import type { EventPump } from './webgpu-reads.ts'

/** The parts of the WebGPU backend of TensorFlow.js 4.22 that hold memory. */
interface BufferHolder {
  bufferManager: { freeBuffers: Map<string, GPUBuffer[]>; numFreeBuffers: number; numBytesAllocated: number }
  commandEncoder: GPUCommandEncoder | null
  endComputePassEncoder(): void
  submitQueue(): void
}

/**
 * Makes a failed allocation throw where it happens. WebGPU hands out an invalid buffer instead and reports the failure later, when results
 * that used it are nonsense already; TensorFlow.js would even keep the invalid buffer for its next tensor. Before giving up, the buffers
 * that TensorFlow.js holds in reserve are freed.
 */
export function guardAllocations(device: GPUDevice, backend: object, pump: EventPump, takeFailure: () => Error | null): void {
  const holder = backend as BufferHolder
  const create = device.createBuffer.bind(device)
  const failureOf = (): Error | null => {
    pump.tick()
    return takeFailure()
  }
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor)
    if (failureOf() === null) return buffer
    freeReserve(holder)
    const second = create(descriptor)
    const failure = failureOf()
    if (failure !== null) throw failure
    return second
  }
}

function freeReserve(holder: BufferHolder): void {
  // Commands that were recorded and not sent may still name a buffer of the reserve.
  if (holder.commandEncoder !== null) {
    holder.endComputePassEncoder()
    holder.submitQueue()
  }
  const { bufferManager } = holder
  for (const buffers of bufferManager.freeBuffers.values()) {
    for (const buffer of buffers.splice(0)) {
      bufferManager.numFreeBuffers--
      bufferManager.numBytesAllocated -= buffer.size
      buffer.destroy()
    }
  }
}

import { createRequire } from 'node:module'
import { AppError } from '../../domain/errors.ts'
import type { Tf } from '../tensorflow.ts'
import type { Trial } from './facts.ts'
import { isRightProduct } from './self-test.ts'
import { guardAllocations } from './webgpu-memory.ts'
import { createEventPump, installSynchronousReads, type EventPump } from './webgpu-reads.ts'
import { errorLine } from './words.ts'

const require = createRequire(import.meta.url)

/** What TensorFlow.js asks of a device beyond the guaranteed minimum. */
const wantedLimits = [
  'maxComputeWorkgroupStorageSize', 'maxComputeWorkgroupsPerDimension', 'maxStorageBufferBindingSize', 'maxBufferSize',
  'maxComputeWorkgroupSizeX', 'maxComputeInvocationsPerWorkgroup',
] as const
/** Smallest largest buffer that a batch of the default backbone fits into. */
const minimumBufferBytes = 256 * 2 ** 20

export interface WebgpuDevice {
  tf: Tf
  /** Throws what the device reported since the last call: out of memory, a lost device, an invalid operation. */
  settle: () => void
}

/**
 * Opens Dawn's WebGPU device in this (stock Node) process and makes it the active TensorFlow.js backend.
 * A software renderer is refused unless `acceptSoftware` is set: it is slower than the processor itself.
 * LACUNA_DAWN holds further options for Dawn, separated by commas, such as "backend=vulkan".
 */
export async function openWebgpu(acceptSoftware: boolean): Promise<{ trial: Trial; device: WebgpuDevice | null }> {
  try {
    const { adapter, pump } = await requestAdapter()
    if (adapter === null) return refused('no graphics device was found')
    const { info } = adapter
    const name = info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(' ') || 'graphics device'
    const isSoftware = info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${name} ${info.architecture}`)
    if (isSoftware && !acceptSoftware) return refused(`only the software renderer ${name} was found`)
    if (adapter.limits.maxBufferSize < minimumBufferBytes) return refused(`${name} allows buffers of ${Math.round(adapter.limits.maxBufferSize / 2 ** 20)} MB only, and ${minimumBufferBytes / 2 ** 20} MB are needed`)
    const device = await startBackend(adapter, pump)
    pump.letProcessEnd()
    if (!isRightProduct(device.tf)) return refused(`${name} multiplies two matrices wrongly`)
    return { trial: { works: true, device: isSoftware ? `${name} (software renderer, for tests only)` : name, version: null }, device }
  } catch (error) {
    return refused(errorLine(error))
  }
}

function refused(failure: string): { trial: Trial; device: null } {
  return { trial: { works: false, failure }, device: null }
}

async function requestAdapter(): Promise<{ adapter: GPUAdapter | null; pump: EventPump }> {
  let dawn: { create(options: string[]): GPU; globals: object }
  const pump = createEventPump()
  try {
    dawn = (await import('webgpu')) as typeof dawn
  } catch (error) {
    throw new Error(`the package of Dawn is not installed for ${process.platform}-${process.arch}`, { cause: error })
  }
  Object.assign(globalThis, dawn.globals)
  const gpu = dawn.create((process.env['LACUNA_DAWN'] ?? '').split(',').filter(Boolean))
  // The backend's constructor looks for a browser's navigator.gpu, and uses it for nothing.
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true })
  return { adapter: await gpu.requestAdapter({ powerPreference: 'high-performance' }), pump }
}

async function startBackend(adapter: GPUAdapter, pump: EventPump): Promise<WebgpuDevice> {
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]))
  const device = await adapter.requestDevice({ requiredLimits })
  let failure: Error | null = null
  device.addEventListener('uncapturederror', (event) => (failure ??= errorOf(event.error)))
  void device.lost.then(({ message }) => (failure ??= new AppError('COMPUTE_DEVICE_LOST', `The graphics device was lost (${errorLine(message)}).`)))
  const takeFailure = (): Error | null => {
    const reported = failure
    failure = null
    return reported
  }
  const tf = require('@tensorflow/tfjs') as Tf
  const { WebGPUBackend } = require('@tensorflow/tfjs-backend-webgpu') as { WebGPUBackend: new (device: GPUDevice, info: GPUAdapterInfo) => import('@tensorflow/tfjs').KernelBackend }
  const backend = new WebGPUBackend(device, adapter.info)
  installSynchronousReads(tf, backend, pump, takeFailure)
  guardAllocations(device, backend, pump, takeFailure)
  // Loading the package registers a backend of its own, with a device of its own.
  tf.removeBackend('webgpu')
  tf.registerBackend('webgpu', () => backend, 3)
  if (!(await tf.setBackend('webgpu'))) throw new Error('the WebGPU backend did not start')
  await tf.ready()
  // One program for every product (3, packed). The one chosen for long inner dimensions is wrong with a transposed operand, and its
  // atomic sums would not repeat: 36 x 3072 times (16 x 3072)^T came out 110 % off on SwiftShader.
  tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', 3)
  // Dawn may crash while Node takes down a process with an open device.
  process.once('exit', () => device.destroy())
  return {
    tf,
    settle: () => {
      pump.tick()
      const reported = takeFailure()
      if (reported !== null) throw reported
    },
  }
}

/** Dawn reports a failed allocation as an error of its own class; the message alone does not always say so. */
function errorOf(error: GPUError): Error {
  return new Error(error instanceof GPUOutOfMemoryError ? `WebGPU out of memory: ${error.message}` : `WebGPU: ${error.message}`)
}

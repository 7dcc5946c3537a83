import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { methods } from '../../../../engine/adapters/index.ts'
import type { Method } from '../../../../engine/adapters/method.ts'
import { restrictSample, type Network } from '../../../../engine/adapters/network.ts'
import type { Backbone } from '../../../../engine/backbones/backbone.ts'
import { type Compute, openCompute } from '../../../../engine/compute/backend.ts'
import { createMemoryGuard, isOutOfMemory, piecesOf } from '../../../../engine/compute/out-of-memory.ts'
import { createRng } from '../../../../engine/compute/rng.ts'
import { AppError } from '../../../../engine/domain/errors.ts'
import { memoryNote, withMemoryRecovery } from '../../../../engine/training/optimise/memory-recovery.ts'
import { adamWConfigSchema } from '../../../../engine/training/optimise/optimizer.ts'
import { type TrainingModel, createTrainingModel } from '../../../../engine/training/optimise/training-model.ts'
import { TINY_PATTERNS, createTinyBackbone, createTinySamples, tinyModalities } from '../../adapters/tiny-backbone.ts'

/** Samples at once that the "device" holds; Infinity: no fault. Counts the faults. */
const fault = { largest: Infinity, inUpdate: false, count: 0 }
let compute: Compute
let backbone: Backbone

/** What TensorFlow says, word for word. */
const failure = (shape: readonly number[]) => new Error(`ResourceExhaustedError: OOM when allocating tensor with shape[${shape.join()}] and type float on /device:GPU:0 by allocator GPU_0_bfc`)

beforeAll(async () => {
  const real = await openCompute({ plainKernels: true })
  const { softmax, softmaxGradient, adamW } = real.kernels
  const guarded = <A extends { shape: number[] }, R>(work: (a: A, ...rest: never[]) => R) => (a: A, ...rest: never[]): R => {
    if (a.shape[0]! <= fault.largest) return work(a, ...rest)
    fault.count++
    throw failure(a.shape)
  }
  compute = {
    ...real,
    kernels: {
      ...real.kernels,
      softmax: guarded(softmax as never) as typeof softmax,
      softmaxGradient: guarded(softmaxGradient as never) as typeof softmaxGradient,
      adamW: (...given) => {
        if (fault.inUpdate) throw failure(given[0].shape)
        return adamW(...given)
      },
    },
  }
  backbone = createTinyBackbone(compute)
})
afterAll(() => backbone.dispose())

const CLASSES = 3
const { samples, labels } = createTinySamples(7)
const mixed = samples.map((sample, i) => restrictSample(sample, TINY_PATTERNS[i % 3]!)!)
// One label unknown: pieces then weigh unequally, which a plain mean of their losses would miss.
const known = new Uint8Array(labels.length).fill(1)
known[4] = 0

function build(onReduced: (limit: number) => void = () => undefined): { network: Network; bare: TrainingModel; model: TrainingModel } {
  const method = methods.find(({ id }) => id === 'mora') as Method<unknown>
  const network = method.createNetwork({ compute, backbone, modalities: tinyModalities, labelsCount: CLASSES, missingInput: 'left-out', random: createRng(1) }, method.configSchema.parse({}))
  const bare = createTrainingModel({ compute, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
  return { network, bare, model: withMemoryRecovery(bare, { tf: compute.tf, onReduced }) }
}

describe('recovery from out-of-memory', () => {
  it('ends with the numbers of the unbroken run and frees what the failed tries made', () => {
    const limits: number[] = []
    const unbroken = build()
    const recovering = build((limit) => limits.push(limit))
    const entries = unbroken.network.computePrefix(mixed, true)
    const batch = { entries, labels, known }
    const whole = Array.from({ length: 8 }, () => unbroken.model.step(batch, 1e-2))
    const wholeLogits = unbroken.model.predict(entries)
    const first = recovering.model.step(batch, 1e-2)
    const tensors = compute.tf.memory().numTensors
    fault.largest = 2
    fault.count = 0
    const rest = Array.from({ length: 7 }, () => recovering.model.step(batch, 1e-2))
    const evaluated = recovering.model.evaluateLoss(batch)
    const logits = recovering.model.predict(entries)
    fault.largest = Infinity
    expect(limits).toEqual([4, 2])
    // Two failed tries, in the first step after the fault alone: the limit holds from then on.
    expect(fault.count).toBe(2)
    expect(compute.tf.memory().numTensors).toBe(tensors)
    // Sums in another order: some 1e-7 a step, which Adam enlarges where a gradient is near 0.
    ;[first, ...rest].forEach((loss, i) => expect(Math.abs(loss - whole[i]!)).toBeLessThan(2e-5))
    logits.forEach((value, i) => expect(Math.abs(value - wholeLogits[i]!)).toBeLessThan(5e-4))
    expect(evaluated).toBeCloseTo(unbroken.model.evaluateLoss(batch), 4)
    unbroken.model.dispose()
    recovering.model.dispose()
  })

  it('cuts a batch beforehand where memory is known to be short, with the same numbers', () => {
    const [unbroken, foreseeing] = [build(), build()]
    const told: string[] = []
    const { model } = { model: withMemoryRecovery(foreseeing.bare, { tf: compute.tf, budget: { bytes: 1000, perSample: (tokens) => 25 * tokens }, onReduced: (limit, cause) => told.push(`${limit} ${cause}`) }) }
    const batch = { entries: unbroken.network.computePrefix(mixed, true), labels, known }
    const longest = Math.max(...batch.entries.map(({ tokens }) => tokens))
    const size = Math.floor(40 / longest)
    // The device would refuse more than that.
    fault.largest = size
    fault.count = 0
    const losses = Array.from({ length: 3 }, () => model.step(batch, 1e-2))
    fault.largest = Infinity
    expect(fault.count).toBe(0)
    expect(told).toEqual([`${size} foreseen`])
    losses.forEach((loss) => expect(Math.abs(loss - unbroken.model.step(batch, 1e-2))).toBeLessThan(1e-5))
    model.dispose()
    unbroken.model.dispose()
  })

  it('gives up where one sample alone does not fit, and where the update itself does not', () => {
    const { network, model } = build()
    const entries = network.computePrefix(mixed, true)
    fault.largest = 0
    expect(() => model.step({ entries, labels, known }, 1e-2)).toThrow(expect.objectContaining({ code: 'COMPUTE_OUT_OF_MEMORY' }) as Error)
    fault.largest = Infinity
    const before = model.exportTrained()
    fault.inUpdate = true
    expect(() => model.step({ entries, labels, known }, 1e-2)).toThrow(expect.objectContaining({ code: 'COMPUTE_OUT_OF_MEMORY' }) as Error)
    fault.inUpdate = false
    expect(model.exportTrained()).toEqual(before)
    model.dispose()
  })

  it('passes other errors on at once', () => {
    const guard = createMemoryGuard(compute.tf, () => expect.unreachable())
    let tries = 0
    expect(() => guard.attempt(8, () => { tries++; throw new Error('Invalid argument: shapes differ') })).toThrow('shapes differ')
    expect(tries).toBe(1)
  })
})

it.each([
  ['OOM when allocating tensor with shape[8,12,185,185]', true],
  ['RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.', true],
  ['failed to allocate memory', true],
  ['CUDA_ERROR_OUT_OF_MEMORY: out of memory', true],
  ['CUBLAS_STATUS_ALLOC_FAILED', true],
  ['WebGPU out of memory: Failed to allocate memory for buffer', true],
  ['WebGPU: Buffer size (1099511627776) exceeds the max buffer size limit (1073741824).', true],
  ['Array buffer allocation failed', true],
  ['Invalid typed array length: 99999999999', true],
  ['std::bad_alloc', true],
  ['Matrix size-incompatible: In[0]: [2,3], In[1]: [4,5]', false],
  ['WebGPU: validation error', false],
])('knows "%s": %s', (message, expected) => {
  expect(isOutOfMemory(new RangeError(message))).toBe(expected)
  expect(isOutOfMemory(new AppError('COMPUTE_OUT_OF_MEMORY', message))).toBe(false)
})

it('cuts a batch into as few and as equal pieces as fit', () => {
  expect(piecesOf(7, 3).map(({ from, to }) => to - from)).toEqual([2, 2, 3])
  expect(piecesOf(8, 4).map(({ from, to }) => to - from)).toEqual([4, 4])
  expect(piecesOf(1, 4)).toEqual([{ from: 0, to: 1 }])
})

it('marks the run in words', () => {
  expect(memoryNote(4, 'out-of-memory', 0, 1, 2)).toMatch(/^Micro-batches of 4 after out-of-memory in epoch 3;/)
  expect(memoryNote(4, 'out-of-memory', 1, 5, 0)).toContain('epoch 1 of fold 2')
  expect(memoryNote(2, 'foreseen', 0, 1, 0)).toContain('more would not fit')
})

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { methods } from '../../../../engine/adapters/index.ts'
import type { Method } from '../../../../engine/adapters/method.ts'
import { restrictSample, type Network } from '../../../../engine/adapters/network.ts'
import type { Backbone } from '../../../../engine/backbones/backbone.ts'
import type { Resnet50 } from '../../../../engine/backbones/resnet50.ts'
import { type Compute, openCompute } from '../../../../engine/compute/backend.ts'
import { createMemoryGuard, isOutOfMemory, piecesOf } from '../../../../engine/compute/out-of-memory.ts'
import { createRng } from '../../../../engine/compute/rng.ts'
import { AppError } from '../../../../engine/domain/errors.ts'
import { fillGridCache } from '../../../../engine/training/inputs/grid-cache.ts'
import { createInputGuard, createPrefixes } from '../../../../engine/training/inputs/prefixes.ts'
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

describe('frozen inputs', () => {
  it('are computed in smaller pieces after out-of-memory, with the same numbers, the run marked and nothing left behind', async () => {
    const { network, model } = build()
    const folder = mkdtempSync(join(tmpdir(), 'lacuna-oom-'))
    const studies = mixed.map((_, index) => ({ studyId: index, patientId: index, items: [], labels: new Float32Array() }))
    const notes: string[] = []
    const prefixesWith = (name: string) => createPrefixes({
      studies, slots: [], inputKey: name, withBlockOutput: true, cacheDir: join(folder, name), runId: 1, guard: createInputGuard(compute.tf, notes),
      buildSample: async (study) => mixed[study.studyId]!,
      context: { signal: new AbortController().signal, shouldStop: () => false, progress: () => {}, send: async () => {} },
    })
    const wanted = mixed.map((_, index) => ({ index, pattern: 'any' }))
    const whole = prefixesWith('whole')
    await whole.fill(network, wanted, '')
    const tensors = compute.tf.memory().numTensors
    const recovering = prefixesWith('recovering')
    fault.largest = 2
    await recovering.fill(network, wanted, '')
    fault.largest = Infinity
    expect(notes).toEqual(['Frozen inputs were computed 4 at a time after out-of-memory.', 'Frozen inputs were computed 2 at a time after out-of-memory.'])
    expect(compute.tf.memory().numTensors).toBe(tensors)
    for (const { index, pattern } of wanted) {
      const [a, b] = [whole.get(index, pattern), recovering.get(index, pattern)]
      expect(b.segments).toEqual(a.segments)
      for (const key of ['x', 'blockOutput'] as const) a[key]!.forEach((value, i) => expect(Math.abs(b[key]![i]! - value)).toBeLessThan(1e-4))
    }
    whole.dispose()
    recovering.dispose()
    model.dispose()
    rmSync(folder, { recursive: true })
  })

  it('of images are computed in smaller pieces too, each image once and in its place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lacuna-oom-'))
    const images = await Promise.all(Array.from({ length: 5 }, async (_, index) => {
      const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 40 * index, g: 10, b: 200 } } }).png().toBuffer()
      const path = join(folder, `${index}.png`)
      writeFileSync(path, bytes)
      return { path, sha256: createHash('sha256').update(bytes).digest('hex'), where: `image ${index}` }
    }))
    const sizes: number[] = []
    // Stands for ResNet-50: what an image becomes is its own mean, so that a mix-up shows; the device holds two at once.
    const resnet: Resnet50 = {
      weightsHash: 'f'.repeat(64), parameterCount: 0, dispose: () => {},
      gridFeatures: (input, batch) => {
        sizes.push(batch)
        if (batch > 2) throw failure([batch, 112, 112, 64])
        const perImage = input.length / batch
        const values = Array.from({ length: batch }, (_, index) => input.subarray(index * perImage, (index + 1) * perImage).reduce((sum, value) => sum + value, 0) / perImage)
        return Float32Array.from({ length: batch * 49 * 2048 }, (_, i) => values[Math.floor(i / (49 * 2048))]!)
      },
    }
    const context = { signal: new AbortController().signal, shouldStop: () => false, progress: () => {}, send: async () => {} }
    const notes: string[] = []
    const read = async (cacheDir: string, gridFeatures: Resnet50['gridFeatures']): Promise<number[]> => {
      const cache = await fillGridCache(images, { resnet: { ...resnet, gridFeatures }, cacheDir: join(folder, cacheDir), context, guard: createInputGuard(compute.tf, notes) })
      return Promise.all(images.map(async ({ sha256 }) => (await cache.read(sha256))[7]!))
    }
    const recovered = await read('recovering', resnet.gridFeatures)
    expect(sizes).toEqual([5, 2, 3, 1, 2, 2])
    expect(notes.at(-1)).toContain('2 at a time')
    expect(new Set(recovered).size).toBe(5)
    expect(recovered).toEqual(await read('alone', (input, batch) => Float32Array.from(Array.from({ length: batch }, (_, index) => [...resnet.gridFeatures(input.subarray(index * input.length / batch, (index + 1) * input.length / batch), 1)]).flat())))
    rmSync(folder, { recursive: true })
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

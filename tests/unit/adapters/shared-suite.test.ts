/** One suite for every method (conventions, section 11): what a run may rely on, whichever method it chose. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { methods } from '../../../engine/adapters/index.ts'
import type { Method } from '../../../engine/adapters/method.ts'
import { type Network, type Sample, restrictSample } from '../../../engine/adapters/network.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { Tensor } from '../../../engine/compute/tensorflow.ts'
import { AppError } from '../../../engine/domain/errors.ts'
import { adamWConfigSchema } from '../../../engine/training/optimizer.ts'
import { type TrainingModel, createTrainingModel } from '../../../engine/training/training-model.ts'
import { TINY_PATTERNS, createTinyBackbone, createTinySamples, tinyModalities } from './tiny-backbone.ts'

const CLASSES = 3
const { samples, labels } = createTinySamples(6)
/** Parameters of the head on width 16: pooler, two linear maps and a norm. */
const HEAD_COUNT = (16 * 16 + 16) + (16 * 32 + 32) + 2 * 32 + (32 * CLASSES + CLASSES)
/** Linear maps that start from zeros. */
const probes = new Set(['zero-fill', 'mean-fill', 'missingness-only', 'text-only'])
const expectedCounts: Record<string, number> = {
  mora: HEAD_COUNT + 16 * 4 + 2 * 4 * 16,
  'head-only': HEAD_COUNT,
  'zero-fill': (16 + 2 * 24) * CLASSES + CLASSES,
  'mean-fill': (16 + 2 * 24) * CLASSES + CLASSES,
  'missingness-only': 3 * CLASSES + CLASSES,
  'text-only': 16 * CLASSES + CLASSES,
  'late-fusion': (16 * 128 + 128) + (24 * 128 + 128) + 2 * (128 * CLASSES + CLASSES) + 2 * 128 * CLASSES + CLASSES,
  dedicated: 3 * HEAD_COUNT,
}

let compute: Compute
let backbone: Backbone
beforeAll(async () => {
  compute = await openCompute()
  backbone = createTinyBackbone(compute)
})
afterAll(() => backbone.dispose())

function build(method: Method<unknown>, seed = 1, missingInput: 'dummy' | 'left-out' = 'left-out'): { network: Network; model: TrainingModel } {
  const network = method.createNetwork(
    { compute, backbone, modalities: tinyModalities, labelsCount: CLASSES, missingInput, random: createRng(seed) }, method.configSchema.parse({}))
  const model = createTrainingModel({
    compute, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}),
  })
  return { network, model }
}

/** Sample i under pattern i mod 3, so that every batch mixes patterns. */
const mixed: Sample[] = samples.map((sample, i) => restrictSample(sample, TINY_PATTERNS[i % 3]!)!)

function train({ network, model }: { network: Network; model: TrainingModel }, steps: number, withBlockOutput = true): number[] {
  const entries = network.computePrefix(mixed, withBlockOutput)
  return Array.from({ length: steps }, () => model.step({ entries, labels, known: null }, 1e-2))
}

function frozenValues(): Float32Array[] {
  return backbone.blocks.flatMap((block) => (Object.values(block.weights) as Tensor[]).map((tensor) => Float32Array.from(tensor.dataSync())))
}

it('lists every method once, each with a known parameter count', () => {
  expect(new Set(methods.map(({ id }) => id)).size).toBe(methods.length)
  expect(Object.keys(expectedCounts).sort()).toEqual(methods.map(({ id }) => id).sort())
})

describe.each(methods.map((method) => [method.id, method as Method<unknown>] as const))('%s', (id, method) => {
  it('has as many trained parameters as the formula says', () => {
    const { model } = build(method)
    expect(model.trainedParameterCount).toBe(expectedCounts[id])
    expect(model.totalParameterCount).toBe(expectedCounts[id]! + backbone.parameterCount)
    model.dispose()
  })

  it('leaves the backbone bit-identical and lowers the loss', () => {
    const before = frozenValues()
    const built = build(method)
    const losses = train(built, 25)
    expect(losses.every(Number.isFinite)).toBe(true)
    expect(losses.at(-1)!).toBeLessThan(losses[0]!)
    expect(frozenValues()).toEqual(before)
    built.model.dispose()
  })

  it.each(['dummy', 'left-out'] as const)('has a finite loss and finite gradients for every pattern, missing input %s', (missingInput) => {
    const { network, model } = build(method, 1, missingInput)
    for (const pattern of TINY_PATTERNS) {
      const entries = network.computePrefix(samples.map((sample) => restrictSample(sample, pattern)!), true)
      const result = model.gradients({ entries, labels, known: null })
      expect(Number.isFinite(result.loss)).toBe(true)
      expect(result.gradients.size).toBe(network.parameters.all.length)
      for (const gradient of result.gradients.values()) {
        expect((gradient.dataSync() as Float32Array).every(Number.isFinite)).toBe(true)
        gradient.dispose()
      }
    }
    model.dispose()
  })

  it('has the gradients that finite differences give', () => {
    const { network, model } = build(method)
    // A few steps first: at the start B = 0 and A's gradient is exactly 0.
    train({ network, model }, 5)
    const batch = { entries: network.computePrefix(mixed, false), labels, known: null }
    const { gradients } = model.gradients(batch)
    const trained = model.exportTrained()
    const random = createRng(9)
    for (const { name } of network.parameters.all) {
      const gradient = gradients.get(name)!.dataSync() as Float32Array
      // Along a random direction: one number that every entry of the tensor contributes to.
      const direction = Float32Array.from(gradient, () => (random.uniform() < 0.5 ? -1 : 1))
      const lossAt = (step: number): number => {
        const moved = { ...trained, [name]: { ...trained[name]!, values: trained[name]!.values.map((value, i) => value + step * direction[i]!) } }
        model.importTrained(moved)
        return model.evaluateLoss(batch)
      }
      const step = 1e-3
      const numeric = (lossAt(step) - lossAt(-step)) / (2 * step)
      const analytic = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0)
      // Central differences in float32: the error is about 1e-7 / step plus the third derivative.
      expect(Math.abs(numeric - analytic)).toBeLessThan(2e-3 + 0.01 * Math.abs(analytic))
    }
    for (const gradient of gradients.values()) gradient.dispose()
    model.dispose()
  })

  it('gives the same numbers whether the frozen block comes from the cache or not', () => {
    const [cached, computed] = [build(method), build(method)]
    const [a, b] = [train(cached, 5, true), train(computed, 5, false)]
    a.forEach((loss, i) => expect(loss).toBeCloseTo(b[i]!, 5))
    cached.model.dispose()
    computed.model.dispose()
  })

  it('repeats exactly with the same seed and differs with another', () => {
    const runs = [1, 1, 2].map((seed) => {
      const built = build(method, seed)
      train(built, 3)
      const logits = built.model.predict(built.network.computePrefix(mixed, true))
      built.model.dispose()
      return logits
    })
    expect(runs[0]).toEqual(runs[1])
    // A probe that starts from zeros has nothing to draw.
    if (!probes.has(id)) expect(runs[0]).not.toEqual(runs[2])
  })

  it('saves, loads and resumes to the same numbers', () => {
    const first = build(method)
    train(first, 3)
    const [trained, state] = [first.model.exportTrained(), first.model.exportOptimizer()]
    const second = build(method, 99)
    second.model.importTrained(trained)
    second.model.importOptimizer(state)
    expect(train(second, 3)).toEqual(train(first, 3))
    expect(() => second.model.importTrained({})).toThrow(AppError)
    first.model.dispose()
    second.model.dispose()
  })

  it('makes one step from micro-batches equal to one step from the whole batch', () => {
    const [whole, parts] = [build(method), build(method)]
    const entries = whole.network.computePrefix(mixed, true)
    const cut = (from: number, to: number) => ({ entries: entries.slice(from, to), labels: labels.slice(from * CLASSES, to * CLASSES), known: null })
    whole.model.step(cut(0, 6), 1e-2)
    parts.model.stepAccumulated([cut(0, 2), cut(2, 6)], 1e-2)
    const [a, b] = [whole.model.predict(entries), parts.model.predict(entries)]
    a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 4))
    whole.model.dispose()
    parts.model.dispose()
  })

  it('predicts a sample alone as it does in a batch', () => {
    const { network, model } = build(method)
    train({ network, model }, 3)
    const entries = network.computePrefix(mixed, true)
    const together = model.predict(entries)
    entries.forEach((entry, i) => model.predict([entry]).forEach((value, c) => expect(value).toBeCloseTo(together[i * CLASSES + c]!, 4)))
    model.dispose()
  })

  it('leaks no tensor', () => {
    const built = build(method)
    train(built, 1)
    const before = compute.tf.memory().numTensors
    train(built, 3)
    built.model.predict(built.network.computePrefix(mixed, true))
    expect(compute.tf.memory().numTensors).toBe(before)
    const held = built.network.parameters.all.length * 3
    built.model.dispose()
    expect(compute.tf.memory().numTensors).toBe(before - held)
  })

  it('refuses a sample without any part', () => {
    const { network, model } = build(method)
    expect(() => network.computePrefix([[]], false)).toThrow(/none of the chosen modalities/)
    model.dispose()
  })
})

it('starts MoRA from the unchanged backbone', () => {
  const [mora, headOnly] = ['mora', 'head-only'].map((id) => methods.find((method) => method.id === id) as Method<unknown>)
  const [adapted, plain] = [build(mora!), build(headOnly!)]
  const head = Object.fromEntries(Object.entries(adapted.model.exportTrained()).filter(([name]) => !name.startsWith('mora.')))
  plain.model.importTrained(head)
  const a = adapted.model.predict(adapted.network.computePrefix(mixed, true))
  const b = plain.model.predict(plain.network.computePrefix(mixed, true))
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 5))
  adapted.model.dispose()
  plain.model.dispose()
})

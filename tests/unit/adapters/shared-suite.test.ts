/** One suite for every method (conventions, section 11): what a run may rely on, whichever method it chose. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findMethod, methods } from '../../../engine/adapters/index.ts'
import type { Method, MissingInput } from '../../../engine/adapters/method.ts'
import { type Network, type Sample, restrictSample } from '../../../engine/adapters/network.ts'
import { promptParameterCount } from '../../../engine/adapters/prompt/inject.ts'
import { ssfParameterCount } from '../../../engine/adapters/ssf/inject.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import { blockParameterCount } from '../../../engine/backbones/transformer-weights.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { Tensor } from '../../../engine/compute/tensorflow.ts'
import { AppError } from '../../../engine/domain/errors.ts'
import { adamWConfigSchema } from '../../../engine/training/optimise/optimizer.ts'
import { type TrainingModel, createTrainingModel } from '../../../engine/training/optimise/training-model.ts'
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
  // One set for each of two incomplete combinations; the embeddings' norm is the one outside the blocks.
  ssf: HEAD_COUNT + 2 * ssfParameterCount(2, 16, 32, 1),
  'ssf, joint': HEAD_COUNT + 3 * ssfParameterCount(2, 16, 32, 1),
  'ssf, joint, encoder': HEAD_COUNT + 3 * ssfParameterCount(2, 16, 32, 0),
  lora: HEAD_COUNT + 2 * 2 * (16 * 4 + 4 * 16),
  'lora, every layer': HEAD_COUNT + 2 * (4 * (16 * 2 + 2 * 16) + 2 * (16 * 2 + 2 * 32)),
  'lora, by combination': HEAD_COUNT + 2 * 2 * 2 * (16 * 4 + 4 * 16),
  'lora, by combination, joint': HEAD_COUNT + 3 * 2 * 2 * (16 * 4 + 4 * 16),
  'ssf, on a base network': HEAD_COUNT + 2 * ssfParameterCount(2, 16, 32, 1) + 2 * blockParameterCount({ width: 16, heads: 4, feedForward: 32, blocks: 2, epsilon: 0 }),
  'lora, by combination, on a base network': HEAD_COUNT + 2 * 2 * 2 * (16 * 4 + 4 * 16) + 2 * blockParameterCount({ width: 16, heads: 4, feedForward: 32, blocks: 2, epsilon: 0 }),
  prompt: HEAD_COUNT + promptParameterCount(3, 2, 16, 16),
  'prompt, attention': HEAD_COUNT + promptParameterCount(3, 2, 4, 16),
  'prompt, second block': HEAD_COUNT + promptParameterCount(3, 1, 4, 16),
  bitfit: HEAD_COUNT + 2 * (3 * 16 + 16 + 32 + 16 + 2 * 16),
  'norm-tuning': HEAD_COUNT + 2 * 4 * 16,
  full: HEAD_COUNT + 2 * blockParameterCount({ width: 16, heads: 4, feedForward: 32, blocks: 2, epsilon: 0 }),
  'mora, beside attention': HEAD_COUNT + 16 * 4 + 2 * 4 * 16,
  'mora, second block': HEAD_COUNT + 16 * 4 + 2 * 4 * 16,
  'mora, both blocks, beside attention': HEAD_COUNT + 2 * (16 * 4 + 2 * 4 * 16),
}

/** Every method as a run gets it, and settings that take another way through the code. */
const cases: { name: string; id: string; config: object }[] = [
  ...methods.map(({ id }) => ({ name: id, id, config: {} })),
  { name: 'ssf, joint', id: 'ssf', config: { training: 'joint' } },
  { name: 'ssf, joint, encoder', id: 'ssf', config: { training: 'joint', sites: 'encoder' } },
  { name: 'lora, every layer', id: 'lora', config: { rank: 2, targets: ['query', 'key', 'value', 'output', 'expand', 'contract'] } },
  { name: 'lora, by combination', id: 'lora', config: { by: 'combination' } },
  { name: 'lora, by combination, joint', id: 'lora', config: { by: 'combination', training: 'joint' } },
  { name: 'ssf, on a base network', id: 'ssf', config: { base: 'network' } },
  { name: 'lora, by combination, on a base network', id: 'lora', config: { by: 'combination', base: 'network' } },
  { name: 'prompt, attention', id: 'prompt', config: { level: 'attention', length: 4 } },
  { name: 'prompt, second block', id: 'prompt', config: { length: 4, blocks: [1, 7] } },
  { name: 'mora, beside attention', id: 'mora', config: { beside: 'attention' } },
  { name: 'mora, second block', id: 'mora', config: { blocks: [1] } },
  { name: 'mora, both blocks, beside attention', id: 'mora', config: { blocks: [0, 1], beside: 'attention' } },
]

const namesOf = { 1: 'text', 2: 'image', 3: 'text+image' } as const
/** Numbers of the frozen backbone that trained copies stand in place of. */
const blockCount = 2 * blockParameterCount({ width: 16, heads: 4, feedForward: 32, blocks: 2, epsilon: 0 })
const replacedCounts: Record<string, number> = {
  bitfit: expectedCounts['bitfit']! - HEAD_COUNT, 'norm-tuning': expectedCounts['norm-tuning']! - HEAD_COUNT, full: blockCount,
  'ssf, on a base network': blockCount, 'lora, by combination, on a base network': blockCount,
}

let compute: Compute
let backbone: Backbone
beforeAll(async () => {
  compute = await openCompute()
  backbone = createTinyBackbone(compute)
})
afterAll(() => backbone.dispose())

function build({ id, config }: { id: string; config: object }, seed = 1, missingInput: MissingInput = 'left-out'): { network: Network; model: TrainingModel } {
  const method: Method<unknown> = findMethod(id)
  const network = method.createNetwork(
    { compute, backbone, modalities: tinyModalities, labelsCount: CLASSES, missingInput, random: createRng(seed) }, method.configSchema.parse(config))
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
  expect(Object.keys(expectedCounts).sort()).toEqual(cases.map(({ name }) => name).sort())
})

describe.each(cases.map((one) => [one.name, one] as const))('%s', (name, method) => {
  it('has as many trained parameters as the formula says', () => {
    const { model } = build(method)
    expect(model.trainedParameterCount).toBe(expectedCounts[name])
    expect(model.totalParameterCount).toBe(expectedCounts[name]! + backbone.parameterCount - (replacedCounts[name] ?? 0))
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

  it.each(['dummy', 'zeros', 'left-out'] as const)('has a finite loss and finite gradients for every pattern, missing input %s', (missingInput) => {
    const { network, model } = build(method, 1, missingInput)
    for (const pattern of TINY_PATTERNS) {
      const entries = network.computePrefix(samples.map((sample) => restrictSample(sample, pattern)!), true)
      const result = model.gradients({ entries, labels, known: null })
      expect(Number.isFinite(result.loss)).toBe(true)
      // What belongs to another combination has no part in this batch, and so no gradient.
      expect(network.parameters.all.filter(({ name }) => !result.gradients.has(name)).every(({ byPattern, name }) => byPattern && !name.startsWith(`${namesOf[pattern]}/`))).toBe(true)
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
      const analytic = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0)
      // Central differences in float32: the error is about 1e-7 / step plus the third derivative, which is large in some directions; so two steps.
      const errors = [1e-3, 3e-4].map((step) => Math.abs((lossAt(step) - lossAt(-step)) / (2 * step) - analytic))
      expect(Math.min(...errors)).toBeLessThan(2e-3 + 0.01 * Math.abs(analytic))
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
    if (!probes.has(method.id)) expect(runs[0]).not.toEqual(runs[2])
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

  it('predicts the same with its trained parts folded into the weights', () => {
    const { network, model } = build(method)
    train({ network, model }, 5)
    for (const pattern of TINY_PATTERNS) {
      const entries = network.computePrefix(samples.map((sample) => restrictSample(sample, pattern)!), true)
      // A batch of one pattern is worth folding for, a single sample is not.
      const [folded, plain] = [model.predict(entries, 6), model.predict(entries, 1)]
      folded.forEach((value, i) => expect(value).toBeCloseTo(plain[i]!, 4))
    }
    model.dispose()
  })

  it('leaks no tensor', () => {
    const before = compute.tf.memory().numTensors
    const built = build(method)
    const onePattern = built.network.computePrefix(samples.map((sample) => restrictSample(sample, 1)!), true)
    const work = (): number => {
      train(built, 3)
      built.model.predict(built.network.computePrefix(mixed, true))
      built.model.predict(onePattern)
      return compute.tf.memory().numTensors
    }
    expect(work()).toBe(work())
    built.model.dispose()
    expect(compute.tf.memory().numTensors).toBe(before)
  })

  it('refuses a sample without any part', () => {
    const { network, model } = build(method)
    expect(() => network.computePrefix([[]], false)).toThrow(/none of the chosen modalities/)
    model.dispose()
  })
})

it.each(cases.filter(({ id }) => findMethod(id).startsUnchanged && id !== 'head-only'))('starts from the unchanged backbone: $name', (method) => {
  const [adapted, plain] = [build(method), build({ id: 'head-only', config: {} })]
  const head = Object.fromEntries(Object.entries(adapted.model.exportTrained()).filter(([name]) => /^(pooler|classifier)\./.test(name)))
  plain.model.importTrained(head)
  const a = adapted.model.predict(adapted.network.computePrefix(mixed, true))
  const b = plain.model.predict(plain.network.computePrefix(mixed, true))
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 5))
  adapted.model.dispose()
  plain.model.dispose()
})

/** What the places of a block promise on pre-LN backbones with a final norm, which the shared suite's post-LN one does not have. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findMethod } from '../../../engine/adapters/index.ts'
import { type ModalitySpec, type Network, type Sample, restrictSample } from '../../../engine/adapters/network.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import { loadVilt } from '../../../engine/backbones/vilt.ts'
import { type WeightSource, randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { Tensor } from '../../../engine/compute/tensorflow.ts'
import { adamWConfigSchema } from '../../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../../engine/training/optimise/training-model.ts'

const modalities: ModalitySpec[] = [{ name: 'text', kind: 'text', slots: [] }, { name: 'image', kind: 'image', slots: [0] }]
const CLASSES = 2
const random = createRng(11)
const samples: Sample[] = Array.from({ length: 4 }, (_, i) => [
  { kind: 'text', modality: 0, ids: Int32Array.of(101, ...Array.from({ length: 1 + i }, () => 110 + random.integer(40)), 102) },
  { kind: 'pixels', modality: 1, slot: 0, pixels: normalArray(random, 3 * 8 * (i === 2 ? 12 : 8), 1), height: 8, width: i === 2 ? 12 : 8 },
])
const mixed = samples.map((sample, i) => restrictSample(sample, [3, 1, 2, 3][i]!)!)
const labels = Float32Array.from({ length: samples.length * CLASSES }, (_, i) => i % 3 === 0 ? 1 : 0)

/** Biases and norms as training leaves them: zeros and ones would hide what is done to them. */
function trainedLooking(source: WeightSource): WeightSource {
  const noise = createRng(8)
  return { ...source, read: (name, shape) => /bias$|norm[^.]*\.weight$/i.test(name) ? source.read(name, shape).map((value) => value + 0.3 * noise.normal()) : source.read(name, shape) }
}

let compute: Compute
let backbone: Backbone
beforeAll(async () => {
  compute = await openCompute()
  backbone = loadVilt(compute, trainedLooking(randomWeightSource(createRng(7), 'tiny-vilt', 0.2)), {
    model_type: 'vilt', vocab_size: 160, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 24, max_position_embeddings: 12,
    type_vocab_size: 2, modality_type_vocab_size: 2, layer_norm_eps: 1e-12, hidden_act: 'gelu', image_size: 8, patch_size: 4, num_channels: 3, qkv_bias: true,
  } as Parameters<typeof loadVilt>[2])
})
afterAll(() => backbone.dispose())

function build(id: string, config: object): { network: Network; model: ReturnType<typeof createTrainingModel> } {
  const method = findMethod(id)
  const network = method.createNetwork({ compute, backbone, modalities, labelsCount: CLASSES, missingInput: 'dummy', random: createRng(1) }, method.configSchema.parse(config))
  return { network, model: createTrainingModel({ compute, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) }) }
}

describe.each([
  ['ssf', {}], ['ssf', { training: 'joint' }], ['lora', { targets: ['query', 'key', 'value', 'output', 'expand', 'contract'] }], ['lora', { by: 'combination' }],
  ['prompt', { length: 4 }], ['prompt', { level: 'attention', length: 4 }], ['bitfit', {}], ['norm-tuning', {}], ['full', { backboneRate: 1 }],
  ['mora', { beside: 'attention', blocks: [0, 1] }], ['mora', { blocks: [1] }],
] as const)('%s %o on a pre-LN backbone', (id, config) => {
  it('has the gradients that finite differences give', () => {
    const { network, model } = build(id, config)
    const batch = { entries: network.computePrefix(mixed, false), labels, known: null }
    for (let step = 0; step < 5; step++) model.step(batch, 1e-2)
    const { gradients } = model.gradients(batch)
    const trained = model.exportTrained()
    const signs = createRng(3)
    for (const { name } of network.parameters.all) {
      const gradient = gradients.get(name)!.dataSync() as Float32Array
      const direction = Float32Array.from(gradient, () => (signs.uniform() < 0.5 ? -1 : 1))
      const analytic = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0)
      const lossAt = (step: number): number => {
        model.importTrained({ ...trained, [name]: { ...trained[name]!, values: trained[name]!.values.map((value, i) => value + step * direction[i]!) } })
        return model.evaluateLoss(batch)
      }
      // Central differences in float32, see the shared suite.
      const errors = [1e-3, 3e-4].map((step) => Math.abs((lossAt(step) - lossAt(-step)) / (2 * step) - analytic))
      expect(Math.min(...errors), name).toBeLessThan(2e-3 + 0.01 * Math.abs(analytic))
    }
    for (const gradient of gradients.values()) gradient.dispose()
    model.dispose()
  })

  it('predicts the same with its trained parts folded into the weights', () => {
    const { network, model } = build(id, config)
    const batch = { entries: network.computePrefix(mixed, false), labels, known: null }
    for (let step = 0; step < 10; step++) model.step(batch, 3e-2)
    for (const pattern of [1, 2, 3]) {
      const entries = network.computePrefix(samples.map((sample) => restrictSample(sample, pattern)!), true)
      const [folded, plain] = [model.predict(entries, 4), model.predict(entries, 1)]
      folded.forEach((value, i) => expect(value).toBeCloseTo(plain[i]!, 4))
    }
    model.dispose()
  })

  it('leaves the backbone bit-identical and no tensor behind', () => {
    const frozen = (): Float32Array[] => [...backbone.blocks.flatMap((block) => Object.values(block.weights) as Tensor[]), backbone.finalNorm!.gamma, backbone.finalNorm!.beta]
      .map((tensor) => Float32Array.from(tensor.dataSync()))
    const [values, tensors] = [frozen(), compute.tf.memory().numTensors]
    const { network, model } = build(id, config)
    const batch = { entries: network.computePrefix(mixed, true), labels, known: null }
    const losses = Array.from({ length: 20 }, () => model.step(batch, 1e-2))
    expect(losses.at(-1)!).toBeLessThan(losses[0]!)
    model.predict(batch.entries)
    model.dispose()
    expect(compute.tf.memory().numTensors).toBe(tensors)
    expect(frozen()).toEqual(values)
  })
})

describe('a phase', () => {
  it.each([['ssf', {}], ['lora', { by: 'combination' }], ['ssf', { trainHead: true }]] as const)('of %s %o trains its own tensors and leaves the others bit-identical', (id, config) => {
    const method = findMethod(id)
    const phases = method.phases!(method.configSchema.parse(config), modalities)!
    expect(phases.map(({ name, shows }) => [name, shows])).toEqual([['base on complete patients', 3], ['text only', 1], ['image only', 2]])
    expect(phases.reduce((sum, { epochsShare }) => sum + epochsShare, 0)).toBeCloseTo(1)
    const { network, model } = build(id, config)
    for (const phase of phases) {
      network.beginPhase!(phase)
      const own = createTrainingModel({ compute, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
      const before = model.exportTrained()
      const batch = { entries: network.computePrefix(samples.map((sample) => restrictSample(sample, phase.shows as number)!), false), labels, known: null }
      const first = own.step(batch, 1e-2)
      for (let step = 0; step < 5; step++) own.step(batch, 1e-2)
      expect(own.evaluateLoss(batch)).toBeLessThan(first)
      const after = model.exportTrained()
      for (const parameter of network.parameters.all) {
        const { name } = parameter
        if (phase.trains(parameter)) expect(after[name]!.values, name).not.toEqual(before[name]!.values)
        else expect(after[name]!.values, name).toEqual(before[name]!.values)
      }
    }
    network.beginPhase!(null)
    expect([1, 2, 3].map((presence) => network.serving!(presence))).toEqual(['trained', 'trained', 'trained'])
    model.dispose()
  })

  it.each([
    ['ssf', { training: 'joint' }], ['lora', { by: 'combination', training: 'joint' }], ['prompt', { length: 4 }], ['prompt', { length: 4, level: 'attention' }],
  ] as const)('over everything leaves a combination that nobody showed to the base, weight decay or not: %s %o', (id, config) => {
    const { network, model } = build(id, config)
    network.statistics?.fit([])
    const before = model.exportTrained()
    const entries = network.computePrefix(samples.map((sample, i) => restrictSample(sample, i % 2 === 0 ? 1 : 3)!), false)
    for (let step = 0; step < 5; step++) model.step({ entries, labels, known: null }, 1e-2)
    expect([1, 2, 3].map((presence) => network.serving!(presence))).toEqual(['trained', 'base', 'trained'])
    const after = model.exportTrained()
    for (const { name } of network.parameters.all) {
      if (name.startsWith('image/')) expect(after[name], name).toEqual(before[name])
      else expect(after[name], name).not.toEqual(before[name])
    }
    model.dispose()
  })

  it('goes on after a restart without touching what no pattern has reached', () => {
    const whole = build('ssf', { training: 'joint' })
    const [early, late] = [1, 2].map((pattern) => ({ entries: whole.network.computePrefix(samples.map((sample) => restrictSample(sample, pattern)!), false), labels, known: null }))
    const step = ({ model }: ReturnType<typeof build>, batch: typeof early): number => model.step(batch!, 1e-2)
    step(whole, early)
    step(whole, early)
    const resumed = build('ssf', { training: 'joint' })
    resumed.model.importTrained(whole.model.exportTrained())
    resumed.model.importOptimizer(whole.model.exportOptimizer())
    for (const batch of [early, late, early]) expect(step(resumed, batch)).toBe(step(whole, batch))
    expect(resumed.model.exportTrained()).toEqual(whole.model.exportTrained())
    whole.model.dispose()
    resumed.model.dispose()
  })

  it.each([['input', 2], ['attention', 2], ['input', 1]] as const)('without prompts answers for a combination that nobody showed: level %s, from block %i', (level, blocks) => {
    const { network, model } = build('prompt', { length: 4, level, blocks: blocks === 2 ? [0, 1] : [1] })
    network.statistics!.fit([])
    const entries = network.computePrefix(samples.map((sample, i) => restrictSample(sample, i % 2 === 0 ? 1 : 3)!), false)
    for (let step = 0; step < 3; step++) model.step({ entries, labels, known: null }, 1e-2)
    const plain = build('head-only', {})
    plain.model.importTrained(Object.fromEntries(Object.entries(model.exportTrained()).filter(([name]) => /^(pooler|classifier)\./.test(name))))
    const unseen = samples.map((sample) => restrictSample(sample, 2)!)
    // In one batch with combinations that have prompts, and alone.
    const together = model.predict([...entries, ...network.computePrefix(unseen, false)], 8).slice(entries.length * CLASSES)
    const expected = plain.model.predict(plain.network.computePrefix(unseen, false))
    together.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4))
    model.predict(network.computePrefix(unseen, false), 2).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4))
    // Loaded again it still knows, and a checkpoint of 0.1, which does not say, counts every combination as trained.
    const loaded = build('prompt', { length: 4, level, blocks: blocks === 2 ? [0, 1] : [1], untrained: 'refuse' })
    loaded.model.importTrained(model.exportTrained())
    expect([1, 2, 3].map((presence) => loaded.network.serving!(presence))).toEqual(['trained', 'refused', 'trained'])
    expect(() => loaded.model.predict(loaded.network.computePrefix(unseen, false))).toThrow(/only image was trained on/)
    const old = Object.fromEntries(Object.entries(model.exportTrained()).filter(([name]) => !name.startsWith('statistics.')))
    loaded.model.importTrained(old)
    expect(loaded.network.serving!(2)).toBe('trained')
    for (const one of [model, plain.model, loaded.model]) one.dispose()
  })

  it('that is skipped leaves its combination to the base, or refuses it, also after loading', () => {
    const method = findMethod('ssf')
    for (const [untrained, expected] of [['base', 'base'], ['refuse', 'refused']] as const) {
      const { network, model } = build('ssf', { untrained })
      const phases = method.phases!(method.configSchema.parse({}), modalities)!
      network.beginPhase!(phases[1]!)
      const trainer = createTrainingModel({ compute, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
      const textOnly = network.computePrefix(samples.map((sample) => restrictSample(sample, 1)!), false)
      trainer.step({ entries: textOnly, labels, known: null }, 1e-2)
      const loaded = build('ssf', { untrained })
      loaded.model.importTrained(model.exportTrained())
      for (const { network: one, model: served } of [{ network, model }, loaded]) {
        expect([1, 2, 3].map((presence) => one.serving!(presence))).toEqual(['trained', expected, 'trained'])
        const imageOnly = one.computePrefix(samples.map((sample) => restrictSample(sample, 2)!), false)
        if (expected === 'refused') expect(() => served.predict(imageOnly)).toThrow(/only image was trained on/)
        else expect(served.predict(imageOnly).every(Number.isFinite)).toBe(true)
        expect(served.predict(textOnly).every(Number.isFinite)).toBe(true)
      }
      loaded.model.dispose()
      model.dispose()
    }
  })
})

it('leaves the up-projection of a modality that nobody has at exactly zero', () => {
  const { network, model } = build('mora', { blocks: [0, 1] })
  const entries = network.computePrefix(samples.map((sample) => restrictSample(sample, 1)!), false)
  for (let step = 0; step < 5; step++) model.step({ entries, labels, known: null }, 1e-2)
  const trained = model.exportTrained()
  for (const block of [0, 1]) {
    expect(trained[`mora.${block}.up.image`]!.values.every((value) => value === 0)).toBe(true)
    expect(trained[`mora.${block}.up.text`]!.values.every((value) => value === 0)).toBe(false)
  }
  model.dispose()
})

it('computes what lies below the head once while only the head is trained', () => {
  const { network, model } = build('ssf', { base: 'head' })
  network.beginPhase!(findMethod('ssf').phases!(findMethod('ssf').configSchema.parse({}), modalities)![0]!)
  const trainer = createTrainingModel({ compute, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
  const entries = network.computePrefix(samples, false)
  const first = trainer.step({ entries, labels, known: null }, 1e-2)
  // The features are remembered with the entry: spoiling its tokens now changes nothing, for an equal entry it does.
  const fresh = entries.map((entry) => ({ ...entry, x: entry.x.slice() }))
  entries.forEach(({ x }) => x.fill(0))
  const second = trainer.step({ entries, labels, known: null }, 1e-2)
  expect(second).toBeLessThan(first)
  const remembered = model.predict(entries)
  model.predict(fresh).forEach((value, i) => expect(value).toBe(remembered[i]))
  expect([...model.predict(entries.map((entry) => ({ ...entry })))]).not.toEqual([...remembered])
  // With everything trained again the same logits come the long way.
  network.beginPhase!(null)
  model.predict(fresh).forEach((value, i) => expect(value).toBeCloseTo(remembered[i]!, 5))
  model.dispose()
})

it('has one set for each of seven combinations of three modalities, apart from each other', () => {
  const three: ModalitySpec[] = [...modalities, { name: 'lateral', kind: 'image', slots: [1] }]
  const method = findMethod('ssf')
  expect(method.phases!(method.configSchema.parse({}), three)!.map(({ name }) => name)).toEqual(
    ['base on complete patients', 'text only', 'image only', 'text+image only', 'lateral only', 'text+lateral only', 'image+lateral only'])
})

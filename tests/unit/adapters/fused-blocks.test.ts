/** Blocks with trained parts give the same numbers whole, in one kernel, as composed of single operations. */
import { beforeAll, describe, expect, it } from 'vitest'
import { findMethod } from '../../../engine/adapters/index.ts'
import type { ModalitySpec, PrefixEntry } from '../../../engine/adapters/network.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import { loadTransformerBlocks } from '../../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import type { AskedGradients, BlockKernels } from '../../../engine/compute/kernels.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import { adamWConfigSchema } from '../../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../../engine/training/optimise/training-model.ts'

const [D, F, CLASSES] = [48, 80, 3]
const modalities: ModalitySpec[] = [{ name: 'text', kind: 'text', slots: [] }, { name: 'image', kind: 'image', slots: [0] }]

let compute: Compute
beforeAll(async () => { compute = await openCompute() })

interface Case {
  id: string
  config: object
  /** Presence of each sample (bit 0 text, bit 1 image). */
  patterns: readonly number[]
  /** Absent modalities enter as tokens of their own instead of being left out. */
  hasStandIns?: boolean
  /** Which phase of training; all parameters when left out. */
  phase?: number
}

/** Loss and gradients of one batch at trained-looking values. */
function train(own: Compute, preNorm: boolean, { id, config, patterns, hasStandIns = false, phase }: Case) {
  const { tf } = own
  const random = createRng(5)
  const source = randomWeightSource(random, 'tiny', 0.2)
  const epsilon = 1e-12
  const blocks = loadTransformerBlocks(own, source, { width: D, heads: 4, feedForward: F, blocks: 3, epsilon }, preNorm)
  const unused = (): never => { throw new Error('the test starts from tokens') }
  const backbone: Backbone = {
    id: 'tiny', width: D, heads: 4, blocks, weightsHash: 'tiny', pooler: null, parameterCount: 0, joinsFirstAndLast: false,
    pooling: preNorm ? 'first' : 'modality-mean', finalNorm: preNorm ? { gamma: tf.ones([D]), beta: tf.zeros([D]), epsilon } : null,
    embed: unused, dummyPart: unused, describePart: unused, describedWidth: () => D, dispose: () => undefined,
  }
  const method = findMethod(id)
  const settings = method.configSchema.parse(config)
  const network = method.createNetwork({ compute: own, backbone, modalities, labelsCount: CLASSES, missingInput: 'left-out', random }, settings)
  const createModel = () => createTrainingModel({ compute: own, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
  const model = createModel()
  const entries = patterns.map((presence, i): PrefixEntry => {
    const tokens = 17 + i
    const segmentOf = (token: number): number => {
      const modality = presence === 3 || hasStandIns ? Number(token > 6) : presence - 1
      return (presence >> modality) & 1 ? modality : 255
    }
    return { presence, tokens, segments: Uint8Array.from({ length: tokens }, (_, t) => segmentOf(t)), x: normalArray(random, tokens * D, 1), blockOutput: null }
  })
  const batch = { entries, labels: Float32Array.from({ length: entries.length * CLASSES }, (_, i) => (i % 3 === 1 ? 1 : 0)), known: null }
  // Values as training leaves them; Adam's own steps would turn rounding into differences of the size of the rate.
  const noise = createRng(9)
  model.importTrained(Object.fromEntries(Object.entries(model.exportTrained()).map(([name, { shape, values }]) => [name, { shape, values: values.map((value) => value + 0.1 * noise.normal()) }])))
  if (phase !== undefined) network.beginPhase!(method.phases!(settings, modalities)![phase]!)
  const inPhase = phase === undefined ? model : createModel()
  const before = tf.memory().numTensors
  const { loss, gradients, logits } = inPhase.gradients(batch)
  const values = new Map([...gradients].map(([name, gradient]) => [name, Float32Array.from(gradient.dataSync())]))
  for (const gradient of gradients.values()) gradient.dispose()
  expect(tf.memory().numTensors).toBe(before)
  const predicted = inPhase.predict(entries, 1)
  expect(tf.memory().numTensors).toBe(before)
  model.dispose()
  return { loss, logits, values, predicted }
}

const allMaps = ['query', 'key', 'value', 'output', 'expand', 'contract']
const cases: readonly Case[] = [
  { id: 'bitfit', config: {}, patterns: [3, 3, 3] },
  { id: 'norm-tuning', config: {}, patterns: [3, 1, 2] },
  { id: 'lora', config: {}, patterns: [3, 1, 2] },
  { id: 'lora', config: { targets: ['key'] }, patterns: [3, 3, 3] },
  { id: 'lora', config: { targets: ['output'] }, patterns: [3, 1, 2] },
  { id: 'lora', config: { targets: ['expand'] }, patterns: [3, 1, 2] },
  { id: 'lora', config: { targets: ['contract'] }, patterns: [3, 1, 2] },
  { id: 'lora', config: { targets: allMaps, rank: 3 }, patterns: [3, 1, 2], hasStandIns: true },
  { id: 'lora', config: { by: 'combination', training: 'joint' }, patterns: [1, 1, 1] },
  { id: 'lora', config: { by: 'combination', training: 'joint', targets: allMaps }, patterns: [3, 1, 2, 1] },
  { id: 'lora', config: { by: 'combination', targets: allMaps }, patterns: [2, 2, 2], phase: 2 },
  { id: 'ssf', config: { training: 'joint' }, patterns: [2, 2, 2] },
  { id: 'ssf', config: { training: 'joint' }, patterns: [3, 1, 2, 1] },
  { id: 'ssf', config: { training: 'joint' }, patterns: [1, 3, 2], hasStandIns: true },
  // Complete samples have no set of their own.
  { id: 'ssf', config: { base: 'head' }, patterns: [3, 1, 2] },
  // Over the base network's own copy of the backbone, frozen by then.
  { id: 'ssf', config: {}, patterns: [1, 1, 1], phase: 1 },
  { id: 'prompt', config: { level: 'attention', length: 6, blocks: [0, 1, 2] }, patterns: [3, 1, 2] },
  { id: 'prompt', config: { level: 'attention', length: 6, blocks: [0, 1, 2] }, patterns: [2, 2, 2], hasStandIns: true },
]

describe.each(cases)('$id $config of patterns $patterns, phase $phase, stand-ins $hasStandIns', (one) => {
  it.each([true, false])('with the norm first: %s', (preNorm) => {
    if (compute.kernels.blocks === undefined) return // no fused kernels on this machine
    const { blocks: whole, ...single } = compute.kernels
    const asked: AskedGradients[] = []
    const counted: BlockKernels = { ...whole!, backwardTrained: (...args) => { asked.push(args[5]); return whole!.backwardTrained(...args) } }
    const fused = train({ ...compute, kernels: { ...compute.kernels, blocks: counted } }, preNorm, one)
    const composed = train({ ...compute, kernels: single }, preNorm, one)
    expect(asked).toHaveLength(3)
    // Only what is trained gets a gradient.
    const sites = 'targets' in one.config ? (one.config.targets as string[]) : one.id === 'lora' ? ['query'] : []
    const isUpdated = [['query', 'key', 'value'], ['output'], ['expand'], ['contract']].map((names) => names.some((name) => sites.includes(name)))
    for (const asks of asked) expect(asks).toEqual({ vectors: /bitfit|norm|ssf/.test(one.id), prompts: one.id === 'prompt', updates: isUpdated })
    expect(Math.abs(fused.loss - composed.loss)).toBeLessThan(1e-5)
    fused.predicted.forEach((value, i) => expect(value).toBeCloseTo(composed.predicted[i]!, 4))
    expect([...fused.values.keys()].sort()).toEqual([...composed.values.keys()].sort())
    for (const [name, expected] of composed.values) {
      // A key's bias moves all scores of a query alike: its gradient is 0 but for rounding.
      const scale = /key\.(bias|beta)$/.test(name) ? 1e-1 : Math.hypot(...expected) / Math.sqrt(expected.length)
      const gap = Math.max(...expected.map((value, i) => Math.abs(value - fused.values.get(name)![i]!)))
      expect(gap / scale, name).toBeLessThan(2e-5)
    }
  })
})

/** Blocks with trained parts give the same numbers whole, in one kernel, as composed of single operations. */
import { beforeAll, describe, expect, it } from 'vitest'
import { findMethod } from '../../../engine/adapters/index.ts'
import type { ModalitySpec, PrefixEntry } from '../../../engine/adapters/network.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import { loadTransformerBlocks } from '../../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import { adamWConfigSchema } from '../../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../../engine/training/optimise/training-model.ts'

const [D, F, CLASSES] = [48, 80, 3]
const modalities: ModalitySpec[] = [{ name: 'text', kind: 'text', slots: [] }, { name: 'image', kind: 'image', slots: [0] }]

let compute: Compute
beforeAll(async () => { compute = await openCompute() })

/** Loss and gradients of one batch at trained-looking values. */
function train(own: Compute, preNorm: boolean, id: string, config: object, patterns: readonly number[]) {
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
  const network = method.createNetwork({ compute: own, backbone, modalities, labelsCount: CLASSES, missingInput: 'left-out', random }, method.configSchema.parse(config))
  const model = createTrainingModel({ compute: own, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
  const entries = patterns.map((presence, i): PrefixEntry => {
    const tokens = 17 + i
    return { presence, tokens, segments: Uint8Array.from({ length: tokens }, (_, t) => (presence === 2 || (presence === 3 && t > 6) ? 1 : 0)), x: normalArray(random, tokens * D, 1), blockOutput: null }
  })
  const batch = { entries, labels: Float32Array.from({ length: entries.length * CLASSES }, (_, i) => (i % 3 === 1 ? 1 : 0)), known: null }
  // Values as training leaves them; Adam's own steps would turn rounding into differences of the size of the rate.
  const noise = createRng(9)
  model.importTrained(Object.fromEntries(Object.entries(model.exportTrained()).map(([name, { shape, values }]) => [name, { shape, values: values.map((value) => value + 0.1 * noise.normal()) }])))
  const before = tf.memory().numTensors
  const { loss, gradients, logits } = model.gradients(batch)
  const values = new Map([...gradients].map(([name, gradient]) => [name, Float32Array.from(gradient.dataSync())]))
  for (const gradient of gradients.values()) gradient.dispose()
  expect(tf.memory().numTensors).toBe(before)
  model.dispose()
  return { loss, logits, values }
}

describe.each([
  ['bitfit', {}, [3, 3, 3]], ['norm-tuning', {}, [3, 1, 2]], ['lora', {}, [3, 1, 2]], ['lora', { targets: ['query', 'key', 'value'] }, [3, 3, 3]],
  ['lora', { by: 'combination', training: 'joint' }, [1, 1, 1]],
] as const)('%s %o of patterns %o', (id, config, patterns) => {
  it.each([true, false])('with the norm first: %s', (preNorm) => {
    if (compute.kernels.blocks === undefined) return // no fused kernels on this machine
    const { blocks: whole, ...single } = compute.kernels
    let calls = 0
    const counted = { ...compute.kernels.blocks, backwardTrained: (...args: Parameters<NonNullable<typeof whole>['backwardTrained']>) => { calls++; return whole!.backwardTrained(...args) } }
    const fused = train({ ...compute, kernels: { ...compute.kernels, blocks: counted } }, preNorm, id, config, patterns)
    const composed = train({ ...compute, kernels: single }, preNorm, id, config, patterns)
    expect(calls).toBe(3)
    expect(Math.abs(fused.loss - composed.loss)).toBeLessThan(1e-5)
    expect([...fused.values.keys()].sort()).toEqual([...composed.values.keys()].sort())
    for (const [name, expected] of composed.values) {
      // A key's bias moves all scores of a query alike: its gradient is 0 but for rounding.
      const scale = name.endsWith('key.bias') ? 1e-1 : Math.hypot(...expected) / Math.sqrt(expected.length)
      const gap = Math.max(...expected.map((value, i) => Math.abs(value - fused.values.get(name)![i]!)))
      expect(gap / scale, name).toBeLessThan(2e-5)
    }
  })
})

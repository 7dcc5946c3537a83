import { beforeAll, describe, expect, it } from 'vitest'
import { mora } from '../../../engine/adapters/mora/index.ts'
import type { PrefixEntry } from '../../../engine/adapters/network.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import { loadTransformerBlocks } from '../../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import type { Keeping } from '../../../engine/compute/kernels.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import { withMemoryRecovery } from '../../../engine/training/optimise/memory-recovery.ts'
import { adamWConfigSchema } from '../../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../../engine/training/optimise/training-model.ts'

let compute: Compute
beforeAll(async () => { compute = await openCompute() })

const [D, labelsCount] = [16, 3]

function tinyModel(keeping: Keeping, parameterCount = 0) {
  const { tf } = compute
  const random = createRng(3)
  const own: Compute = { ...compute, keeping }
  const blocks = loadTransformerBlocks(compute, randomWeightSource(random, 'tiny', 0.2), { width: D, heads: 2, feedForward: 32, blocks: 3, epsilon: 1e-12 }, true)
  const unused = (): never => { throw new Error('the test starts from tokens') }
  const backbone: Backbone = {
    id: 'tiny', width: D, heads: 2, blocks, weightsHash: 'tiny', pooler: null, parameterCount, joinsFirstAndLast: false, pooling: 'first',
    finalNorm: { gamma: tf.ones([D]), beta: tf.zeros([D]), epsilon: 1e-12 },
    embed: unused, dummyPart: unused, describePart: unused, describedWidth: () => D, dispose: () => undefined,
  }
  const modalities = [{ name: 'text', kind: 'text' as const, slots: [] }, { name: 'image', kind: 'image' as const, slots: [0] }]
  const network = mora.createNetwork({ compute: own, backbone, modalities, labelsCount, missingInput: 'left-out', random }, mora.configSchema.parse({}))
  const model = createTrainingModel({ compute: own, network, labelsCount, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
  // Lengths far enough apart for a step to be cut into pieces.
  const entries = [[3, 120], [2, 90], [1, 4]].map(([presence, tokens]): PrefixEntry => ({
    presence: presence!, tokens: tokens!, segments: new Uint8Array(tokens!), x: normalArray(random, tokens! * D, 1), blockOutput: normalArray(random, tokens! * D, 1),
  }))
  return { model, batch: { entries, labels: Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]), known: null } }
}

describe.each(['half', 'mixed', 'input'] as const)('1,000 training steps, keeping %s', (keeping) => {
  it('leave no tensor behind', () => {
    const { model, batch } = tinyModel(keeping)
    model.step(batch, 1e-3)
    const { numTensors, numBytes } = compute.tf.memory()
    for (let i = 0; i < 1000; i++) model.step(batch, 1e-3)
    expect(compute.tf.memory()).toMatchObject({ numTensors, numBytes })
  }, 120_000)
})

it('keeps less before it cuts a batch, and says so, where memory is short', () => {
  const { model: roomy, batch } = tinyModel('half')
  if (roomy.keeping() === undefined) return // no fused kernels on this machine
  const told: string[] = []
  const bare = tinyModel('half').model
  const tight = withMemoryRecovery(bare, {
    tf: compute.tf, budget: { bytes: 120 * 3, perSample: (tokens, keeping) => (keeping === 'input' ? tokens : 2 * tokens) },
    onReduced: (limit, cause) => told.push(`${limit} ${cause}`),
  })
  for (let i = 0; i < 3; i++) expect(Math.abs(tight.step(batch, 1e-2) - roomy.step(batch, 1e-2))).toBeLessThan(1e-5)
  expect(told).toEqual(['3 keeps-less'])
  expect(bare.keeping()).toBe('input')
})

it('gives memory back before the first step of a large network without changing a number', () => {
  const [small, large] = [tinyModel('half'), tinyModel('half', 6e6)]
  const { numTensors } = compute.tf.memory()
  for (let i = 0; i < 3; i++) expect(large.model.step(large.batch, 1e-2)).toBe(small.model.step(small.batch, 1e-2))
  expect(compute.tf.memory().numTensors).toBe(numTensors)
})

/** One fresh process of the benchmark: times MoRA training steps at one size and prints a JSON line. Arguments: size, mode (all | cached), seconds. */
import { readFileSync } from 'node:fs'
import { createHead } from '../../engine/adapters/head.ts'
import { injectMora } from '../../engine/adapters/mora/inject.ts'
import type { PrefixEntry } from '../../engine/adapters/network.ts'
import { createTransformerNetwork } from '../../engine/adapters/transformer-network.ts'
import type { Backbone } from '../../engine/backbones/backbone.ts'
import { loadTransformerBlocks } from '../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../engine/backbones/weight-source.ts'
import { openCompute } from '../../engine/compute/backend.ts'
import { createParameterSet } from '../../engine/compute/parameters.ts'
import { normalArray } from '../../engine/compute/random-source.ts'
import { createRng } from '../../engine/compute/rng.ts'
import { adamWConfigSchema } from '../../engine/training/optimizer.ts'
import { createTrainingModel } from '../../engine/training/training-model.ts'
import { benchSizes } from './sizes.ts'

const [sizeName, mode, secondsText] = process.argv.slice(2)
const compute = await openCompute()
const { tf } = compute

if (sizeName === 'matmul') {
  const a = tf.randomNormal([2048, 2048])
  let best = 0
  for (let i = 0; i < 8; i++) {
    const start = performance.now()
    const product = a.matMul(a)
    product.dataSync()
    product.dispose()
    best = Math.max(best, (2 * 2048 ** 3) / (performance.now() - start) / 1e6)
  }
  process.stdout.write(`${JSON.stringify({ gigaflops: best })}\n`)
} else {
  const size = benchSizes.find(({ name }) => name === sizeName)!
  const random = createRng(1)
  const epsilon = 1e-12
  const blocks = loadTransformerBlocks(compute, randomWeightSource(random, 'bench'), { ...size, epsilon }, size.preNorm)
  const D = size.width
  const backbone: Backbone = {
    id: size.name, width: D, heads: size.heads, blocks, weightsHash: 'bench', pooler: null, parameterCount: 0, joinsFirstAndLast: false,
    finalNorm: size.preNorm ? { gamma: tf.ones([D]), beta: tf.zeros([D]), epsilon } : null,
    pooling: size.preNorm ? 'first' : 'modality-mean',
    embed: () => { throw new Error('the benchmark starts from tokens') },
    dummyPart: () => { throw new Error('the benchmark starts from tokens') },
    describePart: () => { throw new Error('the benchmark starts from tokens') },
    describedWidth: () => D,
    dispose: () => undefined,
  }
  const modalities = [{ name: 'text', kind: 'text' as const, slots: [] }, { name: 'image', kind: 'image' as const, slots: [0] }]
  const parameters = createParameterSet(tf)
  const adapter = injectMora(compute, parameters, random, D, size.blocks, { rank: 4, blocks: [0] }, modalities)
  const head = createHead(compute, parameters, random, D, size.classes, null)
  const network = createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput: 'dummy' })
  const model = createTrainingModel({
    compute, network, labelsCount: size.classes, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}),
  })
  const tokens = size.textTokens + size.imageTokens
  const entries: PrefixEntry[] = Array.from({ length: size.batch }, () => ({
    presence: 3, tokens,
    segments: Uint8Array.from({ length: tokens }, (_, t) => (t < size.textTokens ? 0 : 1)),
    x: normalArray(random, tokens * D, 1),
    blockOutput: mode === 'cached' ? normalArray(random, tokens * D, 1) : null,
  }))
  const labels = Float32Array.from({ length: size.batch * size.classes }, () => (random.uniform() < 0.3 ? 1 : 0))
  const step = (): number => model.step({ entries, labels, known: null }, 1e-4)
  step()
  step()
  const times: number[] = []
  const end = performance.now() + 1000 * Number(secondsText)
  while (performance.now() < end || times.length < 3) {
    const start = performance.now()
    step()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const peakKilobytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0)
  process.stdout.write(`${JSON.stringify({
    samplesPerSecond: (1000 * size.batch) / times[Math.floor(times.length / 2)]!,
    bestSamplesPerSecond: (1000 * size.batch) / times[0]!,
    peakMegabytes: peakKilobytes / 1024, steps: times.length, kernels: compute.kernels.name, tensors: tf.memory().numTensors,
  })}\n`)
}

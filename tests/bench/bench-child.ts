/**
 * One fresh process of the benchmark; prints one JSON line. Arguments: size or `matmul`, batch (complete | mixed), mode (all | cached), what
 * blocks keep (full | half | input), seconds.
 */
import { mora } from '../../engine/adapters/mora/index.ts'
import { type PrefixEntry } from '../../engine/adapters/network.ts'
import type { Backbone } from '../../engine/backbones/backbone.ts'
import { loadTransformerBlocks } from '../../engine/backbones/transformer-weights.ts'
import { randomWeightSource } from '../../engine/backbones/weight-source.ts'
import { openCompute } from '../../engine/compute/backend.ts'
import type { Keeping } from '../../engine/compute/kernels.ts'
import { normalArray } from '../../engine/compute/random-source.ts'
import { createRng } from '../../engine/compute/rng.ts'
import { splitByLength } from '../../engine/training/optimise/batches.ts'
import { adamWConfigSchema } from '../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../engine/training/optimise/training-model.ts'
import { median, memoryOf, resetPeak } from './process-memory.ts'
import { benchSizes, mixedPatterns } from './sizes.ts'

const [sizeName, batchKind, mode, keeping, secondsText] = process.argv.slice(2)
const compute = await openCompute({ choice: 'cpu' })
const { tf } = compute
const opened = memoryOf()

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
  const unused = (): never => { throw new Error('the benchmark starts from tokens') }
  const backbone: Backbone = {
    id: size.name, width: D, heads: size.heads, blocks, weightsHash: 'bench', pooler: null, parameterCount: 0, joinsFirstAndLast: false,
    finalNorm: size.preNorm ? { gamma: tf.ones([D]), beta: tf.zeros([D]), epsilon } : null,
    pooling: size.preNorm ? 'first' : 'modality-mean',
    embed: unused, dummyPart: unused, describePart: unused, describedWidth: () => D, dispose: () => undefined,
  }
  const modalities = [{ name: 'text', kind: 'text' as const, slots: [] }, { name: 'image', kind: 'image' as const, slots: [0] }]
  const network = mora.createNetwork({
    compute: { ...compute, keeping: keeping as Keeping }, backbone, modalities, labelsCount: size.classes, missingInput: 'left-out', random,
  }, mora.configSchema.parse({}))
  const model = createTrainingModel({
    compute, network, labelsCount: size.classes, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}),
  })
  // A mixed batch: what is missing is left out of the sequence; samples of like length are computed together.
  const patterns = batchKind === 'mixed' ? mixedPatterns(size.batch) : new Array<number>(size.batch).fill(3)
  const entries: PrefixEntry[] = patterns.map((presence) => {
    const [text, image] = [presence & 1 ? size.textTokens : 0, presence & 2 ? size.imageTokens : 0]
    const tokens = text + image
    return {
      presence, tokens,
      segments: Uint8Array.from({ length: tokens }, (_, t) => (t < text ? 0 : 1)),
      x: normalArray(random, tokens * D, 1),
      blockOutput: mode === 'cached' ? normalArray(random, tokens * D, 1) : null,
    }
  })
  const labels = Float32Array.from({ length: size.batch * size.classes }, () => (random.uniform() < 0.3 ? 1 : 0))
  const batches = splitByLength({ entries, labels, known: null })
  const step = (): number => (batches.length === 1 ? model.step(batches[0]!, 1e-4) : model.stepAccumulated(batches, 1e-4))
  const whole = memoryOf()
  compute.kernels.releaseMemory?.()
  resetPeak()
  step()
  step()
  const times: number[] = []
  const end = performance.now() + 1000 * Number(secondsText)
  while (performance.now() < end || times.length < 3) {
    const start = performance.now()
    step()
    times.push(performance.now() - start)
  }
  const peak = memoryOf().peakMegabytes
  process.stdout.write(`${JSON.stringify({
    samplesPerSecond: (1000 * size.batch) / median(times),
    bestSamplesPerSecond: (1000 * size.batch) / Math.min(...times),
    peakMegabytes: Math.max(peak, whole.peakMegabytes), stepPeakMegabytes: peak, baseMegabytes: opened.residentMegabytes,
    tokens: entries.reduce((sum, entry) => sum + entry.tokens, 0) / entries.length,
    steps: times.length, kernels: compute.kernels.name, tensors: tf.memory().numTensors,
  })}\n`)
}

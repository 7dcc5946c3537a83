/**
 * One fresh process of the benchmark; prints one JSON line. Arguments: size or `matmul`, batch (complete | mixed), mode (all | cached), what
 * blocks keep (full | half | mixed | input | automatic), seconds.
 */
import { mora } from '../../engine/adapters/mora/index.ts'
import { openCompute } from '../../engine/compute/backend.ts'
import type { Keeping } from '../../engine/compute/kernels.ts'
import { createRng } from '../../engine/compute/rng.ts'
import { adamWConfigSchema } from '../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../engine/training/optimise/training-model.ts'
import { benchModalities, createBenchBackbone, createBenchBatch } from './bench-input.ts'
import { median, memoryOf, resetPeak } from './process-memory.ts'
import { benchSizes } from './sizes.ts'

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
  const backbone = createBenchBackbone(compute, size, random)
  const own = keeping === 'automatic' ? compute : { ...compute, keeping: keeping as Keeping }
  const network = mora.createNetwork(
    { compute: own, backbone, modalities: benchModalities, labelsCount: size.classes, missingInput: 'left-out', random }, mora.configSchema.parse({}),
  )
  const model = createTrainingModel({
    compute, network, labelsCount: size.classes, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}),
  })
  const batch = createBenchBatch(size, random, batchKind === 'mixed', mode === 'cached')
  const { entries } = batch
  const step = (): number => model.step(batch, 1e-4)
  const whole = memoryOf()
  resetPeak()
  step()
  step()
  const times: number[] = []
  const before = process.cpuUsage()
  const end = performance.now() + 1000 * Number(secondsText)
  while (performance.now() < end || times.length < 3) {
    const start = performance.now()
    step()
    times.push(performance.now() - start)
  }
  const { user, system } = process.cpuUsage(before)
  const peak = memoryOf().peakMegabytes
  process.stdout.write(`${JSON.stringify({
    samplesPerSecond: (1000 * size.batch) / median(times),
    samplesPerProcessorSecond: (1e6 * size.batch * times.length) / (user + system),
    bestSamplesPerSecond: (1000 * size.batch) / Math.min(...times),
    peakMegabytes: Math.max(peak, whole.peakMegabytes), stepPeakMegabytes: peak, baseMegabytes: opened.residentMegabytes,
    tokens: entries.reduce((sum, entry) => sum + entry.tokens, 0) / entries.length,
    steps: times.length, kernels: compute.kernels.name, tensors: tf.memory().numTensors,
  })}\n`)
}

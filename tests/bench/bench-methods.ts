/**
 * Processor time of a training step of each method with trained parts inside or in front of the blocks, on complete batches, beside MoRA.
 * Arguments: size, method ids joined by commas (all of them when left out), steps. One fresh process; prints one JSON line.
 */
import { findMethod } from '../../engine/adapters/index.ts'
import { openCompute } from '../../engine/compute/backend.ts'
import { createRng } from '../../engine/compute/rng.ts'
import { adamWConfigSchema } from '../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../engine/training/optimise/training-model.ts'
import { benchModalities, createBenchBackbone, createBenchBatch } from './bench-input.ts'
import { median } from './process-memory.ts'
import { benchSizes } from './sizes.ts'

/** Settings that make the whole chain train, as in the longest phase of a run. */
const settingsOf: Record<string, { id: string; config: object }> = {
  mora: { id: 'mora', config: {} },
  bitfit: { id: 'bitfit', config: {} },
  'norm-tuning': { id: 'norm-tuning', config: {} },
  prompt: { id: 'prompt', config: {} },
  'prompt-attention': { id: 'prompt', config: { level: 'attention' } },
  lora: { id: 'lora', config: {} },
  'lora-combination': { id: 'lora', config: { by: 'combination', training: 'joint' } },
  ssf: { id: 'ssf', config: { training: 'joint' } },
}

const [sizeName, names, stepsText] = process.argv.slice(2)
const size = benchSizes.find(({ name }) => name === sizeName)!
const compute = await openCompute({ choice: 'cpu' })
const backbone = createBenchBackbone(compute, size, createRng(1))
const batch = createBenchBatch(size, createRng(2), false, false)
const results: Record<string, { wallMs: number; processorMs: number }> = {}
for (const name of names === undefined || names === 'all' ? Object.keys(settingsOf) : names.split(',')) {
  const { id, config } = settingsOf[name]!
  const method = findMethod(id)
  const network = method.createNetwork({
    compute, backbone, modalities: benchModalities, labelsCount: size.classes, missingInput: 'left-out', random: createRng(3),
  }, method.configSchema.parse(config))
  const model = createTrainingModel({
    compute, network, labelsCount: size.classes, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}),
  })
  model.step(batch, 1e-4)
  const times: { wallMs: number; processorMs: number }[] = []
  for (let i = 0; i < Number(stepsText ?? 5); i++) {
    const [start, used] = [performance.now(), process.cpuUsage()]
    model.step(batch, 1e-4)
    const { user, system } = process.cpuUsage(used)
    times.push({ wallMs: performance.now() - start, processorMs: (user + system) / 1000 })
  }
  results[name] = { wallMs: median(times.map(({ wallMs }) => wallMs)), processorMs: median(times.map(({ processorMs }) => processorMs)) }
  model.dispose()
}
process.stdout.write(`${JSON.stringify({ size: size.name, kernels: compute.kernels.name, methods: results })}\n`)

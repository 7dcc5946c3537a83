/**
 * What the caches save on the default backbone, for MoRA and for methods whose frozen features are cached whole: epoch 1 starts from image
 * files (reading, hashing, decoding, ResNet-50 grid, then the method's own frozen part and its steps), later epochs from what it left. The
 * grids are the same for all methods, so they are computed once and their time counts in the first epoch of each. One fresh process; prints
 * one JSON line with the seconds of each epoch, by the clock and of processor time.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { findMethod } from '../../engine/adapters/index.ts'
import type { PrefixEntry, Sample } from '../../engine/adapters/network.ts'
import { loadMmbt } from '../../engine/backbones/mmbt.ts'
import { RESNET_GRID_DEPTH, RESNET_GRID_TOKENS } from '../../engine/backbones/resnet50.ts'
import { openCompute } from '../../engine/compute/backend.ts'
import { createMemoryGuard } from '../../engine/compute/out-of-memory.ts'
import { createRng } from '../../engine/compute/rng.ts'
import type { JobContext } from '../../engine/protocol.ts'
import { type ImageFile, fillGridCache } from '../../engine/training/inputs/grid-cache.ts'
import { adamWConfigSchema } from '../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../engine/training/optimise/training-model.ts'
import { median } from './process-memory.ts'

const [samples, epochs, batchSize, classes, noteTokens] = [32, 4, 8, 8, 24]
/** As common fundus cameras export them; smoothed noise, because flat pictures decode too fast. */
const picture = { width: 2048, height: 1536 }
const methodIds = ['mora', 'head-only', 'zero-fill', 'late-fusion']

interface Spent {
  seconds: number
  processorSeconds: number
}

const weightsDir = process.env['LACUNA_WEIGHTS'] ?? path.join(homedir(), '.cache', 'lacuna', 'weights')
if (!existsSync(path.join(weightsDir, 'resnet50'))) {
  process.stdout.write(`${JSON.stringify({ skipped: 'the weights of the default backbone are not set up (npm run setup)' })}\n`)
} else {
  const folder = mkdtempSync(path.join(tmpdir(), 'lacuna-bench-'))
  try {
    process.stdout.write(`${JSON.stringify(await measure(folder))}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function drawPictures(folder: string): Promise<ImageFile[]> {
  const images: ImageFile[] = []
  for (let i = 0; i < 2 * samples; i++) {
    const background = { r: 90 + i, g: 60, b: 40 }
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 40 }
    const bytes = await sharp({ create: { ...picture, channels: 3, background, noise } }).blur(4).tint(background).jpeg({ quality: 90 }).toBuffer()
    const file = path.join(folder, `${i}.jpg`)
    writeFileSync(file, bytes)
    images.push({ path: file, sha256: createHash('sha256').update(bytes).digest('hex'), where: `picture ${i}` })
  }
  return images
}

/** Seconds that `work` takes, by the clock and of all cores together. */
async function spentOn(work: () => void | Promise<void>): Promise<Spent> {
  const [start, used] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(used)
  return { seconds: (performance.now() - start) / 1000, processorSeconds: (user + system) / 1e6 }
}

async function measure(folder: string): Promise<object> {
  const compute = await openCompute({ choice: 'cpu' })
  const backbone = await loadMmbt(compute, weightsDir)
  const modalities = [{ name: 'text', kind: 'text' as const, slots: [] }, { name: 'image', kind: 'image' as const, slots: [0, 1] }]
  const images = await drawPictures(folder)
  const random = createRng(1)
  const labels = Float32Array.from({ length: samples * classes }, () => (random.uniform() < 0.3 ? 1 : 0))
  const context: JobContext = { progress: () => undefined, signal: new AbortController().signal, shouldStop: () => false } as unknown as JobContext
  const inputs: Sample[] = []
  const grids = await spentOn(async () => {
    const guard = createMemoryGuard(compute.tf, () => undefined)
    const cache = await fillGridCache(images, { resnet: backbone.resnet, cacheDir: folder, context, guard })
    for (let i = 0; i < samples; i++) {
      const eyes = await Promise.all([0, 1].map(async (slot) => ({
        kind: 'grid' as const, modality: 1, slot, features: await cache.read(images[2 * i + slot]!.sha256), count: RESNET_GRID_TOKENS, depth: RESNET_GRID_DEPTH,
      })))
      const word = (t: number): number => (t === 0 ? 101 : t === noteTokens - 1 ? 102 : 2000 + ((i * 31 + t) % 1000))
      inputs.push([{ kind: 'text', modality: 0, ids: Int32Array.from({ length: noteTokens }, (_, t) => word(t)) }, ...eyes])
    }
  })
  const methods: Record<string, { first: Spent; later: Spent }> = {}
  for (const id of methodIds) {
    const method = findMethod(id)
    const network = method.createNetwork({ compute, backbone, modalities, labelsCount: classes, missingInput: 'left-out', random: createRng(2) }, method.configSchema.parse({}))
    const model = createTrainingModel({ compute, network, labelsCount: classes, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
    const entries: PrefixEntry[] = []
    const spent: Spent[] = []
    for (let epoch = 0; epoch < epochs; epoch++) {
      spent.push(await spentOn(() => {
        if (epoch === 0) {
          entries.push(...network.computePrefix(inputs, true))
          model.fitStatistics(entries)
        }
        for (let from = 0; from < samples; from += batchSize) {
          model.step({ entries: entries.slice(from, from + batchSize), labels: labels.subarray(from * classes, (from + batchSize) * classes), known: null }, 1e-4)
        }
      }))
    }
    const field = (name: keyof Spent): number => median(spent.slice(1).map((one) => one[name]))
    methods[id] = {
      first: { seconds: grids.seconds + spent[0]!.seconds, processorSeconds: grids.processorSeconds + spent[0]!.processorSeconds },
      later: { seconds: field('seconds'), processorSeconds: field('processorSeconds') },
    }
    model.dispose()
  }
  return { samples, picture, grids, methods }
}

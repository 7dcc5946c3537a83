/**
 * What the caches save on the default backbone: epoch 1 starts from image files (decoding, ResNet-50 grid, text encoder, the frozen block under
 * the adapter, then the steps), later epochs from what it left. One fresh process; prints one JSON line with the seconds of each epoch.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { mora } from '../../engine/adapters/mora/index.ts'
import type { PrefixEntry, Sample } from '../../engine/adapters/network.ts'
import { loadMmbt } from '../../engine/backbones/mmbt.ts'
import { RESNET_GRID_DEPTH, RESNET_GRID_TOKENS } from '../../engine/backbones/resnet50.ts'
import { openCompute } from '../../engine/compute/backend.ts'
import { createRng } from '../../engine/compute/rng.ts'
import type { JobContext } from '../../engine/protocol.ts'
import { type ImageFile, fillGridCache } from '../../engine/training/inputs/grid-cache.ts'
import { adamWConfigSchema } from '../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../engine/training/optimise/training-model.ts'

const [samples, epochs, batchSize, classes, noteTokens] = [48, 4, 8, 8, 24]
/** Between the sizes of common fundus cameras' exports; smoothed noise, because flat pictures decode too fast. */
const picture = { width: 1600, height: 1200 }

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

async function measure(folder: string): Promise<{ samples: number; seconds: number[] }> {
  const random = createRng(1)
  const compute = await openCompute({ choice: 'cpu' })
  const backbone = await loadMmbt(compute, weightsDir)
  const modalities = [{ name: 'text', kind: 'text' as const, slots: [] }, { name: 'image', kind: 'image' as const, slots: [0, 1] }]
  const network = mora.createNetwork({ compute, backbone, modalities, labelsCount: classes, missingInput: 'left-out', random }, mora.configSchema.parse({}))
  const model = createTrainingModel({ compute, network, labelsCount: classes, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
  const images = await drawPictures(folder)
  const labels = Float32Array.from({ length: samples * classes }, () => (random.uniform() < 0.3 ? 1 : 0))
  const context: JobContext = { progress: () => undefined, signal: new AbortController().signal, shouldStop: () => false } as unknown as JobContext
  const entries: PrefixEntry[] = []
  const seconds: number[] = []
  for (let epoch = 0; epoch < epochs; epoch++) {
    const start = performance.now()
    if (epoch === 0) {
      const grids = await fillGridCache(images, { resnet: backbone.resnet, cacheDir: folder, context })
      for (let i = 0; i < samples; i++) {
        const eyes = await Promise.all([0, 1].map(async (slot) => ({
          kind: 'grid' as const, modality: 1, slot, features: await grids.read(images[2 * i + slot]!.sha256), count: RESNET_GRID_TOKENS, depth: RESNET_GRID_DEPTH,
        })))
        const sample: Sample = [{ kind: 'text', modality: 0, ids: Int32Array.from({ length: noteTokens }, (_, t) => (t === 0 ? 101 : t === noteTokens - 1 ? 102 : 2000 + ((i * 31 + t) % 1000))) }, ...eyes]
        entries.push(...network.computePrefix([sample], true))
      }
    }
    for (let from = 0; from < samples; from += batchSize) {
      model.step({ entries: entries.slice(from, from + batchSize), labels: labels.subarray(from * classes, (from + batchSize) * classes), known: null }, 1e-4)
    }
    seconds.push((performance.now() - start) / 1000)
  }
  return { samples, seconds }
}

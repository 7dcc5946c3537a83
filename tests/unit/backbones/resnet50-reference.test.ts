import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as tfModule from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { loadResnet50, RESNET_GRID_DEPTH, RESNET_GRID_TOKENS, RESNET_INPUT_SIDE } from '../../../engine/backbones/resnet50.ts'
import { readLayersWeights } from '../../../engine/backbones/tfjs-layers-weights.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import { openCompute } from '../../../engine/compute/backend.ts'

const folder = join(process.env.LACUNA_WEIGHTS ?? '', 'resnet50')
/** Folding batch norm into the convolutions changes the order of rounding; relative to the largest feature. */
const relativeBound = 1e-4

interface ModelFile {
  modelTopology: object
  weightsManifest: { paths: string[]; weights: tfModule.io.WeightsManifestEntry[] }[]
}

/** The published layers model itself, run by the library that defines the format: what our folded network must equal. */
async function loadReference(tf: typeof tfModule): Promise<tfModule.LayersModel> {
  const file = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as ModelFile
  const shards = file.weightsManifest.flatMap((group) => group.paths.map((path) => readFileSync(join(folder, path))))
  const weightData = new Uint8Array(Buffer.concat(shards)).buffer
  const whole = await tf.loadLayersModel({ load: async () => ({ modelTopology: file.modelTopology, weightSpecs: file.weightsManifest.flatMap((group) => group.weights), weightData }) })
  const grid = whole.layers.findLast((layer) => JSON.stringify(layer.outputShape) === JSON.stringify([null, 7, 7, RESNET_GRID_DEPTH]) && layer.getClassName() === 'Activation')
  return tf.model({ inputs: whole.inputs, outputs: grid!.output as tfModule.SymbolicTensor })
}

describe('loadResnet50', () => {
  it('equals the published layers model on random images', { timeout: 180_000 }, async () => {
    const compute = await openCompute()
    const tf = compute.tf as unknown as typeof tfModule
    const rng = createRng(4)
    const images = Float32Array.from({ length: 2 * RESNET_INPUT_SIDE ** 2 * 3 }, () => 240 * rng.uniform() - 120)
    const resnet = loadResnet50(compute, readLayersWeights(folder))
    const ours = resnet.gridFeatures(images, 2)
    const reference = await loadReference(tf)
    const output = reference.predict(tf.tensor4d(images, [2, RESNET_INPUT_SIDE, RESNET_INPUT_SIDE, 3])) as tfModule.Tensor
    const theirs = Float32Array.from(output.dataSync())
    expect(ours).toHaveLength(2 * RESNET_GRID_TOKENS * RESNET_GRID_DEPTH)
    const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
    const worst = ours.reduce((max, value, index) => Math.max(max, Math.abs(value - theirs[index]!)), 0)
    expect(largest).toBeGreaterThan(1)
    expect(worst / largest).toBeLessThan(relativeBound)
  })
})

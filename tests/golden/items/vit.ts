/** Hidden states and pooler of a tiny ViT or DeiT against Hugging Face transformers, at its own image size and at another one. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { tensorPrefixes } from '../../../engine/backbones/import/architecture.ts'
import { type Pixels } from '../../../engine/backbones/encoders/patches.ts'
import { type VitModel, loadVit, parseVitConfig } from '../../../engine/backbones/encoders/vit.ts'
import { fileWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import type { Tensor2D } from '../../../engine/compute/tensorflow.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'
import { type EncoderCase, type HostTensor, casesOf, checkPickledCopy, openGoldenWeights, readTensors, relativeError, rowOf, tensorOf } from './shared.ts'

/** Issue 3: hidden states within 1e-4 relative on CPU. */
const BOUND = 1e-4

export const vitItem: GoldenItem = {
  name: 'vit',
  async run(folder, report) {
    const compute = await openCompute()
    const cases = casesOf(folder)
    if (cases.length === 0) report.notChecked('no case')
    for (const one of cases) checkCase(compute, report, one)
  },
}

function checkCase(compute: Compute, report: GoldenReport, { prefix: caseName, folder }: EncoderCase): void {
  checkPickledCopy(report, caseName, folder)
  const weights = openGoldenWeights(folder)
  const config = parseVitConfig(JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')))
  const model = loadVit(compute, fileWeightSource(weights, 'golden', [...new Set([...tensorPrefixes.vit, ...tensorPrefixes.deit])]), config)
  weights.close()
  const inputs = readTensors(folder, 'inputs.safetensors')
  const outputs = readTensors(folder, 'outputs.safetensors')
  // `interp.pixel_values` are images of another size, whose outputs have the same beginning.
  const calls = [...inputs.keys()].filter((name) => name.endsWith('pixel_values')).map((name) => name.slice(0, -'pixel_values'.length))
  const callOf = (output: string): string | undefined => calls.filter((call) => output.startsWith(call)).sort((a, b) => b.length - a.length)[0]
  for (const call of calls) {
    const found = outputsOf(model, imagesOf(tensorOf(inputs, `${call}pixel_values`)))
    for (const [name, expected] of [...outputs].filter(([output]) => callOf(output) === call)) {
      const ours = found.get(name.slice(call.length))
      if (ours === undefined) report.notChecked(caseName + name)
      else report.check(caseName + name, relativeError(ours.dataSync(), expected.values), BOUND)
    }
    found.forEach((tensor) => tensor.dispose())
  }
  for (const name of outputs.keys()) if (callOf(name) === undefined) report.notChecked(caseName + name)
  model.dispose()
}

/** The images of a batch [B, 3, H, W]. */
export function imagesOf(pixels: HostTensor): Pixels[] {
  const [batch, , height, width] = pixels.shape as [number, number, number, number]
  return Array.from({ length: batch }, (_, b) => ({ pixels: rowOf(pixels, b), height, width }))
}

/** Row `index` of each sequence of `tokens` rows: [B*T, D] -> [B, D]. */
export function rowsAt(states: Tensor2D, tokens: number, indices: readonly number[]): Tensor2D {
  return states.gather(indices.map((index, b) => b * tokens + index))
}

function outputsOf(model: VitModel, images: readonly Pixels[]): Map<string, Tensor2D> {
  const states = model.hiddenStates(images)
  const found = new Map(states.map((state, layer) => [`hidden_states.${layer}`, state]))
  const last = model.finalNorm(states.at(-1)!)
  found.set('last_hidden_state', last)
  const first = rowsAt(last, last.shape[0] / images.length, images.map(() => 0))
  const pooled = model.pool(first)
  first.dispose()
  if (pooled !== null) found.set('pooler_output', pooled)
  return found
}

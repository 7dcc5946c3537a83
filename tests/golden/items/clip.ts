/** Both towers, projections and similarities of tiny CLIP models against Hugging Face transformers. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type ClipModel, loadClip, parseClipConfig } from '../../../engine/backbones/encoders/clip.ts'
import { tensorPrefixes } from '../../../engine/backbones/import/architecture.ts'
import { fileWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import type { Tensor2D } from '../../../engine/compute/tensorflow.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'
import { type EncoderCase, type HostTensor, casesOf, checkPickledCopy, openGoldenWeights, readTensors, relativeError, rowOf, tensorOf } from './shared.ts'
import { textPart, validTokens } from './vilt-inputs.ts'
import { imagesOf, rowsAt } from './vit.ts'

/** Issue 3: hidden states within 1e-4 relative on CPU. */
const BOUND = 1e-4

export const clipItem: GoldenItem = {
  name: 'clip',
  async run(folder, report) {
    const compute = await openCompute()
    const cases = casesOf(folder)
    if (cases.length === 0) report.notChecked('no case')
    for (const one of cases) compute.tf.tidy(() => checkCase(compute, report, one))
  },
}

function checkCase(compute: Compute, report: GoldenReport, { prefix: name, folder }: EncoderCase): void {
  checkPickledCopy(report, name, folder)
  const weights = openGoldenWeights(folder)
  const config = parseClipConfig(JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')))
  const model = loadClip(compute, fileWeightSource(weights, 'golden', tensorPrefixes.clip), config)
  weights.close()
  const inputs = readTensors(folder, 'inputs.safetensors')
  const ids = tensorOf(inputs, 'input_ids')
  const mask = tensorOf(inputs, 'attention_mask')
  const texts = Array.from({ length: ids.shape[0]! }, (_, b) => textPart(0, b, ids, mask).ids)
  if (texts.some((_, b) => validTokens(mask, b).includes(false))) return report.notChecked(`${name}a text with masked tokens between valid ones, which no tokeniser makes`)
  const whole = Array.from({ length: ids.shape[0]! }, (_, b) => Int32Array.from(rowOf(ids, b)))
  const vision = visionOutputs(model, tensorOf(inputs, 'pixel_values'))
  const text = textOutputs(model, texts)
  const unit = (x: Tensor2D): Tensor2D => x.div<Tensor2D>(x.norm(2, 1, true))
  const features = { text: model.text.project(text.get('pooler_output')!), image: model.vision.project(vision.get('pooler_output')!) }
  const found = new Map<string, Tensor2D>([
    ...[...vision].map(([key, value]): [string, Tensor2D] => [`vision.${key}`, value]),
    ['text.pooler_output', text.get('pooler_output')!],
    ['text_features_unnormalised', features.text], ['image_features_unnormalised', features.image],
    ['text_embeds', unit(features.text)], ['image_embeds', unit(features.image)],
    ['logits_per_image', model.logitsPerImage(unit(features.image), unit(features.text))],
    ['logits_per_text', model.logitsPerImage(unit(features.image), unit(features.text)).transpose()],
    ...(inputs.has('interp.pixel_values') ? [...visionOutputs(model, tensorOf(inputs, 'interp.pixel_values'))] : []).map(([key, value]): [string, Tensor2D] => [`interp.${key}`, value]),
    ['nomask.text_embeds', unit(model.text.project(textOutputs(model, whole).get('pooler_output')!))],
  ])
  for (const [key, expected] of readTensors(folder, 'outputs.safetensors')) {
    const state = key.startsWith('text.') ? text.get(key.slice('text.'.length)) : undefined
    if (state !== undefined && expected.shape.length === 3) report.check(`${name}${key}`, errorAtValidTokens(state, expected, texts), BOUND)
    else if (found.has(key)) report.check(`${name}${key}`, relativeError(found.get(key)!.dataSync(), expected.values), BOUND)
    else report.notChecked(`${name}${key}`)
  }
  model.dispose()
}

function textOutputs(model: ClipModel, texts: readonly Int32Array[]): Map<string, Tensor2D> {
  const states = model.text.hiddenStates(texts)
  const last = model.text.finalNorm(states.at(-1)!)
  const pooled = rowsAt(last, last.shape[0] / texts.length, texts.map((ids) => model.text.pooledIndex(ids)))
  return new Map([...states.map((state, layer): [string, Tensor2D] => [`hidden_states.${layer}`, state]), ['last_hidden_state', last], ['pooler_output', pooled]])
}

/** CLIP's last image state is not normed; only the class token is. */
function visionOutputs(model: ClipModel, pixels: HostTensor): Map<string, Tensor2D> {
  const images = imagesOf(pixels)
  const states = model.vision.hiddenStates(images)
  const last = states.at(-1)!
  const pooled = model.vision.finalNorm(rowsAt(last, last.shape[0] / images.length, images.map(() => 0)))
  return new Map([...states.map((state, layer): [string, Tensor2D] => [`hidden_states.${layer}`, state]), ['last_hidden_state', last], ['pooler_output', pooled]])
}

/** Ours is padded to the longest text, the reference to its own length. */
function errorAtValidTokens(state: Tensor2D, expected: HostTensor, texts: readonly Int32Array[]): number {
  const width = state.shape[1]
  const tokens = state.shape[0] / texts.length
  const values = state.dataSync()
  const ours = texts.flatMap((ids, b) => Array.from(values.subarray(b * tokens * width, (b * tokens + ids.length) * width)))
  const theirs = texts.flatMap((ids, b) => Array.from(rowOf(expected, b).subarray(0, ids.length * width)))
  return relativeError(ours, theirs)
}

/** Hidden states and pooler of tiny ViLT models against Hugging Face transformers, at valid tokens. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { keyBiasFor } from '../../../engine/backbones/backbone.ts'
import { openTorchFile } from '../../../engine/backbones/files/torch-file.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { release } from '../../../engine/compute/kernels.ts'
import type { Tensor2D } from '../../../engine/compute/tensorflow.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'
import { type HostTensor, readTensors, relativeError, rowOf, tensorOf } from './shared.ts'
import { openGoldenVilt, pixelPart, textPart } from './vilt-inputs.ts'

/** Issue 3: hidden states within 1e-4 relative on CPU. */
const BOUND = 1e-4

export const viltItem: GoldenItem = {
  name: 'vilt',
  async run(folder, report) {
    const compute = await openCompute()
    for (const name of ['case_types2', 'case_types3']) {
      const caseFolder = path.join(folder, name)
      if (!existsSync(caseFolder)) {
        report.notChecked(`${name} is absent`)
        continue
      }
      const outputs = readTensors(caseFolder, 'outputs.safetensors')
      if (existsSync(path.join(caseFolder, 'pytorch_model.bin'))) checkPickle(report, name, caseFolder)
      checkCase(compute, report, name, caseFolder, outputs, '', 0)
      if (outputs.has('idx2.pooler_output')) checkCase(compute, report, name, caseFolder, outputs, 'idx2.', 1)
    }
  },
}

/** The pickled copy of the weights holds exactly the tensors of the safetensors file. */
function checkPickle(report: GoldenReport, name: string, folder: string): void {
  const pickled = openTorchFile(path.join(folder, 'pytorch_model.bin'))
  const plain = readTensors(folder, 'model.safetensors')
  const errors = [...plain].map(([tensor, { shape, values }]) => {
    const found = pickled.entries.has(tensor) ? pickled.readFloats(tensor) : null
    return found === null || found.shape.join() !== shape.join() ? Infinity : relativeError(found.values, values)
  })
  report.check(`${name}/pytorch_model.bin (${errors.length} tensors)`, pickled.entries.size === plain.size ? Math.max(...errors) : Infinity, 0)
  pickled.close()
}

function checkCase(compute: Compute, report: GoldenReport, name: string, folder: string, outputs: Map<string, HostTensor>, prefix: string, slot: number): void {
  const { backbone, config } = openGoldenVilt(compute, folder)
  const inputs = readTensors(folder, 'inputs.safetensors')
  const input = (key: string): HostTensor => tensorOf(inputs, key)
  const samples = Array.from({ length: input('input_ids').shape[0]! }, (_, b) => [
    textPart(0, b, input('input_ids'), input('attention_mask'), input('token_type_ids')),
    pixelPart(1, slot, b, input('pixel_values'), input('pixel_mask'), config.patch_size),
  ])
  const embedded = backbone.embed(samples)
  // The second call differs in the image type only, so the file keeps one mask.
  const mask = tensorOf(outputs, 'joint_mask')
  /** The reference's rows at valid tokens, in our order: valid text, then image [CLS] and valid patches. */
  const valid = (key: string, b: number): number[] => {
    const rows = rowOf(tensorOf(outputs, prefix + key), b)
    return Array.from(rowOf(mask, b)).flatMap((flag, t) => (flag === 1 ? Array.from(rows.subarray(t * backbone.width, (t + 1) * backbone.width)) : []))
  }
  const longest = Math.max(...embedded.map(({ tokens }) => tokens))
  const keyBias = keyBiasFor(compute, embedded.map(({ tokens }) => tokens), longest)
  const padded = new Float32Array(embedded.length * longest * backbone.width)
  embedded.forEach((sample, b) => padded.set(sample.x, b * longest * backbone.width))
  let x: Tensor2D = compute.tf.tensor2d(padded, [embedded.length * longest, backbone.width])
  const compare = (key: string, state: Tensor2D): void => {
    const values = state.dataSync() as Float32Array
    const ours = embedded.flatMap(({ tokens }, b) => Array.from(values.subarray(b * longest * backbone.width, (b * longest + tokens) * backbone.width)))
    report.check(`${name}/${prefix}${key}`, relativeError(ours, embedded.flatMap((_, b) => valid(key, b))), BOUND)
  }
  compare('hidden_states.0', x)
  backbone.blocks.forEach((block, i) => {
    x = release(block.forward(x, { batch: embedded.length, heads: backbone.heads, keyBias }, false).y, x)
    compare(`hidden_states.${i + 1}`, x)
  })
  const norm = backbone.finalNorm!
  x = release(compute.kernels.layerNorm(x, norm.gamma, norm.beta, norm.epsilon), x)
  compare('last_hidden_state', x)
  const pooled = compute.tf.tidy(() => {
    const first = x.reshape([embedded.length, longest, backbone.width]).slice([0, 0, 0], [-1, 1, -1]).reshape<Tensor2D>([embedded.length, backbone.width])
    return first.matMul(compute.tf.tensor2d(backbone.pooler!.weight, [backbone.width, backbone.width])).add(backbone.pooler!.bias).tanh()
  })
  report.check(`${name}/${prefix}pooler_output`, relativeError(pooled.dataSync(), tensorOf(outputs, `${prefix}pooler_output`).values), BOUND)
  pooled.dispose()
  x.dispose()
  keyBias?.dispose()
  backbone.dispose()
}

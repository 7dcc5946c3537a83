/** Hidden states and pooler of a tiny BERT against Hugging Face transformers. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { loadBert, parseBertConfig } from '../../../engine/backbones/bert.ts'
import { openSafetensors } from '../../../engine/backbones/safetensors.ts'
import { fileWeightSource } from '../../../engine/backbones/weight-source.ts'
import { openCompute } from '../../../engine/compute/backend.ts'
import type { GoldenItem } from '../report.ts'
import { readTensors, relativeError, rowOf, tensorOf } from './shared.ts'
import { textPart } from './vilt-inputs.ts'

/** Issue 3: hidden states within 1e-4 relative on CPU; float32 itself is within 1e-5 of float64 here. */
const BOUND = 1e-4

export const bertItem: GoldenItem = {
  name: 'bert',
  async run(folder, report) {
    const compute = await openCompute()
    const weights = openSafetensors(path.join(folder, 'model.safetensors'))
    const config = parseBertConfig(JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')))
    const model = loadBert(compute, fileWeightSource(weights, 'golden'), config)
    weights.close()
    const inputs = readTensors(folder, 'inputs.safetensors')
    const outputs = readTensors(folder, 'outputs.safetensors')
    const [ids, mask, types] = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => tensorOf(inputs, name)) as [never, never, never]
    const parts = Array.from({ length: tensorOf(inputs, 'input_ids').shape[0]! }, (_, b) => textPart(0, b, ids, mask, types))
    const states = model.hiddenStates(parts.map((part) => part.ids), parts.map((part) => part.typeIds!))
    const lengths = parts.map((part) => part.ids.length)
    states.forEach((state, layer) => {
      const expected = tensorOf(outputs, `hidden_states.${layer}`)
      report.check(`hidden_states.${layer}`, errorOfValidRows(state.dataSync() as Float32Array, state.shape, expected, lengths), BOUND)
    })
    const last = states.at(-1)!
    report.check('last_hidden_state', errorOfValidRows(last.dataSync() as Float32Array, last.shape, tensorOf(outputs, 'last_hidden_state'), lengths), BOUND)
    const pooled = model.pool(last)
    report.check('pooler_output', pooled === null ? Infinity : relativeError(pooled.dataSync(), tensorOf(outputs, 'pooler_output').values), BOUND)
    pooled?.dispose()
    states.forEach((state) => state.dispose())
    model.dispose()
  },
}

/** Error over valid tokens; ours is padded to the longest text, the reference to its own length. */
function errorOfValidRows(actual: Float32Array, shape: number[], expected: { shape: number[]; values: Float32Array }, lengths: number[]): number {
  const width = shape[2]!
  const ours = lengths.flatMap((length, b) => Array.from(rowOf({ shape, values: actual }, b).subarray(0, length * width)))
  const theirs = lengths.flatMap((length, b) => Array.from(rowOf(expected, b).subarray(0, length * width)))
  return relativeError(ours, theirs)
}

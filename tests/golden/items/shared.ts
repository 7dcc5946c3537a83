/** What the reference items share: reading tensors, opening a case's weights as an imported folder is opened, comparing. */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { TensorFile } from '../../../engine/backbones/files/tensor-file.ts'
import { openTorchFile } from '../../../engine/backbones/files/torch-file.ts'
import { openWeights } from '../../../engine/backbones/import/open-weights.ts'
import { openSafetensors } from '../../../engine/backbones/safetensors.ts'
import type { GoldenReport } from '../report.ts'

export interface HostTensor {
  shape: number[]
  values: Float32Array
}

/** A model with its inputs and outputs; `prefix` stands in front of the names of its checks. */
export interface EncoderCase {
  prefix: string
  folder: string
}

/** The item's own folder and its subfolders, whatever they are called, as far as they hold a model. */
export function casesOf(folder: string): EncoderCase[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort()
  return ['', ...below].map((name) => ({ prefix: name === '' ? '' : `${name}/`, folder: path.join(folder, name) }))
    .filter((one) => existsSync(path.join(one.folder, 'config.json')))
}

/** The weights beside a config.json: one file, shards or a pickle, chosen as for a folder that a user imports. */
export function openGoldenWeights(folder: string): TensorFile {
  return openWeights(folder, readdirSync(folder).filter((name) => !['inputs.safetensors', 'outputs.safetensors'].includes(name)))
}

/** A pickled copy of the weights beside model.safetensors holds exactly the same tensors. */
export function checkPickledCopy(report: GoldenReport, prefix: string, folder: string): void {
  if (!['model.safetensors', 'pytorch_model.bin'].every((name) => existsSync(path.join(folder, name)))) return
  const pickled = openTorchFile(path.join(folder, 'pytorch_model.bin'))
  const plain = readTensors(folder, 'model.safetensors')
  const errors = [...plain].map(([tensor, { shape, values }]) => {
    const found = pickled.entries.has(tensor) ? pickled.readFloats(tensor) : null
    return found === null || found.shape.join() !== shape.join() ? Infinity : relativeError(found.values, values)
  })
  report.check(`${prefix}pytorch_model.bin (${errors.length} tensors)`, pickled.entries.size === plain.size ? Math.max(...errors) : Infinity, 0)
  pickled.close()
}

/** Reads every tensor of a safetensors file; golden files are small. */
export function readTensors(...parts: string[]): Map<string, HostTensor> {
  const file = openSafetensors(path.join(...parts))
  try {
    return new Map([...file.entries.keys()].map((name) => [name, file.readFloats(name)]))
  } finally {
    file.close()
  }
}

export function tensorOf(tensors: Map<string, HostTensor>, name: string): HostTensor {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new Error(`the golden file holds no ${name}`)
  return tensor
}

/** Row `index` along the first axis. */
export function rowOf({ shape, values }: HostTensor, index: number): Float32Array {
  const length = shape.slice(1).reduce((a, b) => a * b, 1)
  return values.subarray(index * length, (index + 1) * length)
}

/** Largest absolute difference divided by the largest absolute reference value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let difference = 0
  let scale = 0
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(actual[i]! - expected[i]!)
    // A NaN must count as a miss: every comparison with it is false.
    difference = Number.isNaN(gap) ? Infinity : Math.max(difference, gap)
    scale = Math.max(scale, Math.abs(expected[i]!))
  }
  return scale === 0 ? difference : difference / scale
}

/** [rows, columns] row-major -> [columns, rows]. */
export function transposed({ shape: [rows, columns], values }: HostTensor): HostTensor {
  const [R, C] = [rows!, columns!]
  return { shape: [C, R], values: Float32Array.from({ length: R * C }, (_, i) => values[(i % R) * C + Math.floor(i / R)]!) }
}

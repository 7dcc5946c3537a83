import path from 'node:path'
import { openSafetensors } from '../../../engine/backbones/safetensors.ts'

export interface HostTensor {
  shape: number[]
  values: Float32Array
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

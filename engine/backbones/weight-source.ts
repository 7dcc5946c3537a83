import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { RandomSource } from '../compute/random-source.ts'
import { normalArray } from '../compute/random-source.ts'
import { AppError } from '../domain/errors.ts'
import type { TensorFile } from './files/tensor-file.ts'

/** Where a backbone takes its frozen tensors from: a file, or a seeded generator for tests and benchmarks. */
export interface WeightSource {
  /** SHA-256 of the weights file in hex, or a name for generated weights; stored with every run. */
  readonly hash: string
  has(name: string): boolean
  /**
   * Float32 values of the named tensor in its stored (PyTorch) layout.
   * Throws WEIGHTS_TENSOR_MISSING, WEIGHTS_SHAPE_MISMATCH or WEIGHTS_NOT_FINITE.
   */
  read(name: string, shape: readonly number[]): Float32Array
}

/** Layer norms of models that came from TensorFlow are still stored as gamma and beta. */
function spellingsOf(name: string): string[] {
  const old = name.replace(/(LayerNorm)\.weight$/, '$1.gamma').replace(/(LayerNorm)\.bias$/, '$1.beta')
  return old === name ? [name] : [name, old]
}

/** Reads from an open weights file; `prefix` is tried in front of each name (`bert.`, `vilt.`). */
export function fileWeightSource(file: TensorFile, hash: string, prefixes: readonly string[] = ['']): WeightSource {
  const find = (name: string): string | undefined => prefixes.flatMap((prefix) => spellingsOf(prefix + name)).find((full) => file.entries.has(full))
  return {
    hash,
    has: (name) => find(name) !== undefined,
    read: (name, shape) => {
      const full = find(name)
      if (full === undefined) throw new AppError('WEIGHTS_TENSOR_MISSING', `The weights hold no tensor "${name}".`)
      const stored = file.entries.get(full)!.shape
      if (stored.length !== shape.length || stored.some((n, axis) => n !== shape[axis])) {
        throw new AppError('WEIGHTS_SHAPE_MISMATCH', `Tensor "${full}" has shape [${stored.join(', ')}] where [${shape.join(', ')}] is expected.`)
      }
      const { values } = file.readFloats(full)
      if (!values.every(Number.isFinite)) throw new AppError('WEIGHTS_NOT_FINITE', `Tensor "${full}" holds values that are not finite numbers.`)
      return values
    },
  }
}

/** The same source seen from below a prefix of tensor names. */
export function withPrefix(source: WeightSource, prefix: string): WeightSource {
  return { hash: source.hash, has: (name) => source.has(prefix + name), read: (name, shape) => source.read(prefix + name, shape) }
}

/** Seeded weights as these models are initialised before pre-training: N(0, deviation), norms 1 and 0, biases 0. */
export function randomWeightSource(random: RandomSource, hash: string, deviation = 0.02): WeightSource {
  return {
    hash,
    has: () => true,
    read: (name, shape) => {
      const length = shape.reduce((product, n) => product * n, 1)
      if (/(norm|layernorm)[^.]*\.weight$/i.test(name)) return new Float32Array(length).fill(1)
      if (name.endsWith('.bias')) return new Float32Array(length)
      return normalArray(random, length, deviation)
    },
  }
}

/** SHA-256 of a file in hex, read in pieces. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

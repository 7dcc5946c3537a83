/** Reader for the weights of a TensorFlow.js layers model: model.json with a manifest of float32 tensors cut into shards. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../domain/errors.ts'

const manifestSchema = z.object({
  weightsManifest: z.array(z.object({
    paths: z.array(z.string().regex(/^[\w.-]+$/)).min(1),
    weights: z.array(z.object({ name: z.string(), shape: z.array(z.int().min(0)), dtype: z.literal('float32') })),
  })).min(1),
})

export interface LayersWeights {
  /** SHA-256 over model.json and every shard in manifest order. */
  hash: string
  /** Values of one tensor; throws WEIGHTS_TENSOR_MISSING or WEIGHTS_SHAPE_MISMATCH. */
  read(name: string, shape: readonly number[]): Float32Array
}

/** Reads every shard of a layers model; throws WEIGHTS_FILE_MISSING or WEIGHTS_FILE_INVALID when a file is absent, cut or too long. */
export function readLayersWeights(folder: string): LayersWeights {
  const hash = createHash('sha256')
  const read = (name: string): Buffer => {
    try {
      return readFileSync(path.join(folder, name))
    } catch (error) {
      throw new AppError('WEIGHTS_FILE_MISSING', `The weights file ${name} is missing from ${folder}.`, { cause: error })
    }
  }
  const json = read('model.json')
  hash.update(json)
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>()
  for (const group of parseManifest(json, folder).weightsManifest) {
    const expected = 4 * group.weights.reduce((total, { shape }) => total + elementCount(shape), 0)
    const stored = group.paths.reduce((total, name) => total + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
    if (stored !== expected) throw new AppError('WEIGHTS_FILE_INVALID', `The weights in ${folder} hold ${stored} bytes where the manifest needs ${expected}.`)
    const bytes = new Uint8Array(expected)
    let offset = 0
    for (const name of group.paths) {
      const shard = read(name)
      hash.update(shard)
      bytes.set(shard, offset)
      offset += shard.length
    }
    let position = 0
    for (const { name, shape } of group.weights) {
      const length = elementCount(shape)
      tensors.set(name, { shape, values: new Float32Array(bytes.buffer, position, length) })
      position += 4 * length
    }
  }
  return {
    hash: hash.digest('hex'),
    read: (name, shape) => {
      const tensor = tensors.get(name)
      if (tensor === undefined) throw new AppError('WEIGHTS_TENSOR_MISSING', `The weights in ${folder} hold no tensor "${name}".`)
      if (tensor.shape.join() !== shape.join()) {
        throw new AppError('WEIGHTS_SHAPE_MISMATCH', `Tensor "${name}" has shape [${tensor.shape.join(', ')}] where [${shape.join(', ')}] is expected.`)
      }
      return tensor.values
    },
  }
}

function parseManifest(json: Buffer, folder: string): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(json.toString('utf8')))
  } catch (error) {
    throw new AppError('WEIGHTS_FILE_INVALID', `model.json in ${folder} is not a weights manifest of this kind.`, { cause: error })
  }
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}

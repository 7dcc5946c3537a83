/** The weights of a backbone folder as one set of tensors: one file, or shards with their index. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../domain/errors.ts'
import type { TensorFile, TensorInfo } from '../files/tensor-file.ts'
import { openTorchFile } from '../files/torch-file.ts'
import { openSafetensors } from '../safetensors.ts'

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+$/)) })

/** Names of the weights files among the files of a folder: the index first when there are shards. Safetensors is preferred. Throws BACKBONE_FOLDER_INCOMPLETE. */
export function weightsFilesAmong(names: readonly string[], read: (name: string) => string): string[] {
  for (const [single, index] of [['model.safetensors', 'model.safetensors.index.json'], ['pytorch_model.bin', 'pytorch_model.bin.index.json']] as const) {
    if (names.includes(single)) return [single]
    if (!names.includes(index)) continue
    const shards = [...new Set(Object.values(parseIndex(read(index), index)))].sort()
    const absent = shards.filter((shard) => !names.includes(shard))
    if (absent.length > 0) throw new AppError('BACKBONE_FOLDER_INCOMPLETE', `${absent.length} of the ${shards.length} parts of the weights are missing: ${absent.slice(0, 3).join(', ')}.`)
    return [index, ...shards]
  }
  const others = names.filter((name) => /\.(safetensors|bin|ckpt|pt|pth)$/.test(name) && name !== 'training_args.bin')
  if (others.length === 1) return others
  throw new AppError('BACKBONE_FOLDER_INCOMPLETE', others.length === 0 ? 'The folder holds no weights (model.safetensors or pytorch_model.bin).' : `The folder holds several weights files (${others.slice(0, 4).join(', ')}) and none is called model.safetensors or pytorch_model.bin.`)
}

function parseIndex(text: string, name: string): Record<string, string> {
  try {
    return indexSchema.parse(JSON.parse(text)).weight_map
  } catch (error) {
    throw new AppError('WEIGHTS_FILE_INVALID', `${name} is not a readable list of parts.`, { cause: error })
  }
}

/** Opens the weights of a folder whose files are `names`; only headers are read. Closing the result closes every part. */
export function openWeights(dir: string, names: readonly string[]): TensorFile {
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  const [first, ...shards] = weightsFilesAmong(names, read)
  if (!first!.endsWith('.index.json')) return openOne(join(dir, first!))
  const place = parseIndex(read(first!), first!)
  const parts = new Map<string, TensorFile>()
  try {
    for (const shard of shards) parts.set(shard, openOne(join(dir, shard)))
    const entries = new Map(Object.entries(place).map(([tensor, shard]): [string, TensorInfo] => {
      const entry = parts.get(shard)!.entries.get(tensor)
      if (entry === undefined) throw new AppError('WEIGHTS_FILE_INVALID', `${shard} does not hold "${tensor}", which its index promises.`)
      return [tensor, entry]
    }))
    return {
      entries,
      readFloats: (name) => {
        const shard = place[name]
        if (shard === undefined) throw new AppError('WEIGHTS_TENSOR_MISSING', `The weights hold no tensor "${name}".`)
        return parts.get(shard)!.readFloats(name)
      },
      close: () => parts.forEach((part) => part.close()),
    }
  } catch (error) {
    parts.forEach((part) => part.close())
    throw error
  }
}

function openOne(path: string): TensorFile {
  return path.endsWith('.safetensors') ? openSafetensors(path) : openTorchFile(path)
}

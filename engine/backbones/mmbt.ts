/** Opens the backbone that ships with the application from its two weight folders. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Compute } from '../compute/backend.ts'
import { createRng } from '../compute/rng.ts'
import { AppError } from '../domain/errors.ts'
import type { Backbone } from './backbone.ts'
import { loadBert, parseBertConfig, type BertModel } from './bert.ts'
import { createMmbt } from './mmbt-join.ts'
import { type Resnet50, RESNET_GRID_DEPTH, RESNET_GRID_TOKENS, RESNET_INPUT_SIDE, loadResnet50, prepareResnetImage } from './resnet50.ts'
import { openSafetensors } from './safetensors.ts'
import { readLayersWeights } from './tfjs-layers-weights.ts'
import { fileWeightSource, hashFile } from './weight-source.ts'

/** The joined backbone with its two encoders, for preparing inputs. */
export interface MmbtBackbone extends Backbone {
  readonly resnet: Resnet50
  readonly bert: BertModel
  /** SHA-256 of the image encoder: names the cache of grid features. */
  readonly gridHash: string
}

/** Seed of the fixed projection and segment embeddings; another seed would be another backbone. */
const MMBT_SEED = 20190906

/** Loads all-MiniLM-L6-v2 from `<weightsDir>/minilm`. */
export async function loadMiniLm(compute: Compute, weightsDir: string): Promise<BertModel> {
  const folder = path.join(weightsDir, 'minilm')
  const file = path.join(folder, 'model.safetensors')
  let config: unknown
  try {
    config = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8'))
  } catch (error) {
    throw new AppError('WEIGHTS_FILE_MISSING', `The text encoder is missing or damaged in ${folder}.`, { cause: error })
  }
  const source = openSafetensors(file)
  try {
    return loadBert(compute, fileWeightSource(source, await hashFile(file), ['', 'bert.']), parseBertConfig(config))
  } finally {
    source.close()
  }
}

/**
 * Opens `mmbt-minilm-resnet50` from `<weightsDir>/minilm` and `<weightsDir>/resnet50`; `dispose` frees both encoders.
 * Throws WEIGHTS_* when a file is missing or damaged.
 */
export async function loadMmbt(compute: Compute, weightsDir: string): Promise<MmbtBackbone> {
  const resnet = loadResnet50(compute, readLayersWeights(path.join(weightsDir, 'resnet50')))
  try {
    const white = prepareResnetImage(new Uint8Array(3 * RESNET_INPUT_SIDE ** 2).fill(255))
    const bert = await loadMiniLm(compute, weightsDir)
    const joined = createMmbt(compute, {
      bert, random: createRng(MMBT_SEED),
      gridDepth: RESNET_GRID_DEPTH, gridTokens: RESNET_GRID_TOKENS, gridHash: resnet.weightsHash, gridParameterCount: resnet.parameterCount,
      dummyGrid: resnet.gridFeatures(white, 1),
    })
    return {
      ...joined, resnet, bert,
      gridHash: resnet.weightsHash,
      dispose: () => {
        joined.dispose()
        resnet.dispose()
      },
    }
  } catch (error) {
    resnet.dispose()
    throw error
  }
}

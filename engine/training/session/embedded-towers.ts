/**
 * The two encoders of the embedded backbone, each on its own, as one side of a pair: plug-and-play encoders of late fusion (METHODS 3) with an
 * imported model for the other modality. In a run's backbone the embedded id stands for whichever side the imported model lacks.
 */
import { join } from 'node:path'
import minilm from '../../../resources/backbones/minilm.json' with { type: 'json' }
import resnet50 from '../../../resources/backbones/resnet50.json' with { type: 'json' }
import { bertTower, gridTower } from '../../backbones/encoders/towers.ts'
import type { PairSide } from '../../backbones/import/load-imported.ts'
import { loadMiniLm } from '../../backbones/mmbt.ts'
import { RESNET_GRID_DEPTH, RESNET_INPUT_SIDE, type Resnet50, loadResnet50, prepareResnetImage } from '../../backbones/resnet50.ts'
import { readLayersWeights } from '../../backbones/tfjs-layers-weights.ts'
import type { Compute } from '../../compute/backend.ts'
import { embeddedBackboneId } from '../../domain/backbones.ts'
import { openUsualTokenizer } from './usual-tokenizer.ts'

/** `resnet` is there where images enter as its grids. */
export type EmbeddedSide = PairSide & { resnet?: Resnet50 }

export async function embeddedText(compute: Compute, weightsDir: string): Promise<EmbeddedSide> {
  const bert = await loadMiniLm(compute, weightsDir)
  return {
    id: embeddedBackboneId, hash: bert.weightsHash, notes: [`Text is read by the embedded ${minilm.model}.`],
    tokenizer: openUsualTokenizer(weightsDir), images: null, text: bertTower(bert), image: null,
    sizes: { textPositions: bert.config.max_position_embeddings, vocabulary: bert.config.vocab_size },
  }
}

export function embeddedImages(compute: Compute, weightsDir: string): Promise<EmbeddedSide> {
  const resnet = loadResnet50(compute, readLayersWeights(join(weightsDir, resnet50.name)))
  const white = prepareResnetImage(new Uint8Array(3 * RESNET_INPUT_SIDE ** 2).fill(255))
  return Promise.resolve({
    id: embeddedBackboneId, hash: resnet.weightsHash, notes: [`Images are read by the embedded ${resnet50.model}.`],
    tokenizer: null, images: null, text: null, image: gridTower(resnet, RESNET_GRID_DEPTH, resnet.gridFeatures(white, 1)), resnet,
    sizes: { imageSize: null, patchSize: null },
  })
}

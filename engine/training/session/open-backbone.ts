/** Opens the backbone of a run by its id: the embedded one, an imported one, or two imported encoders as a pair. */
import { join } from 'node:path'
import minilm from '../../../resources/backbones/minilm.json' with { type: 'json' }
import resnet50 from '../../../resources/backbones/resnet50.json' with { type: 'json' }
import type { Backbone } from '../../backbones/backbone.ts'
import { checkFiles } from '../../backbones/import/kept-files.ts'
import { type ImportedModel, joinPair, loadImported } from '../../backbones/import/load-imported.ts'
import { loadMmbt } from '../../backbones/mmbt.ts'
import type { Compute } from '../../compute/backend.ts'
import { type BackboneLocation, backboneIdsOf, bothSides, embeddedBackboneId } from '../../domain/backbones.ts'
import { AppError } from '../../domain/errors.ts'
import type { RunConfig } from '../../domain/run.ts'
import type { TextTokenizer } from '../../modalities/text-tokenizer.ts'
import { type InputReader, gridReader, pixelReader } from '../inputs/input-reader.ts'
import { embeddedImages, embeddedText } from './embedded-towers.ts'
import { openUsualTokenizer } from './usual-tokenizer.ts'

export interface OpenedBackbone {
  backbone: Backbone
  reader: InputReader
  /** The imported model behind it; null for the embedded one. */
  imported: ImportedModel | null
}

/** Positions of MiniLM's table. */
const MINILM_POSITIONS = 512

/** Hashes the files of a run's backbone; throws BACKBONE_CHANGED with the names of those that are not what they were, BACKBONE_NOT_FOUND when none is known. */
export async function verifyBackbone(weightsDir: string, backbone: string, locations: readonly BackboneLocation[], signal: AbortSignal): Promise<void> {
  const embedded = [minilm, resnet50].map(({ name, model, files }) => ({ name: model, dir: join(weightsDir, name), files: files.map(({ path, bytes, sha256 }) => ({ name: path, byteSize: bytes, sha256 })) }))
  const checked = backboneIdsOf(backbone).flatMap((id) => (id === embeddedBackboneId ? embedded : [locationOf(id, locations)]))
  for (const { name, dir, files } of checked) {
    const wrong = (await checkFiles(dir, files, signal)).filter(({ state }) => state !== 'intact')
    if (wrong.length > 0) throw new AppError('BACKBONE_CHANGED', `The backbone "${name}" is not what it was: ${wrong.map(({ detail }) => detail).join('; ')}.`)
  }
}

function locationOf(id: string, locations: readonly BackboneLocation[]): BackboneLocation {
  const found = locations.find(({ backboneId }) => backboneId === id)
  if (found === undefined) throw new AppError('BACKBONE_NOT_FOUND', `There is no backbone "${id}" here.`)
  return found
}

/** Loads the model and what prepares its inputs; `verifyBackbone` comes first. */
export async function openBackbone(compute: Compute, weightsDir: string, config: Pick<RunConfig, 'backbone' | 'maxTextTokens'>, locations: readonly BackboneLocation[]): Promise<OpenedBackbone> {
  if (config.backbone === embeddedBackboneId) {
    const backbone = await loadMmbt(compute, weightsDir)
    return { backbone, reader: gridReader(backbone.resnet, openUsualTokenizer(weightsDir), MINILM_POSITIONS), imported: null }
  }
  const ids = backboneIdsOf(config.backbone)
  const models = ids.filter((id) => id !== embeddedBackboneId).map((id) => {
    const { dir, files, contentHash } = locationOf(id, locations)
    return loadImported(compute, { id, hash: contentHash, dir, names: files.map(({ name }) => name) }, { textTokens: config.maxTextTokens, usualTokenizer: usualTokenizerOf(weightsDir) })
  })
  if (ids.length === 2 && models.length === 1) {
    const { reads } = models[0]!.description
    if (reads !== 'image' && reads !== 'text') throw new AppError('BACKBONE_LACKS_MODALITY', 'The embedded encoders pair with a text encoder (BERT) or an image encoder (ViT or DeiT), not with a model that reads both.')
    const embedded = reads === 'image' ? await embeddedText(compute, weightsDir) : await embeddedImages(compute, weightsDir)
    const joined = joinPair(models[0]!, embedded)
    const reader = embedded.resnet === undefined ? readerOf(joined) : gridReader(embedded.resnet, joined.tokenizer, joined.description.sizes.textPositions ?? MINILM_POSITIONS)
    return { backbone: joined.backbone, reader, imported: joined }
  }
  const imported = models.length === 2 ? joinPair(models[0]!, models[1]!) : models[0]!
  return { backbone: imported.backbone, reader: readerOf(imported), imported }
}

/** Reader of words and pixels as an imported model has them prepared. */
function readerOf(imported: ImportedModel): InputReader {
  const { sizes, reads } = imported.description
  const [height, width] = bothSides(sizes.imageSize ?? 0)
  const [patchHeight, patchWidth] = bothSides(sizes.patchSize ?? 1)
  return pixelReader({
    tokenizer: imported.tokenizer, images: imported.images,
    textPositions: sizes.textPositions, canStretch: reads === 'joint',
    // A tower gives one feature for each image; a joint model takes its patches and their class token.
    imageTokens: imported.images === null ? 0 : reads === 'joint' ? Math.floor(height / patchHeight) * Math.floor(width / patchWidth) + 1 : 1,
  })
}

/** The embedded vocabulary for a model with just as many entries. */
export function usualTokenizerOf(weightsDir: string): (vocabularySize: number) => TextTokenizer | null {
  return (vocabularySize) => {
    const tokenizer = openUsualTokenizer(weightsDir)
    return tokenizer.vocabularySize === vocabularySize ? tokenizer : null
  }
}

/** The 10-step training of scale and shift per modality combination against PyTorch, with and without the norm of the text embeddings. */
import { ssfConfigSchema } from '../../../engine/adapters/ssf/config.ts'
import { ssf } from '../../../engine/adapters/ssf/index.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { GoldenItem } from '../report.ts'
import { readTensors } from './shared.ts'
import { type Translate, combinationOfType, labelsOf, openTraining, runTraining, sameName, sliceOf, trainingModalities, trainingsOf } from './training-common.ts'

/** [3, features] by missing type; the reference calls our embedding norm by its place in ViLT. */
const translate: Translate = (name, tensor) => {
  const site = /^(.+)\.(gamma|beta)$/.exec(name)
  if (site === null) return sameName(name, tensor)
  const ours = site[1] === 'embeddings.text_embeddings.LayerNorm' ? 'embeddings.LayerNorm' : site[1]!
  return combinationOfType.map((combination, type) => [`${combination}/${ours}.${site[2]}`, sliceOf(tensor, type)])
}

export const ssfTrainingItem: GoldenItem = {
  name: 'ssf_training',
  async run(folder, report) {
    const place = await openTraining(folder, report)
    if (place === null) return
    for (const { variant, folder: variantFolder, initialFolder } of trainingsOf(folder)) {
      const initial = readTensors(initialFolder, 'initial.safetensors')
      const network = ssf.createNetwork(
        { ...place, modalities: trainingModalities, labelsCount: labelsOf(initial), missingInput: 'dummy', random: createRng(0) },
        ssfConfigSchema.parse({ training: 'joint', sites: [...initial.keys()].some((name) => name.startsWith('embeddings.')) ? 'all' : 'encoder' }))
      runTraining({
        ...place, report, folder: variantFolder, initialFolder, name: variant === '' ? 'all sites' : variant.replace(/^variant_/, '').replaceAll('_', ' '), network, translate,
        // Its gradient is mathematically zero, so Adam follows rounding noise (README of the reference).
        incomparable: (name) => name.endsWith('.key.beta'),
      })
    }
    place.backbone.dispose()
  },
}

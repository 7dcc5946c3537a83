/** Five steps of full fine-tuning of the tiny ViLT against PyTorch, input layer included: every trained tensor, some by their leading rows. */
import { fullConfigSchema } from '../../../engine/adapters/full/config.ts'
import { full } from '../../../engine/adapters/full/index.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { GoldenItem } from '../report.ts'
import { readTensors } from './shared.ts'
import { type Translate, labelsOf, openTraining, runTraining, sameName, trainingModalities } from './training-common.ts'

/** The input layer keeps the layout of the weights, axes of length 1 and of patches folded; linear layers are transposed as everywhere. */
const translate: Translate = (name, tensor) => {
  if (!name.startsWith('embeddings.')) return sameName(name, tensor)
  const [first = 1, second = 1, ...rest] = tensor.shape
  const shape = tensor.shape.length === 1 ? tensor.shape : tensor.shape.length === 3 ? [second, rest[0]!] : [first, tensor.values.length / first]
  return [[name, { ...tensor, shape }]]
}

export const fullTrainingItem: GoldenItem = {
  name: 'full_training',
  async run(folder, report) {
    const place = await openTraining(folder, report)
    if (place === null) return
    const labelsCount = labelsOf(readTensors(folder, 'initial.safetensors'))
    const network = full.createNetwork(
      { ...place, modalities: trainingModalities, labelsCount, missingInput: 'dummy', random: createRng(0) }, fullConfigSchema.parse({ backboneRate: 1 }))
    runTraining({
      ...place, report, folder, name: 'every tensor', network, translate, startsFromOwn: true,
      // As with SSF: the gradient of a key's bias is zero but for rounding, which Adam turns into drift.
      incomparable: (name) => name.endsWith('.key.bias'),
    })
    place.backbone.dispose()
  },
}

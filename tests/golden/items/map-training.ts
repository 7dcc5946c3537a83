/** The 10-step trainings of missing-aware prompts against PyTorch, input-level and attention-level; lengths and layers from the tensors. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promptConfigSchema } from '../../../engine/adapters/prompt/config.ts'
import { prompt } from '../../../engine/adapters/prompt/index.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { GoldenItem } from '../report.ts'
import { readTensors, tensorOf } from './shared.ts'
import { type Translate, combinationOfType, labelsOf, openTraining, runTraining, sameName, sliceOf, trainingModalities } from './training-common.ts'

const promptNames = ['complete_prompt', 'missing_text_prompt', 'missing_image_prompt']

/** [layers, length, width], one tensor for each missing type; ours are one for each type and block. */
const translateTo = (blocks: readonly number[]): Translate => (name, tensor) => {
  const type = promptNames.indexOf(name)
  if (type === -1) return sameName(name, tensor)
  return blocks.map((block, i) => [`${combinationOfType[type as 0 | 1 | 2]}/prompt.${block}`, sliceOf(tensor, i)])
}

/** The tensors say how many layers have prompts, the README's heading which ("layers 0 and 1"); the first ones where it is silent. */
function blocksOf(folder: string, count: number): number[] {
  const readme = path.join(folder, 'README.md')
  const stated = existsSync(readme) ? /layers? ((?:\d+, )*\d+(?: and \d+)?)/.exec(readFileSync(readme, 'utf8'))?.[1]?.match(/\d+/g)?.slice(0, count).map(Number) : undefined
  return stated?.length === count ? stated : Array.from({ length: count }, (_, block) => block)
}

export const mapTrainingItem: GoldenItem = {
  name: 'map_training',
  async run(folder, report) {
    const place = await openTraining(folder, report)
    if (place === null) return
    for (const level of ['input', 'attention'] as const) {
      const levelFolder = path.join(folder, level)
      if (!existsSync(levelFolder)) {
        report.notChecked(`${level}-level prompts, because their folder is absent`)
        continue
      }
      const initial = readTensors(levelFolder, 'initial.safetensors')
      const [layers, length] = tensorOf(initial, promptNames[0]!).shape as [number, number]
      const blocks = blocksOf(folder, layers)
      const network = prompt.createNetwork(
        { ...place, modalities: trainingModalities, labelsCount: labelsOf(initial), missingInput: 'dummy', random: createRng(0) },
        promptConfigSchema.parse({ level, length, blocks }))
      runTraining({ ...place, report, folder: levelFolder, name: level, network, translate: translateTo(blocks) })
    }
    place.backbone.dispose()
  },
}

/** The 10-step LoRA training against PyTorch: rank and places from the tensors, alpha from the folder. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { loraConfigSchema } from '../../../engine/adapters/lora/config.ts'
import { lora } from '../../../engine/adapters/lora/index.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { GoldenItem } from '../report.ts'
import { readTensors } from './shared.ts'
import { labelsOf, openTraining, readTraining, runTraining, sameName, trainingModalities } from './training-common.ts'

/** Every linear layer; what the reference does not train keeps B = 0 and does nothing. */
const everyTarget = ['query', 'key', 'value', 'output', 'expand', 'contract'] as const

/** alpha / R: from training.json where it says alpha, else from the README's formula, else the 2 of the known set. */
function scalingOf(folder: string, rank: number): number {
  const { alpha } = readTraining(folder)
  if (alpha !== undefined) return alpha / rank
  const readme = path.join(folder, 'README.md')
  const stated = existsSync(readme) ? /alpha\/r = (\d+(?:\.\d+)?)/.exec(readFileSync(readme, 'utf8')) : null
  return stated === null ? 2 : Number(stated[1])
}

export const loraTrainingItem: GoldenItem = {
  name: 'lora_training',
  async run(folder, report) {
    const place = await openTraining(folder, report)
    if (place === null) return
    const initial = readTensors(folder, 'initial.safetensors')
    const rank = [...initial].find(([name]) => name.endsWith('.lora_A'))![1].shape[0]!
    const network = lora.createNetwork(
      { ...place, modalities: trainingModalities, labelsCount: labelsOf(initial), missingInput: 'dummy', random: createRng(0) },
      loraConfigSchema.parse({ rank, alpha: scalingOf(folder, rank) * rank, targets: everyTarget }))
    runTraining({ ...place, report, folder, name: `rank ${rank}`, network, translate: sameName })
    place.backbone.dispose()
  },
}

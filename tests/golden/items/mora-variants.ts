/** MoRA's options against PyTorch: other ranks and blocks, beside attention, and missing modalities left out; one folder for each case. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { moraConfigSchema } from '../../../engine/adapters/mora/config.ts'
import { mora } from '../../../engine/adapters/mora/index.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { GoldenItem } from '../report.ts'
import { readTensors } from './shared.ts'
import { type Translate, labelsOf, openTraining, runTraining, sameName, trainingModalities } from './training-common.ts'

const caseSchema = z.object({ rank: z.int(), blocks: z.array(z.int()), beside: z.enum(['block', 'attention']), missing: z.enum(['dummy', 'left-out']) })

const translate: Translate = (name, tensor) => sameName(name.startsWith('mora.') ? name.replace(/\.weight$/, '') : name, tensor)

export const moraVariantsItem: GoldenItem = {
  name: 'mora_variants',
  async run(folder, report) {
    const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)
    for (const name of names) {
      // The shared inputs lie beside the item's folder, not beside the case's.
      const place = await openTraining(folder, report)
      if (place === null) return
      const variant = path.join(folder, name)
      const { missing, ...settings } = caseSchema.parse(JSON.parse(readFileSync(path.join(variant, 'training.json'), 'utf8')))
      const network = mora.createNetwork(
        { ...place, modalities: trainingModalities, labelsCount: labelsOf(readTensors(variant, 'initial.safetensors')), missingInput: missing, random: createRng(0) },
        moraConfigSchema.parse(settings))
      runTraining({ ...place, report, folder: variant, name, network, translate })
      place.backbone.dispose()
    }
  },
}

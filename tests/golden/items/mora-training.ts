/** The 20-step MoRA training of the tiny ViLT against PyTorch: losses, gradient norms, early and final tensors, logits of every pattern. */
import { moraConfigSchema } from '../../../engine/adapters/mora/config.ts'
import { mora } from '../../../engine/adapters/mora/index.ts'
import { createMoraLayer } from '../../../engine/adapters/mora/layer.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import type { Compute } from '../../../engine/compute/backend.ts'
import { createParameterSet } from '../../../engine/compute/parameters.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'
import { type HostTensor, readTensors, relativeError } from './shared.ts'
import { type GoldenBatch, IMAGE, TEXT, type Translate, labelsOf, openTraining, patternOfType, runTraining, sameName, trainingModalities, trainingsOf } from './training-common.ts'

/** MoRA's own formulas, a sum of a few products in float32. */
const FORMULA_BOUND = 1e-5

/** The reference calls the image's up-projection `text_missing_up`: it serves when text is missing. */
const translate: Translate = (name, tensor) => sameName(
  name.replace('.down.weight', '.down').replace('.text_missing_up.weight', '.up.image').replace('.image_missing_up.weight', '.up.text'), tensor)

/** MoRA's layer on its own against x A B_m summed in double precision on the host. */
function checkFormula(compute: Compute, backbone: Backbone, batch: GoldenBatch, final: Map<string, HostTensor>, block: number, rank: number, report: GoldenReport): void {
  const { tf } = compute
  const D = backbone.width
  const { x, tokens } = backbone.embed(batch.samples.slice(0, 1))[0]!
  const parameters = createParameterSet(tf)
  const layer = createMoraLayer(compute, parameters, createRng(0), block, D, rank, trainingModalities.map(({ name }) => name))
  const own = new Map([...final].flatMap(([name, tensor]) => translate(name, tensor)).filter(([name]) => name.startsWith(`mora.${block}.`)))
  parameters.importValues(Object.fromEntries(own))
  const values = (name: string): Float32Array => own.get(`mora.${block}.${name}`)!.values
  for (const pattern of patternOfType) {
    const delta = tf.tidy(() => {
      const pass = layer.forward(tf.tensor2d(x, [tokens, D]), tf.tensor2d([[pattern & TEXT ? 1 : 0, pattern & IMAGE ? 1 : 0]]))
      return pass.delta
    })
    const expected = new Float64Array(tokens * D)
    for (let t = 0; t < tokens; t++) {
      for (let r = 0; r < rank; r++) {
        let z = 0
        for (let d = 0; d < D; d++) z += x[t * D + d]! * values('down')[d * rank + r]!
        for (const [name, bit] of [['text', TEXT], ['image', IMAGE]] as const) {
          if (!(pattern & bit)) continue
          for (let d = 0; d < D; d++) expected[t * D + d] = expected[t * D + d]! + z * values(`up.${name}`)[r * D + d]!
        }
      }
    }
    report.check(`formula, pattern ${pattern}`, relativeError(delta.dataSync(), expected), FORMULA_BOUND)
    delta.dispose()
  }
  parameters.dispose()
}

export const moraTrainingItem: GoldenItem = {
  name: 'mora_training',
  async run(folder, report) {
    const place = await openTraining(folder, report)
    if (place === null) return
    for (const { variant, folder: variantFolder, initialFolder } of trainingsOf(folder)) {
      const initial = readTensors(initialFolder, 'initial.safetensors')
      const downs = [...initial].flatMap(([name, { shape }]) => {
        const block = /^mora\.(\d+)\.down\.weight$/.exec(name)
        return block === null ? [] : [{ block: Number(block[1]), rank: shape[0]! }]
      })
      const { block, rank } = downs[0]!
      const run = (name: string, cached: boolean): void => runTraining({
        ...place, report, folder: variantFolder, initialFolder, name, cached, translate,
        network: mora.createNetwork(
          { ...place, modalities: trainingModalities, labelsCount: labelsOf(initial), missingInput: 'dummy', random: createRng(0) },
          moraConfigSchema.parse({ rank, blocks: downs.map((down) => down.block) })),
      })
      if (variant !== '') {
        run(variant.replace(/^variant_/, '').replaceAll('_', ' '), false)
        continue
      }
      checkFormula(place.compute, place.backbone, place.batches[0]!, readTensors(variantFolder, 'final.safetensors'), block, rank, report)
      run('every block computed', false)
      run('block 0 from the cache', true)
    }
    place.backbone.dispose()
  },
}

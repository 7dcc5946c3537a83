/**
 * Full fine-tuning: every weight, bias and norm of the transformer blocks, the norm after them and the input layer (words, positions, types,
 * class token, patch projection) is trained, from a copy; the loaded backbone stays bit-identical. Needs memory for five copies of the model
 * (values, gradients, two moments, the frozen one), and tokens are computed from words and pixels in every step.
 * Difference: of the joined default backbone the blocks alone are trained. Its image encoder and its embeddings stay frozen by design, because
 * their output is computed once for all epochs; `embeddings: false` asks for the same of a ViLT.
 */
import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { everyInput, injectOwnWeights, noInput } from '../sites/own-weights.ts'
import { createTransformerNetwork } from '../transformer-network.ts'
import { type FullConfig, fullConfigSchema } from './config.ts'

export const full: Method<FullConfig> = {
  id: 'full',
  configSchema: fullConfigSchema,
  startsUnchanged: true,
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }, config) => {
    const parameters = createParameterSet(compute.tf)
    const adapter = injectOwnWeights(compute, parameters, backbone, { linearWeights: true, linearBiases: true, normGains: true, normOffsets: true, input: config.embeddings ? everyInput : noInput, rateFactor: config.backboneRate })
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

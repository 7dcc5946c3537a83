/**
 * Full fine-tuning: every weight, bias and norm of the transformer blocks and the norm after them is trained, from a copy; the loaded
 * backbone stays bit-identical. Embedding tables and the image encoder stay frozen, because their output is cached once for all epochs:
 * the usual reading of "full" trains those too. Needs memory for five copies of the blocks (values, gradients, two moments, the frozen).
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

/**
 * BitFit: every bias of the blocks is trained, those of the norms included, and nothing else below the head. Ben Zaken et al. 2022
 * (arXiv:2106.10199), section 3. Blind to which modality is missing. Biases of the embeddings are trained where the backbone has a trainable
 * input layer; on the joined default they stay frozen with its image encoder, whose output is cached.
 */
import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { injectOwnWeights, noInput } from '../sites/own-weights.ts'
import { createTransformerNetwork } from '../transformer-network.ts'
import { type BitfitConfig, bitfitConfigSchema } from './config.ts'

const embeddingBiases = new Set(['bias', 'norm-offset'] as const)

export const bitfit: Method<BitfitConfig> = {
  id: 'bitfit',
  configSchema: bitfitConfigSchema,
  startsUnchanged: true,
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }, config) => {
    const parameters = createParameterSet(compute.tf)
    const adapter = injectOwnWeights(compute, parameters, backbone, { linearWeights: false, linearBiases: true, normGains: false, normOffsets: true, input: config.embeddings ? embeddingBiases : noInput, rateFactor: 1 })
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

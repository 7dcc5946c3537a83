/**
 * Norm tuning: gain and offset of every layer norm are trained, and nothing else below the head; a comparison of Reza et al. 2023
 * (arXiv:2310.03986), section 4.3. Blind to which modality is missing. The norm of the embeddings takes part where the backbone has a trainable
 * input layer (an imported ViLT), and stays frozen on the joined default, whose tokens are cached.
 */
import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { injectOwnWeights, noInput } from '../sites/own-weights.ts'
import { createTransformerNetwork } from '../transformer-network.ts'
import { type NormTuningConfig, normTuningConfigSchema } from './config.ts'

const embeddingNorms = new Set(['norm-gain', 'norm-offset'] as const)

export const normTuning: Method<NormTuningConfig> = {
  id: 'norm-tuning',
  configSchema: normTuningConfigSchema,
  startsUnchanged: true,
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }, config) => {
    const parameters = createParameterSet(compute.tf)
    const adapter = injectOwnWeights(compute, parameters, backbone, { linearWeights: false, linearBiases: false, normGains: true, normOffsets: true, input: config.embeddings ? embeddingNorms : noInput, rateFactor: 1 })
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

/**
 * Scale and shift of features, one set for each combination of present modalities (METHODS 2). Lian et al. 2022 (arXiv:2210.08823),
 * section 3; Reza et al. 2023 (arXiv:2310.03986), section 3.2: a base trained on complete data, then h' = gamma h + beta after every
 * linear layer and norm with everything else frozen, missing modalities as zeros, the set chosen by what is present.
 * The base is a trained copy of the whole network, as in the paper, or the backbone as it was loaded under a trained head (`base`).
 * Differences: on the embedded backbone the head alone is the default, for its hundredfold lower cost; the patch convolution carries no scale and
 * shift, because its outputs are cached.
 */
import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { combinationPhases } from '../sites/combinations.ts'
import { createTransformerNetwork } from '../transformer-network.ts'
import { type SsfConfig, ssfConfigSchema } from './config.ts'
import { injectSsf } from './inject.ts'

export const ssf: Method<SsfConfig> = {
  id: 'ssf',
  configSchema: ssfConfigSchema,
  startsUnchanged: true,
  phases: combinationPhases,
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }, config) => {
    const parameters = createParameterSet(compute.tf)
    const adapter = injectSsf(compute, parameters, backbone, config, modalities)
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

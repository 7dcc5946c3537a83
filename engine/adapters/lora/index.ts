/**
 * LoRA: low-rank updates y = W x + b + (alpha / R) B A x of chosen linear layers. Hu et al. 2021 (arXiv:2106.09685), sections 4.1 and 4.2;
 * by combination of present modalities as Reza et al. 2023 (arXiv:2310.03986), section 3.2, with the two stages and the base described at `ssf`.
 * A is uniform in +-1/sqrt(D) as in PEFT (the paper: Gaussian), B = 0; no dropout on its input.
 */
import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { combinationPhases } from '../sites/combinations.ts'
import { createTransformerNetwork } from '../transformer-network.ts'
import { type LoraConfig, loraConfigSchema } from './config.ts'
import { injectLora } from './inject.ts'

export const lora: Method<LoraConfig> = {
  id: 'lora',
  configSchema: loraConfigSchema,
  startsUnchanged: true,
  phases: (config, modalities) => (config.by === 'combination' ? combinationPhases(config, modalities) : null),
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }, config) => {
    const parameters = createParameterSet(compute.tf)
    const adapter = injectLora(compute, parameters, random, backbone, config, modalities)
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

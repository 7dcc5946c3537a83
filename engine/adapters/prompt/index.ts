/**
 * Missing-aware prompts. Lee et al. 2023 (arXiv:2303.03369), section 3.3: trained vectors for each combination of present modalities, at
 * input level in front of the tokens of blocks 0 to 5, or at attention level half in front of the keys and half in front of the values.
 * A combination that training never showed is answered by the backbone without prompts under the trained head, marked, or refused.
 * Differences: any number of modalities; the head is the pooler and classifier that all methods here share.
 */
import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { createTransformerNetwork } from '../transformer-network.ts'
import { type PromptConfig, promptConfigSchema } from './config.ts'
import { injectPrompts } from './inject.ts'

export const prompt: Method<PromptConfig> = {
  id: 'prompt',
  configSchema: promptConfigSchema,
  startsUnchanged: false,
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }, config) => {
    const parameters = createParameterSet(compute.tf)
    const adapter = injectPrompts(compute, parameters, random, backbone, config, modalities)
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { createTransformerNetwork } from '../transformer-network.ts'
import { type MoraConfig, moraConfigSchema } from './config.ts'
import { injectMora } from './inject.ts'

/** MoRA on a frozen backbone, with trained pooler and classifier (METHODS 1). */
export const mora: Method<MoraConfig> = {
  id: 'mora',
  configSchema: moraConfigSchema,
  startsUnchanged: true,
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }, config) => {
    const parameters = createParameterSet(compute.tf)
    const adapter = injectMora(compute, parameters, random, backbone, config, modalities)
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

/**
 * Head only: the joined frozen backbone with a trained pooler and classifier and no adapter; blind to which modality is missing.
 * The baseline that shows what MoRA's modality-aware updates add (METHODS 4).
 */
import { z } from 'zod'
import { createParameterSet } from '../../compute/parameters.ts'
import { createHead } from '../head.ts'
import type { Method } from '../method.ts'
import { createTransformerNetwork } from '../transformer-network.ts'

export const headOnlyConfigSchema = z.object({})
export type HeadOnlyConfig = z.infer<typeof headOnlyConfigSchema>

export const headOnly: Method<HeadOnlyConfig> = {
  id: 'head-only',
  configSchema: headOnlyConfigSchema,
  startsUnchanged: true,
  createNetwork: ({ compute, backbone, modalities, labelsCount, missingInput, random }) => {
    const parameters = createParameterSet(compute.tf)
    const head = createHead(compute, parameters, random, backbone.width, labelsCount, backbone.pooler)
    const adapter = { firstBlock: backbone.blocks.length, stages: [] }
    return createTransformerNetwork({ compute, backbone, parameters, adapter, head, modalities, missingInput })
  },
}

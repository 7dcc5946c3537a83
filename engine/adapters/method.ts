import type { Backbone } from '../backbones/backbone.ts'
import type { Compute } from '../compute/backend.ts'
import type { RandomSource } from '../compute/random-source.ts'
import type { z } from 'zod'
import type { ModalitySpec, Network } from './network.ts'

/** What a method needs to build its network; the backbone stays the caller's. */
export interface NetworkContext {
  compute: Compute
  backbone: Backbone
  modalities: readonly ModalitySpec[]
  labelsCount: number
  missingInput: 'dummy' | 'left-out'
  /** Draws the initial values of new tensors. */
  random: RandomSource
}

/** One entry of the list of methods: its name in run configurations, its settings and how to build it. */
export interface Method<Config> {
  readonly id: string
  /** Settings with defaults; the parsed value is stored with the run. */
  readonly configSchema: z.ZodType<Config>
  /** Whether logits at the start equal those of the unadapted backbone with the same head. */
  readonly startsUnchanged: boolean
  createNetwork(context: NetworkContext, config: Config): Network
}

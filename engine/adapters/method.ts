import type { Backbone } from '../backbones/backbone.ts'
import type { Compute } from '../compute/backend.ts'
import type { Parameter } from '../compute/parameters.ts'
import type { RandomSource } from '../compute/random-source.ts'
import type { z } from 'zod'
import type { ModalitySpec, Network } from './network.ts'

/**
 * How a missing modality enters: the paper's blank input (image of ones, empty text; METHODS 1), zeros (an image of zeros, empty text;
 * METHODS 2), or not at all.
 */
export type MissingInput = 'dummy' | 'zeros' | 'left-out'

/**
 * One stage of training; phases run in order on one network, each with its own optimiser (made after `Network.beginPhase`) and its own
 * warm-up and decay. Validation and early stopping see the validation studies under the same `shows`; the best epoch of a phase is
 * restored before the next one begins. A phase without studies is skipped and named in the run's notes.
 */
export interface Phase {
  /** Words for progress and the run's record: 'complete patients', 'image only'. */
  name: string
  /**
   * 'own-pattern': every study under its own training pattern, with the run's modality dropout. A number: exactly these modalities
   * (bit m = modality m), for every study that has at least them; what else it has is hidden, and no modality is dropped.
   */
  shows: 'own-pattern' | number
  /** Which tensors this phase trains. The others keep their values bit for bit and get neither gradient nor weight decay. */
  trains(parameter: Pick<Parameter, 'name' | 'group'>): boolean
  /** All other phases build on this one: without studies for it the run cannot begin, where other phases would be skipped. */
  isBase?: boolean
  /** Share of the run's epochs: the phase lasts max(1, round(share * epochs)). */
  epochsShare: number
}

/** What a method needs to build its network; the backbone stays the caller's. */
export interface NetworkContext {
  compute: Compute
  backbone: Backbone
  modalities: readonly ModalitySpec[]
  labelsCount: number
  missingInput: MissingInput
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
  /** The stages of training in order; absent or null: one stage, every study under its own pattern, every tensor trained. */
  phases?(config: Config, modalities: readonly ModalitySpec[]): readonly Phase[] | null
}

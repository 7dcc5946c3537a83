import type { Serving, Statistics } from './network.ts'
import type { TrainedInput } from './sites/trained-input.ts'
import type { TokenMap } from './sites/token-map.ts'
import type { Stage } from './stages/stage.ts'

/** Where a method puts its trained parts. */
export interface NetworkAdapter {
  /** Lowest block with trained parts; the block count when only the head is trained. */
  readonly firstBlock: number
  /** A trained input layer in place of the cached tokens; needs `firstBlock` 0. */
  readonly input?: TrainedInput | null
  /** Trained parts on the embedded tokens; needs `firstBlock` 0. */
  readonly embedding?: Stage | null
  /** From there to the last block, in order, with whatever stands in front of blocks. Empty when only the head is trained. */
  readonly stages: readonly Stage[]
  /** Takes the place of the backbone's final norm. */
  readonly finalNorm?: TokenMap | null
  /** Gradients of the blocks' own weights are formed; absent: no. */
  readonly trainsWeights?: boolean
  /** What a block keeps for the way back, in units of what a frozen one keeps; absent: 1. */
  readonly keptFactor?: number
  /** Numbers of the backbone that trained copies take the place of; absent: 0. */
  readonly replacedCount?: number
  /** Whose weights answer for a pattern; absent: always 'trained'. */
  serving?(presence: number): Serving
  /** The chain that answers where `serving` says 'base'; absent: the stages themselves know. */
  readonly fallback?: readonly Stage[]
  /** These patterns are in a training batch. */
  noteTrained?(patterns: readonly number[]): void
  readonly statistics?: Statistics
}

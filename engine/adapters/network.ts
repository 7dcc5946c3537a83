/**
 * What every method gives to training: trained tensors, a frozen prefix that can be cached on the host, and a forward pass with its
 * gradients. One interface for transformers with adapters and for plain probes, so that runs and comparisons treat them alike.
 */
import type { SamplePart } from '../backbones/backbone.ts'
import type { Gradients, HostValues, ParameterSet } from '../compute/parameters.ts'
import type { Tensor2D } from '../compute/tensorflow.ts'
import type { Modality } from '../domain/slots.ts'
import type { Phase } from './method.ts'

/** One input channel of a run, in the run's fixed order. A modality is present when at least one of its parts is. */
export interface ModalitySpec {
  /** As in the cohort: 'text', 'image', ...; part of checkpoint tensor names. */
  name: string
  kind: Modality
  /** Image or tabular slots that belong to it (0 right eye, 1 left eye, ...); empty for text. */
  slots: readonly number[]
}

/** A patient's present parts; what is absent is simply not in the list. Never empty. */
export type Sample = readonly SamplePart[]

/**
 * Everything about one sample and pattern that does not depend on trained tensors. Plain host arrays: keep in memory, write to disk or
 * recompute at will. Valid for one network configuration only (backbone hash, method, blocks, missing-input setting).
 */
export interface PrefixEntry {
  /** Bit m set: modality m is present. */
  presence: number
  tokens: number
  /** Modality index of each token, 255 for stand-ins; empty for probes. */
  segments: Uint8Array
  /** [tokens, width] row-major: the input of the first block with trained parts, or the feature vector of a probe. */
  x: Float32Array
  /** Frozen output of that block on x (METHODS 1), or null to compute it in every step. */
  blockOutput: Float32Array | null
  /** Where the input layer is trained: the parts themselves, stand-ins included, in place of x, which is empty then. */
  source?: readonly SamplePart[]
}

export interface ForwardPass {
  /** [B, C]; belongs to the caller. */
  logits: Tensor2D
  /** dL/dlogits [B, C] -> gradients of all trained tensors; null in passes made with `keep` false. Runs once; frees what was kept. */
  backward: ((dLogits: Tensor2D) => Gradients) | null
}

/**
 * 'trained': weights that were trained for this combination of modalities, or weights shared by all. 'base': the combination was never
 * trained and the base network answers instead, which every prediction must say. 'refused': it was never trained and the run refuses it.
 */
export type Serving = 'trained' | 'base' | 'refused'

/**
 * Numbers counted on the training samples of a fold, such as means: not trained, but part of the model, so they travel with the trained
 * tensors under names that begin with `statistics.`.
 */
export interface Statistics {
  /** Counts anew; `entries` are the fold's training samples under their own patterns. */
  fit(entries: readonly PrefixEntry[]): void
  exportValues(): Record<string, HostValues>
  /** Throws CHECKPOINT_MISMATCH when a number is missing. */
  importValues(stored: Record<string, HostValues>): void
}

/** What decides memory and time of a training step besides the sizes of model and batch. */
export interface NetworkLoad {
  /** Lowest block that is computed in every step; the block count when only a head is. */
  firstBlock: number
  /** Whether that block's frozen output can come from the cache. */
  cachesBlockOutput: boolean
  /** Trained parts stand inside blocks, so the lowest one takes part in the way back too. */
  trainsInside: boolean
  /** How many blocks have trained parts inside and are computed whole with everything trained; 0 where any of them is composed of single operations. */
  wholeBlocks: number
  /** Gradients of the blocks' own weights are formed, which costs as much as one more forward pass. */
  trainsWeights: boolean
  /** What a composed block keeps for the way back in units of what a frozen one keeps. */
  keptFactor: number
}

export interface Network {
  readonly parameters: ParameterSet
  /** Frozen parameters in use, for the share that is trained. */
  readonly frozenParameterCount: number
  /**
   * Frozen prefix of each sample. `withBlockOutput` also computes the frozen block under the first adapter.
   * Throws TRAINING_INPUT_EMPTY for a sample without parts.
   */
  computePrefix(samples: readonly Sample[], withBlockOutput: boolean): PrefixEntry[]
  forward(batch: readonly PrefixEntry[], keep: boolean): ForwardPass
  /**
   * Names what `computePrefix` depends on besides the sample and the backbone (method family, missing input, modalities); networks with
   * equal keys give equal entries, so a later run may use them again. Absent: entries belong to this network alone.
   */
  readonly prefixKey?: string | undefined
  readonly statistics?: Statistics | undefined
  /** For the estimate before a run. Absent: nothing below a probe or head is computed in a step. */
  readonly load?: NetworkLoad | undefined
  /**
   * Sets which tensors are trained from now on (`Parameter.isTrained`); null trains all of them. Gradients come for trained tensors only.
   * Absent: the method has one phase.
   */
  beginPhase?(phase: Phase | null): void
  /** Whose weights answer for a presence pattern (bits). Absent: always 'trained'. */
  serving?(presence: number): Serving
  /** Frees trained tensors; the backbone belongs to the caller. */
  dispose(): void
}

/** Presence bits of a sample. */
export function presenceOf(sample: Sample): number {
  return sample.reduce((bits, part) => bits | (1 << part.modality), 0)
}

/** The sample as it would be with only the modalities of `pattern` (bits) present; null when nothing remains. */
export function restrictSample(sample: Sample, pattern: number): Sample | null {
  const kept = sample.filter((part) => (pattern >> part.modality) & 1)
  return kept.length === 0 ? null : kept
}

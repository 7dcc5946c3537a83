/**
 * Settings of the methods beside MoRA, each with its default and the default's source. A run stores the parsed values; the methods'
 * own folders read them from here.
 */
import { z } from 'zod'
import { embeddedBackboneId } from './backbones.ts'

/** `zeros`: an image of zeros and an empty text; `dummy`: an image of ones and an empty text; `left-out`: its tokens are not in the sequence. */
const missingEnters = z.enum(['dummy', 'zeros', 'left-out'])

/** Learning rate of a method's own tensors (not of the head) in units of the run's. Ours: 1, one rate for all, as the papers. */
const adapterRate = z.number().positive().max(100).default(1)

/**
 * What the first of two stages trains: the whole network as the paper, or the head on the backbone as it was loaded. `auto`: the whole
 * network, but only the head on the embedded backbone, where frozen features make an epoch take about a second instead of minutes (DECISIONS.md).
 */
const baseChoiceSchema = z.enum(['auto', 'network', 'head'])
export type BaseChoice = z.infer<typeof baseChoiceSchema>

/** Settings of methods that keep one set of trained tensors for each combination of present modalities (Reza et al. 2023, arXiv:2310.03986). */
const combinationFields = {
  /**
   * `two-stage` (Reza et al., section 3): a base on complete patients, then, frozen, one set for each other combination.
   * `joint`: all sets, the complete one included, and the head are trained together.
   */
  training: z.enum(['two-stage', 'joint']).default('two-stage'),
  /** Share of the epochs that train the base; each combination gets an equal part of the rest. Ours: the paper trains to convergence. */
  baseShare: z.number().min(0.1).max(0.9).default(0.5),
  /** What the base stage trains (Reza et al., section 3.1: the whole network). */
  base: baseChoiceSchema.default('auto'),
  /** Learning rate of the base network's copy of the backbone in units of the run's; as `full.backboneRate`. */
  baseRate: z.number().positive().max(1).default(0.03),
  /** Train the head again with every combination. The paper keeps it frozen (section 3.2). */
  trainHead: z.boolean().default(false),
  /** Who answers for a combination that was never trained: the base network, marked in the result, or nobody. */
  untrained: z.enum(['base', 'refuse']).default('base'),
  /** Reza et al., section 4.1: missing modalities are set to zero. */
  missingEnters: missingEnters.default('zeros'),
  adapterRate,
}

/** Whether the base stage trains a copy of the whole network. Joint training has no base stage. */
export function trainsBaseNetwork({ training, base }: { training: 'two-stage' | 'joint'; base: BaseChoice }, backboneId: string): boolean {
  return training === 'two-stage' && (base === 'network' || (base === 'auto' && backboneId !== embeddedBackboneId))
}

/** Whether training goes through stages, each with epochs of its own; the run's `epochs` is then not how many there are in all. */
export function trainsInStages({ adapter, ssf, lora }: { adapter: string; ssf: { training: 'two-stage' | 'joint' }; lora: { training: 'two-stage' | 'joint'; by: 'all' | 'combination' } }): boolean {
  if (adapter === 'ssf') return ssf.training === 'two-stage'
  if (adapter === 'lora') return lora.by === 'combination' && lora.training === 'two-stage'
  return adapter === 'late-fusion' || adapter === 'dedicated'
}

/** Scale and shift. Lian et al. 2022 (arXiv:2210.08823), by combination as Reza et al. 2023 (arXiv:2310.03986). */
export const ssfSettingsSchema = z.object({
  ...combinationFields,
  /** `all`: after every linear layer and norm, the norm of the embeddings included; `encoder`: without that one. */
  sites: z.enum(['all', 'encoder']).default('all'),
})
export type SsfSettings = z.infer<typeof ssfSettingsSchema>

export const loraTargetSchema = z.enum(['query', 'key', 'value', 'output', 'expand', 'contract'])

/** Low-rank updates of linear layers. Hu et al. 2021 (arXiv:2106.09685). */
export const loraSettingsSchema = z.object({
  ...combinationFields,
  /** `all`: one update for everybody (Hu et al.); `combination`: one for each combination of present modalities (Reza et al.). */
  by: z.enum(['all', 'combination']).default('all'),
  /** Rank R (Hu et al., table 6: 4 suffices for query and value). */
  rank: z.number().int().min(1).max(256).default(4),
  /** The update counts alpha / R (section 4.1). */
  alpha: z.number().positive().max(1024).default(8),
  /** Which linear layers (section 4.2: query and value). */
  targets: z.array(loraTargetSchema).min(1).default(['query', 'value']),
})
export type LoraSettings = z.infer<typeof loraSettingsSchema>

/** Missing-aware prompts. Lee et al. 2023 (arXiv:2303.03369). */
export const promptSettingsSchema = z.object({
  /** `input`: in front of the tokens of each chosen block; `attention`: half in front of the keys, half in front of the values (section 3.3). */
  level: z.enum(['input', 'attention']).default('input'),
  /** Vectors in each prompted block (section 4.1: 16); even at attention level. */
  length: z.number().int().min(1).max(128).default(16),
  /** Prompted blocks (section 4.1: 0 to 5); those beyond the backbone's last are left out. */
  blocks: z.array(z.number().int().min(0).max(47)).min(1).default([0, 1, 2, 3, 4, 5]),
  /** Who answers for a combination without a training sample: the backbone without prompts under the trained head, marked in the result, or nobody. */
  untrained: z.enum(['base', 'refuse']).default('base'),
  missingEnters: missingEnters.default('dummy'),
  adapterRate,
}).refine(({ level, length }) => level === 'input' || length % 2 === 0, 'The prompt length must be even at attention level.')
export type PromptSettings = z.infer<typeof promptSettingsSchema>

/**
 * Train the tensors of the input layer too, where the backbone has a trainable one (an imported ViLT). Then tokens are computed from words and
 * pixels in every step instead of once. The joined default backbone has none: its image encoder runs once for each image.
 */
const trainsEmbeddings = z.boolean().default(true)

/** Methods that train a few of the backbone's own tensors: all biases (BitFit, arXiv:2106.10199), or all layer norms. */
export const ownWeightsSettingsSchema = z.object({
  missingEnters: missingEnters.default('dummy'),
  embeddings: trainsEmbeddings,
  adapterRate,
})
export type OwnWeightsSettings = z.infer<typeof ownWeightsSettingsSchema>

/** Late fusion of uni-modal models, UME-MMA. Li et al. 2023 (arXiv:2310.06383); its augmentation chance p is the run's modality dropout. */
export const lateFusionSettingsSchema = z.object({
  /** `concat`: one linear head over the joined features (section 4.2); `logit-sum`: the uni-modal heads' logits added. */
  head: z.enum(['concat', 'logit-sum']).default('concat'),
  /** What stands in place of a missing modality: zeros or a learned vector as its features; the training mean or the blank input before its encoder. */
  substitute: z.enum(['zeros', 'mean', 'learned', 'blank']).default('zeros'),
  /** Width of each modality's projected features. Ours: small, for cohorts of hundreds. */
  width: z.number().int().min(8).max(1024).default(128),
  /** Epochs of each uni-modal phase as a share of the run's; fusion has them all. */
  unimodalShare: z.number().min(0.05).max(1).default(1),
})
export type LateFusionSettings = z.infer<typeof lateFusionSettingsSchema>

/** One model for each combination of modalities: the best that can be had of each alone, and what the others are measured against (METHODS 3 and 4). */
export const dedicatedSettingsSchema = z.object({
  /** Who answers for a combination too rare to be trained: the model of its largest trained part, marked in the result, or nobody. */
  untrained: z.enum(['base', 'refuse']).default('base'),
})
export type DedicatedSettings = z.infer<typeof dedicatedSettingsSchema>

/** Full fine-tuning: the transformer blocks, and the embeddings where the backbone has a trainable input layer. */
export const fullSettingsSchema = z.object({
  missingEnters: missingEnters.default('dummy'),
  embeddings: trainsEmbeddings,
  /** Learning rate of the backbone's own weights in units of the run's: 0.03 of 1e-3 is 3e-5 (Devlin et al. 2019, arXiv:1810.04805, appendix A.3). */
  backboneRate: z.number().positive().max(1).default(0.03),
})
export type FullSettings = z.infer<typeof fullSettingsSchema>

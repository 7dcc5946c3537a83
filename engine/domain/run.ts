import { z } from 'zod'
import { missingnessDescriptionSchema, missingnessSettingsSchema } from './missingness.ts'
import { dedicatedSettingsSchema, fullSettingsSchema, lateFusionSettingsSchema, loraSettingsSchema, ownWeightsSettingsSchema, promptSettingsSchema, ssfSettingsSchema } from './method-settings.ts'

export const adapterSchema = z.enum(['mora', 'ssf', 'lora', 'prompt', 'bitfit', 'norm-tuning', 'full', 'head-only', 'late-fusion', 'dedicated', 'zero-fill', 'mean-fill', 'missingness-only', 'text-only'])
export type AdapterName = z.infer<typeof adapterSchema>

/** The embedded default, the id of an imported backbone, or a text and an image encoder joined by "+" (see domain/backbones.ts). */
export const backboneIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}(\+[a-z0-9][a-z0-9-]{0,63})?$/)
export type BackboneId = z.infer<typeof backboneIdSchema>

/** Simulated missingness on top of the natural one. Rates are shares of samples that lose exactly that modality; their sum is at most 1, "all missing" never occurs. */
export const missingnessSchema = z.object({
  image: z.number().min(0).max(1).default(0),
  text: z.number().min(0).max(1).default(0),
}).refine((rates) => rates.image + rates.text <= 1, 'The rates add up to more than 1.')
export type Missingness = z.infer<typeof missingnessSchema>

/** MoRA settings. Shi et al. 2024, arXiv:2408.09064, section 3: rank 4 on the first block; the ablation uses the first three. */
export const moraConfigSchema = z.object({
  rank: z.number().int().min(1).max(64).default(4),
  blocks: z.array(z.number().int().min(0).max(47)).min(1).default([0]),
  /** `block`: beside the whole block, as the paper; `attention`: beside its attention, which costs the cache of the frozen block. */
  beside: z.enum(['block', 'attention']).default('block'),
  /** `dummy`: a missing modality enters as the paper's blank input; `left-out`: its tokens are not in the sequence. */
  missingEnters: z.enum(['dummy', 'left-out']).default('left-out'),
  /** `kind`: one up-projection for all images and one for all texts; `slot`: one for each eye, view or note. */
  modalitiesBy: z.enum(['kind', 'slot']).default('kind'),
  /** Learning rate of A and every B_m in units of the run's; the paper has one rate. */
  adapterRate: z.number().positive().max(100).default(1),
})
export type MoraConfig = z.infer<typeof moraConfigSchema>

const splitSettingsSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('holdout'), train: z.number().default(0.6), val: z.number().default(0.2), test: z.number().default(0.2) })
    .refine((shares) => Math.abs(shares.train + shares.val + shares.test - 1) < 1e-6, 'Shares must add up to 1.'),
  z.object({ kind: z.literal('k-fold'), folds: z.number().int().min(2).max(20).default(5) }),
])
export type SplitSettings = z.infer<typeof splitSettingsSchema>

/** One configuration of a run; every default is filled in before it is stored. */
export const runConfigSchema = z.object({
  cohortId: z.number().int(),
  name: z.string().min(1).max(120).default('Untitled run'),
  adapter: adapterSchema.default('mora'),
  backbone: backboneIdSchema.default('mmbt-minilm-resnet50'),
  slotIds: z.array(z.string()).min(1).max(8),
  labelIds: z.array(z.number().int()).min(1).max(200),
  task: z.enum(['multi-label', 'multi-class']).default('multi-label'),
  split: splitSettingsSchema.default({ kind: 'holdout', train: 0.6, val: 0.2, test: 0.2 }),
  seed: z.number().int().min(0).max(2 ** 31 - 1).default(1),
  mora: moraConfigSchema.default(moraConfigSchema.parse({})),
  ssf: ssfSettingsSchema.default(ssfSettingsSchema.parse({})),
  lora: loraSettingsSchema.default(loraSettingsSchema.parse({})),
  prompt: promptSettingsSchema.default(promptSettingsSchema.parse({})),
  bitfit: ownWeightsSettingsSchema.default(ownWeightsSettingsSchema.parse({})),
  'norm-tuning': ownWeightsSettingsSchema.default(ownWeightsSettingsSchema.parse({})),
  'late-fusion': lateFusionSettingsSchema.default(lateFusionSettingsSchema.parse({})),
  dedicated: dedicatedSettingsSchema.default(dedicatedSettingsSchema.parse({})),
  full: fullSettingsSchema.default(fullSettingsSchema.parse({})),
  /** Paper: 20 epochs. */
  epochs: z.number().int().min(1).max(500).default(20),
  batchSize: z.number().int().min(1).max(256).default(16),
  learningRate: z.number().positive().max(1).default(1e-3),
  /** Paper: AdamW, weight decay 2e-2, warm-up over 10 % of the steps, then linear decay. */
  weightDecay: z.number().min(0).max(1).default(2e-2),
  warmUpShare: z.number().min(0).max(0.9).default(0.1),
  classWeighting: z.enum(['none', 'balanced']).default('none'),
  /** Epochs without a better validation macro-AUROC (loss where that is not estimable) before stopping; 0 = never stop early. */
  patience: z.number().int().min(0).max(100).default(6),
  /** Per-label decision threshold: 0.5, or the one with the best F1 on the validation patients. */
  threshold: z.enum(['fixed-0.5', 'validation-f1']).default('validation-f1'),
  /** Simulated missingness while training (train and val patients), on top of what is really missing. */
  trainMissingness: missingnessSchema.default({ image: 0, text: 0 }),
  /** Simulated tables for each side of the split, in place of `trainMissingness`; null: those rates, and test patients as they are. */
  missingness: missingnessSettingsSchema.nullable().default(null),
  /**
   * Modality dropout: chance that a training sample with images and text is shown with only one of them, drawn anew in every epoch.
   * Prepares the model for every what-if pattern, not only for those that happen to occur (METHODS 3 and 4; 0 = as the MoRA paper).
   */
  modalityDropout: z.number().min(0).max(0.9).default(0.3),
  /** `complete`: train on patients with every chosen item only, the habit that makes models fail quietly on the rest. */
  trainOn: z.enum(['all', 'complete']).default('all'),
  maxTextTokens: z.number().int().min(8).max(512).default(64),
  /**
   * What frozen blocks keep between the two passes of a step, where the fused kernels compute them. `speed`: all values; `least`: their inputs
   * alone, the rest computed again; `automatic`: all values, or every third block's where they would take more than 128 MB. Where memory is
   * short less is kept in any case, and the run says so.
   */
  memory: z.enum(['automatic', 'speed', 'least']).default('automatic'),
})
export type RunConfig = z.infer<typeof runConfigSchema>
export type RunConfigInput = z.input<typeof runConfigSchema>

export const runStatusSchema = z.enum(['queued', 'running', 'paused', 'finished', 'failed', 'cancelled'])
export type RunStatus = z.infer<typeof runStatusSchema>

export const splitSchema = z.enum(['train', 'val', 'test'])
export type Split = z.infer<typeof splitSchema>

/** Which backend computes and why; shown on the first screen and kept with every run. */
export const deviceVerdictSchema = z.object({
  backend: z.enum(['cuda', 'webgpu', 'cpu', 'wasm', 'none']),
  device: z.string(),
  reason: z.string(),
  remedy: z.string().nullable(),
})
export type DeviceVerdict = z.infer<typeof deviceVerdictSchema>

/** One epoch of one fold. Losses are means over samples; `valMacroAuroc` is null when no label is estimable. */
export const epochSchema = z.object({
  fold: z.number().int(),
  epoch: z.number().int(),
  trainLoss: z.number(),
  valLoss: z.number().nullable(),
  valMacroAuroc: z.number().nullable(),
  learningRate: z.number(),
  elapsedMs: z.number(),
  isBest: z.boolean(),
})
export type Epoch = z.infer<typeof epochSchema>

/** Proof, kept with the run, that no patient stands on two sides of a split. */
export const splitProofSchema = z.object({
  splitHash: z.string(),
  folds: z.array(z.object({ fold: z.number().int(), train: z.number().int(), val: z.number().int(), test: z.number().int(), patientsOnTwoSides: z.literal(0) })),
  patientCount: z.number().int(),
  studyCount: z.number().int(),
})
export type SplitProof = z.infer<typeof splitProofSchema>

export const runEstimateSchema = z.object({
  trainedParameters: z.number().int(),
  totalParameters: z.number().int(),
  /** What each phase of training trains, where the method has several. */
  phases: z.array(z.object({ name: z.string(), trainedParameters: z.number().int() })).optional(),
  estimatedSeconds: z.number(),
  estimatedBytes: z.number(),
  availableBytes: z.number(),
  studyCount: z.number().int(),
  excludedStudyCount: z.number().int(),
  verdict: deviceVerdictSchema,
  warnings: z.array(z.string()),
  /** What training, validation and test studies would be shown with. */
  missingness: z.array(missingnessDescriptionSchema).optional(),
})
export type RunEstimate = z.infer<typeof runEstimateSchema>

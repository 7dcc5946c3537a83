import { z } from 'zod'
import { modalitySchema } from './slots.ts'

/**
 * Simulated missingness on top of the natural one, after Rubin 1976 (doi:10.1093/biomet/63.3.581): completely at random (MCAR), depending on
 * something observed (MAR), depending on the label or on the lost value itself (MNAR); correlated between modalities; by modality or by slot
 * (one eye). Everything is drawn from a seed, study by study, and never leaves a study with nothing.
 */

/** What is lost: every slot of one modality, or one slot. */
export const lossTargetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('modality'), modality: modalitySchema }),
  z.object({ kind: z.literal('slot'), slotId: z.string() }),
])
export type LossTarget = z.infer<typeof lossTargetSchema>

/** What the chance of a loss depends on. `word-count` is the length of the lost text; `column` a column of a tabular slot (a site, a blood pressure). */
export const lossDriverSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('age') }),
  z.object({ kind: z.literal('sex') }),
  z.object({ kind: z.literal('column'), slotId: z.string(), column: z.string() }),
  z.object({ kind: z.literal('label'), labelId: z.number().int() }),
  z.object({ kind: z.literal('word-count') }),
])
export type LossDriver = z.infer<typeof lossDriverSchema>

/** A column of a tabular slot, as a loss may depend on it. */
export const tabularColumnSchema = z.object({ slotId: z.string(), column: z.string() })
export type TabularColumn = z.infer<typeof tabularColumnSchema>

const strengthSchema = z.number().min(-10).max(10)

export const lossMechanismSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('mcar') }),
  /** Log-odds of the loss rise by `strength` for each standard deviation of the driver (for a category: where it is the one most often seen). */
  z.object({ kind: z.literal('mar'), driver: lossDriverSchema, strength: strengthSchema }),
  z.object({ kind: z.literal('mnar'), driver: lossDriverSchema, strength: strengthSchema }),
])
export type LossMechanism = z.infer<typeof lossMechanismSchema>

export const lossSchema = z.object({
  target: lossTargetSchema,
  /** Wanted share of the studies that have the target and lose it. */
  rate: z.number().min(0).max(1),
  mechanism: lossMechanismSchema.default({ kind: 'mcar' }),
})
export type Loss = z.infer<typeof lossSchema>

/** The losses of one side of a split. */
export const missingnessTableSchema = z.object({
  losses: z.array(lossSchema).max(16).default([]),
  /** Correlation of the hidden tendencies to lose one target and another (Gaussian copula); negative only between two. */
  correlation: z.number().min(-1).max(1).default(0),
  /** A study loses one target at most, each at its rate, which then add up to at most 1: MoRA's "both" setting. Not together with `correlation`. */
  exclusive: z.boolean().default(false),
  seed: z.number().int().min(0).max(2 ** 31 - 1).default(1),
}).superRefine((table, context) => {
  if (table.exclusive && table.losses.reduce((sum, loss) => sum + loss.rate, 0) > 1 + 1e-9) context.addIssue({ code: 'custom', message: 'The rates add up to more than 1.' })
  if (table.exclusive && table.correlation !== 0) context.addIssue({ code: 'custom', message: 'Losses that exclude each other cannot be correlated as well.' })
  if (table.correlation < 0 && table.losses.length > 2) context.addIssue({ code: 'custom', message: 'Only two losses can be negatively correlated.' })
})
export type MissingnessTable = z.infer<typeof missingnessTableSchema>

/** Separate for each side: what is trained on, what chooses the epoch and thresholds, what is tested on. */
export const missingnessSettingsSchema = z.object({
  train: missingnessTableSchema.default(missingnessTableSchema.parse({})),
  val: missingnessTableSchema.default(missingnessTableSchema.parse({})),
  test: missingnessTableSchema.default(missingnessTableSchema.parse({})),
})
export type MissingnessSettings = z.infer<typeof missingnessSettingsSchema>

/** One side in words and counts, told before a run starts and kept with it. */
export const missingnessDescriptionSchema = z.object({
  side: z.enum(['train', 'val', 'test']),
  sentences: z.array(z.string()),
  patterns: z.array(z.object({ pattern: z.string(), title: z.string(), natural: z.number().int(), shown: z.number().int() })),
})
export type MissingnessDescription = z.infer<typeof missingnessDescriptionSchema>

/** The tables of a run as stored: `shown[side][i]` indexes `patterns` for study i in import order. */
export const storedMissingnessSchema = z.object({
  /** SHA-256 over cohort hash, split hash and every study's pattern on every side. */
  hash: z.string(),
  patterns: z.array(z.string()),
  shown: z.object({ train: z.array(z.number().int()), val: z.array(z.number().int()), test: z.array(z.number().int()) }),
  descriptions: z.array(missingnessDescriptionSchema),
})
export type StoredMissingness = z.infer<typeof storedMissingnessSchema>

import { z } from 'zod'
import { degradationSchema } from './degradation.ts'

/** A metric with what it was counted over. `value` null = not estimable, for the given reason. */
export const estimateSchema = z.object({ value: z.number().nullable(), reason: z.string().nullable() })
export type MetricEstimate = z.infer<typeof estimateSchema>

export const labelMetricsSchema = z.object({
  labelId: z.number().int(),
  labelName: z.string(),
  positives: z.number().int(),
  negatives: z.number().int(),
  f1: estimateSchema,
  auroc: estimateSchema,
  auprc: estimateSchema,
  threshold: z.number().nullable(),
})
export type LabelMetrics = z.infer<typeof labelMetricsSchema>

/** Mean and sample standard deviation over the folds in which the metric is estimable; `folds` counts them. */
export const foldMeanSchema = z.object({ mean: z.number().nullable(), sd: z.number().nullable(), folds: z.number().int() })
export type FoldMean = z.infer<typeof foldMeanSchema>

/** Each fold of a cross-validation measured by itself. */
export const foldMeansSchema = z.object({ macroF1: foldMeanSchema, macroAuroc: foldMeanSchema, macroAuprc: foldMeanSchema })
export type FoldMeans = z.infer<typeof foldMeansSchema>

/** One row of the results table: all test patients, or those of one presence pattern. Means leave out what is not estimable and count the rest. */
export const metricsRowSchema = z.object({
  pattern: z.string().nullable(),
  patternTitle: z.string(),
  studyCount: z.number().int(),
  patientCount: z.number().int(),
  macroF1: estimateSchema,
  macroAuroc: estimateSchema,
  macroAuprc: estimateSchema,
  estimableLabels: z.number().int(),
  /** Studies left out of every number because their one class is none of the chosen ones (multi-class); absent for none. */
  otherClassCount: z.number().int().optional(),
  labels: z.array(labelMetricsSchema),
  /** Usable information about the labels in bits, mean over the estimable ones: H(Y) - crossEntropy(Y | X_S). */
  informationBits: estimateSchema.optional(),
  /** Runs of several folds only. */
  folds: foldMeansSchema.optional(),
  /** Predictions of the row by who answered; a row with any but `trained` needs a warning. Absent for runs of 0.1. */
  servedBy: z.object({ trained: z.number().int(), extrapolated: z.number().int(), base: z.number().int() }).optional(),
})
export type MetricsRow = z.infer<typeof metricsRowSchema>

/**
 * Usable information under one presence pattern, over the test patients who have at least that, shown exactly that; beside it what the
 * dedicated model of that pattern reaches on the same patients (METHODS 3), where such a run of the same split exists.
 */
export const patternInformationSchema = z.object({
  pattern: z.string(),
  patternTitle: z.string(),
  studyCount: z.number().int(),
  bits: estimateSchema,
  dedicatedBits: estimateSchema.nullable(),
  /** Dedicated minus this run: what is lost by being one model for all patterns; null without a dedicated run. */
  gapBits: z.number().nullable(),
})
export type PatternInformation = z.infer<typeof patternInformationSchema>

/** Results of a run on its test patients under one missingness setting. */
export const runResultsSchema = z.object({
  runId: z.number().int(),
  setting: z.string(),
  overall: metricsRowSchema,
  byPattern: z.array(metricsRowSchema),
  /** What makes these numbers mean less than they seem to, in plain words; shown above them. */
  alarms: z.array(z.string()).optional(),
  information: z.array(patternInformationSchema).optional(),
})
export type RunResults = z.infer<typeof runResultsSchema>

/** Results of a run on worse images or shorter texts, as stored. */
export const degradedResultsSchema = z.object({ degradation: degradationSchema, results: runResultsSchema, createdAt: z.string() })
export type DegradedResults = z.infer<typeof degradedResultsSchema>

/** A bootstrap interval; both ends null = not estimable, for the given reason. */
export const intervalSchema = z.object({ lower: z.number().nullable(), upper: z.number().nullable(), reason: z.string().nullable() })
export type Interval = z.infer<typeof intervalSchema>

/** Intervals of one row of the results table, in the order of its labels. */
export const rowIntervalsSchema = z.object({
  pattern: z.string().nullable(),
  macroF1: intervalSchema,
  macroAuroc: intervalSchema,
  macroAuprc: intervalSchema,
  labels: z.array(z.object({ labelId: z.number().int(), f1: intervalSchema, auroc: intervalSchema, auprc: intervalSchema })),
})
export type RowIntervals = z.infer<typeof rowIntervalsSchema>

/** Percentile bootstrap over patients for every number of a results table. */
export const resultIntervalsSchema = z.object({
  runId: z.number().int(),
  setting: z.string(),
  level: z.number(),
  resampleCount: z.number().int(),
  seed: z.number().int(),
  rows: z.array(rowIntervalsSchema),
})
export type ResultIntervals = z.infer<typeof resultIntervalsSchema>

/** Which items the test patients are shown with: as they are, a simulated loss, or one modality only. */
export const testSettingSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('actual') }),
  z.object({ kind: z.literal('only'), modality: z.enum(['image', 'text']) }),
  z.object({ kind: z.literal('simulated'), image: z.number().min(0).max(1), text: z.number().min(0).max(1), seed: z.number().int().default(1) }),
  /** The run's own test table. */
  z.object({ kind: z.literal('table') }),
  /** Every test patient who has at least these slots, shown exactly these. */
  z.object({ kind: z.literal('pattern'), pattern: z.string().min(1) }),
])
export type TestSetting = z.infer<typeof testSettingSchema>

/** One prediction: per label logit, probability and threshold, under a named presence pattern. */
export const predictionSchema = z.object({
  studyId: z.number().int(),
  pattern: z.string(),
  isActual: z.boolean(),
  labelId: z.number().int(),
  logit: z.number(),
  probability: z.number().min(0).max(1),
  threshold: z.number().min(0).max(1),
})
export type Prediction = z.infer<typeof predictionSchema>

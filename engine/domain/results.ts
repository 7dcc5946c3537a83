import { z } from 'zod'

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
  labels: z.array(labelMetricsSchema),
})
export type MetricsRow = z.infer<typeof metricsRowSchema>

/** Results of a run on its test patients under one missingness setting. */
export const runResultsSchema = z.object({
  runId: z.number().int(),
  setting: z.string(),
  overall: metricsRowSchema,
  byPattern: z.array(metricsRowSchema),
})
export type RunResults = z.infer<typeof runResultsSchema>

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

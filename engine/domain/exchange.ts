import { z } from 'zod'
import { importCheckSchema, rejectedRowSchema } from './import.ts'
import { deviceVerdictSchema, splitSchema } from './run.ts'
import { slotSchema } from './slots.ts'

/** What travels between the engine and the store: produced on one side of the process border, kept or read on the other. */

const float32 = z.custom<Float32Array>((value) => value instanceof Float32Array, 'Expected a Float32Array')

/** One study as training sees it: files by absolute path, labels 1/0/NaN (unknown) in run label order. */
export const trainingStudySchema = z.object({
  studyId: z.number().int(),
  patientId: z.number().int(),
  items: z.array(z.object({ slotId: z.string(), path: z.string().nullable(), sha256: z.string(), text: z.string().nullable(), frame: z.number().int().min(0).optional() })),
  labels: float32,
})
export type TrainingStudy = z.infer<typeof trainingStudySchema>

/**
 * What answered for a pattern: parameters that saw it in training; shared parameters that did not ("extrapolated"); or the base network,
 * because the method has own parameters for each combination and this one was never trained.
 */
export const servedBySchema = z.enum(['trained', 'extrapolated', 'base'])
export type ServedBy = z.infer<typeof servedBySchema>

/** A block of predictions: `logits[r * C + c]` for study `studyIds[r]` under `patterns[r]`. */
export const predictionBlockSchema = z.object({
  fold: z.number().int(),
  split: splitSchema,
  studyIds: z.array(z.number().int()),
  patterns: z.array(z.string()),
  isActual: z.array(z.boolean()),
  /** Absent: all trained. */
  servedBy: z.array(servedBySchema).optional(),
  logits: float32,
  probabilities: float32,
  /** One threshold for each label, 0..1. */
  thresholds: float32,
})
export type PredictionBlock = z.infer<typeof predictionBlockSchema>

export const checkpointInfoSchema = z.object({ fold: z.number().int(), kind: z.enum(['best', 'final']), epoch: z.number().int(), path: z.string(), sha256: z.string() })
export type CheckpointInfo = z.infer<typeof checkpointInfoSchema>

export const trainingSummarySchema = z.object({
  outcome: z.enum(['finished', 'stopped-by-user', 'cancelled']),
  verdict: deviceVerdictSchema,
  weightsHash: z.string(),
  trainedParameters: z.number().int(),
  totalParameters: z.number().int(),
  peakBytes: z.number(),
  elapsedMs: z.number(),
  notes: z.array(z.string()),
})
export type TrainingSummary = z.infer<typeof trainingSummarySchema>

/** What an import needs to know once, before its first batch. */
export const importStartSchema = z.object({
  tableSha256: z.string(),
  rowsIn: z.number().int(),
  studyCount: z.number().int(),
  slots: z.array(slotSchema),
  labelNames: z.array(z.string()),
  /** Those of `labelNames` that were made from reports, with the items they were read from. */
  derivedLabels: z.array(z.object({ name: z.string(), slotIds: z.array(z.string()) })).optional(),
  task: z.enum(['multi-label', 'multi-class']),
  /** Rows refused while rows were grouped into studies (blank or conflicting IDs, exact repeats). */
  rejectedRows: z.array(rejectedRowSchema),
  labelWords: importCheckSchema.shape.labelWords,
})
export type ImportStart = z.infer<typeof importStartSchema>

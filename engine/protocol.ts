import { z } from 'zod'
import { backboneCheckSchema, backboneLocationSchema, importedBackboneSchema } from './domain/backbones.ts'
import { errorOutcomeSchema, importCheckSchema, importedStudySchema, previewRowSchema, tableInspectionSchema } from './domain/import.ts'
import { originalsFolderSchema, originalsRequestSchema } from './domain/deliveries.ts'
import { degradationSchema } from './domain/degradation.ts'
import { imageMeasuresSchema } from './domain/image-measures.ts'
import { imageFactsSchema, imageWindowSchema } from './domain/image-facts.ts'
import { textSignsSchema } from './domain/text-signs.ts'
import { importSourceSchema, mappingSchema, tableJoinSchema } from './domain/mapping.ts'
import { checkpointInfoSchema, importStartSchema, predictionBlockSchema, trainingStudySchema, trainingSummarySchema } from './domain/exchange.ts'
import { derivedPreviewSchema } from './domain/report-labels.ts'
import { deviceVerdictSchema, epochSchema, runConfigSchema, runEstimateSchema, splitSchema } from './domain/run.ts'
import { mappedValuesSchema } from './domain/saved-mappings.ts'
import { privacyTrialSchema } from './domain/privacy.ts'
import { slotSchema } from './domain/slots.ts'

/**
 * Messages between the engine host and the engine process (child_process IPC, serialization "advanced").
 * The host sends `start`, `cancel`, `stop` and `ack`; the engine answers with events and exactly one `result` or `error` for each job.
 */

/** Everything a run needs; no database handle crosses. `assignments[fold][i]` is the side of study i. */
export const trainingSpecSchema = z.object({
  runId: z.number().int(),
  config: runConfigSchema,
  slots: z.array(slotSchema),
  labelNames: z.array(z.string()),
  /** Content hash of the cohort, for the model card. */
  cohortHash: z.string().optional(),
  studies: z.array(trainingStudySchema),
  assignments: z.array(z.array(splitSchema)),
  /** Studies left out because their one class is none of the chosen ones. */
  otherClassCount: z.number().int().optional(),
  /** Presence pattern that study i is shown with on each side (simulated losses); absent: those that the configuration's rates give. */
  shown: z.object({ train: z.array(z.string()), val: z.array(z.string()), test: z.array(z.string()) }).optional(),
  /** Folder of the run's checkpoints (`fold_0/best`, `fold_0/final`) and of its resume state. */
  runDir: z.string(),
  /** Folder of prepared inputs; may be deleted at any time between runs. */
  cacheDir: z.string(),
  weightsDir: z.string(),
  /** Where the imported backbones of the run lie; absent for the embedded one. */
  backbones: z.array(backboneLocationSchema).optional(),
})
export type TrainingSpec = z.infer<typeof trainingSpecSchema>

/** Predictions from stored checkpoints for any studies, under every what-if pattern. */
export const predictSpecSchema = trainingSpecSchema.extend({ fold: z.number().int(), degradation: degradationSchema.optional() })
export type PredictSpec = z.infer<typeof predictSpecSchema>

const knownLabelsSchema = z.object({ names: z.array(z.string()), leaveOutNew: z.boolean() })

/** `original`: the content that was imported; a picture of another one would be shown, and kept, under a patient who is not in it. */
const renderRequest = z.object({ path: z.string(), original: z.object({ sha256: z.string(), frame: z.number().int().min(0) }).optional(), maxEdgePx: z.number().int().min(16).max(4096), outFile: z.string(), window: imageWindowSchema.optional(), frame: z.number().int().min(0).optional() })

/** Jobs by name: what the host asks and what the engine returns at the end. */
export const jobs = {
  'table:inspect': {
    /** `join` left out: a second table that belongs to a known layout is looked for; null: there is none. */
    request: z.object({ source: importSourceSchema, join: tableJoinSchema.nullable().optional() }),
    result: tableInspectionSchema,
  },
  'import:preview': {
    request: z.object({ source: importSourceSchema, mapping: mappingSchema, pseudonymKey: z.string(), limit: z.number().int().max(200) }),
    result: z.object({ rows: z.array(previewRowSchema), derived: derivedPreviewSchema.nullable().default(null) }),
  },
  'import:check': {
    request: z.object({ source: importSourceSchema, mapping: mappingSchema, pseudonymKey: z.string(), knownLabels: knownLabelsSchema.optional(), withKeys: z.boolean().optional() }),
    /** `keys` of every study when asked for: JSON pairs of patient and study key, for the store to tell known ones. */
    result: importCheckSchema.extend({ keys: z.array(z.string()).optional() }),
  },
  /** What stands in the columns whose values a mapping relies on. */
  'mapping:values': { request: z.object({ source: importSourceSchema, mapping: mappingSchema }), result: mappedValuesSchema },
  /** The original files of a cohort against what they were at import; the request comes as a file. */
  'originals:check': { request: originalsRequestSchema, result: z.object({ folders: z.array(originalsFolderSchema) }) },
  'privacy:try': {
    request: z.object({ source: importSourceSchema, mapping: mappingSchema, pseudonymKey: z.string(), example: z.string().max(20_000).nullable() }),
    result: privacyTrialSchema,
  },
  'import:identities': {
    request: z.object({ source: importSourceSchema, mapping: mappingSchema, pseudonymKey: z.string(), tableSha256: z.string().nullable() }),
    result: z.object({ pairs: z.array(z.object({ patientKey: z.string(), patientId: z.string() })) }),
  },
  'import:run': {
    request: z.object({
      source: importSourceSchema, mapping: mappingSchema, pseudonymKey: z.string(),
      /** First study ordinal to deliver; the ones before are in the store already. */
      fromOrdinal: z.number().int(),
      /** Refused with IMPORT_SOURCE_CHANGED when the table is another one now; null on a first start. */
      tableSha256: z.string().nullable(),
      /** Of a further delivery: the labels that its cohort has. */
      knownLabels: knownLabelsSchema.optional(),
    }),
    result: z.object({ rowsIn: z.number().int(), studyCount: z.number().int() }),
  },
  /** Measures images that were imported before anything was measured. */
  'images:measure': {
    request: z.object({ images: z.array(z.object({ sha256: z.string(), sourceDir: z.string(), path: z.string(), frame: z.number().int().min(0) })) }),
    result: z.object({ measured: z.number().int(), changed: z.number().int(), unusable: z.number().int() }),
  },
  'image:describe': { request: z.object({ path: z.string(), frame: z.number().int().min(0).optional() }), result: imageFactsSchema },
  'image:render': { request: renderRequest, result: z.object({ widthPx: z.number().int(), heightPx: z.number().int() }) },
  'demo:generate': {
    request: z.object({ outDir: z.string(), seed: z.number().int(), patientCount: z.number().int().min(1).max(10_000).optional() }),
    result: z.object({ sourceDir: z.string(), tableFile: z.string(), mapping: mappingSchema, patientCount: z.number().int(), imageCount: z.number().int() }),
  },
  'backbone:add': {
    request: z.object({ from: z.string(), backbonesDir: z.string(), weightsDir: z.string(), knownIds: z.array(z.string()) }),
    result: importedBackboneSchema,
  },
  'backbone:check': { request: z.object({ backbone: backboneLocationSchema }), result: backboneCheckSchema },
  'device:verdict': { request: z.object({ weightsDir: z.string() }), result: deviceVerdictSchema },
  'run:estimate': {
    request: z.object({ config: runConfigSchema, slots: z.array(slotSchema), labelCount: z.number().int(), studyCount: z.number().int(), imageCount: z.number().int(), weightsDir: z.string(), cacheDir: z.string(), backbones: z.array(backboneLocationSchema).optional() }),
    result: runEstimateSchema.omit({ studyCount: true, excludedStudyCount: true, warnings: true }),
  },
  'train:run': { request: trainingSpecSchema, result: trainingSummarySchema },
  'predict:run': { request: predictSpecSchema, result: trainingSummarySchema },
} as const
export type JobName = keyof typeof jobs
export type JobRequest<N extends JobName> = z.infer<(typeof jobs)[N]['request']>
export type JobResult<N extends JobName> = z.infer<(typeof jobs)[N]['result']>

/** Progress of a job; `total` null while unknown; `secondsLeft` null until it can be told. */
export const progressSchema = z.object({
  stage: z.string(),
  done: z.number(),
  total: z.number().nullable(),
  secondsLeft: z.number().nullable(),
})
export type Progress = z.infer<typeof progressSchema>

/** Data that the engine hands over during a job; a `batch` waits for its `ack` (at most four are under way). */
export const engineDataSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('import-start'), start: importStartSchema }),
  z.object({ kind: z.literal('import-batch'), studies: z.array(importedStudySchema), nextOrdinal: z.number().int() }),
  z.object({ kind: z.literal('image-measures'), measured: z.array(z.object({ sha256: z.string(), measures: imageMeasuresSchema, textSigns: textSignsSchema.optional() })) }),
  z.object({ kind: z.literal('epoch'), epoch: epochSchema }),
  z.object({ kind: z.literal('batch-loss'), fold: z.number().int(), epoch: z.number().int(), step: z.number().int(), loss: z.number() }),
  z.object({ kind: z.literal('checkpoint'), checkpoint: checkpointInfoSchema }),
  z.object({ kind: z.literal('predictions'), block: predictionBlockSchema }),
])
export type EngineData = z.infer<typeof engineDataSchema>

/**
 * Host to engine. A large request comes as `requestFile`, which the engine deletes; see host/request-file.ts.
 * `stop` asks a training to end after the step and keep the best checkpoint; `cancel` throws its work away.
 */
export const hostMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), jobId: z.number().int(), name: z.enum(Object.keys(jobs) as [JobName, ...JobName[]]), request: z.unknown(), requestFile: z.string().optional() }),
  z.object({ type: z.literal('cancel'), jobId: z.number().int() }),
  z.object({ type: z.literal('stop'), jobId: z.number().int() }),
  z.object({ type: z.literal('ack'), jobId: z.number().int(), sequence: z.number().int(), error: errorOutcomeSchema.nullable() }),
])
export type HostMessage = z.infer<typeof hostMessageSchema>

/** Engine to host. `sequence` numbers the data of one job; `alive` is sent every few seconds while a job runs. */
export const engineMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('alive'), jobId: z.number().int() }),
  z.object({ type: z.literal('progress'), jobId: z.number().int(), progress: progressSchema }),
  z.object({ type: z.literal('data'), jobId: z.number().int(), sequence: z.number().int(), data: engineDataSchema }),
  z.object({ type: z.literal('result'), jobId: z.number().int(), result: z.unknown() }),
  z.object({ type: z.literal('error'), jobId: z.number().int(), error: errorOutcomeSchema, isCancelled: z.boolean() }),
])
export type EngineMessage = z.infer<typeof engineMessageSchema>

/** What a job implementation gets from the worker. `signal` aborts on cancel; `shouldStop` turns true on stop-and-keep-best. */
export interface JobContext {
  signal: AbortSignal
  shouldStop: () => boolean
  progress: (progress: Progress) => void
  /** Resolves once the host has taken the data (for a batch: written it). Rejects with the host's error, such as STORE_DISK_FULL. */
  send: (data: EngineData) => Promise<void>
}

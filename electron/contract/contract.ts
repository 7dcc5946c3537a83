import { z } from 'zod'
import { alarmReportSchema, openAlarmSchema } from '../../engine/domain/alarms.ts'
import { backboneCheckSchema, backboneDetailsSchema, backboneReadsSchema, backboneSizesSchema, backboneTensorSchema } from '../../engine/domain/backbones.ts'
import { changedStudySchema, deliveryForecastSchema, deliverySchema, onChangedSchema, originalsFolderSchema, originalStateSchema } from '../../engine/domain/deliveries.ts'
import { decisionDraftSchema, decisionReasonSchema, decisionSchema, exclusionSchema, runCurationSchema } from '../../engine/domain/curation.ts'
import { errorOutcomeSchema, importCheckSchema, importReportSchema, previewRowSchema, tableInspectionSchema } from '../../engine/domain/import.ts'
import { fingerprintSchema } from '../../engine/domain/fingerprint.ts'
import { imageFactsSchema } from '../../engine/domain/image-facts.ts'
import { tabularColumnSchema } from '../../engine/domain/missingness.ts'
import { privacyTrialSchema } from '../../engine/domain/privacy.ts'
import { textDecisionSchema, textReviewItemSchema } from '../../engine/domain/text-signs.ts'
import { importSourceSchema, mappingSchema, tableJoinSchema } from '../../engine/domain/mapping.ts'
import { recheckSchema, savedMappingSchema } from '../../engine/domain/saved-mappings.ts'
import { auditEntrySchema, auditVerdictSchema, cohortSummarySchema, reviewSchema, runRecordSchema, storedPredictionSchema, studyDetailSchema, studyFilterSchema, studyItemSchema, studyListPageSchema, studyListQuerySchema } from '../../engine/domain/records.ts'
import { degradationSchema } from '../../engine/domain/degradation.ts'
import { degradedResultsSchema, resultIntervalsSchema, runResultsSchema, testSettingSchema } from '../../engine/domain/results.ts'
import { derivedPreviewSchema, labelRulesSchema } from '../../engine/domain/report-labels.ts'
import { deviceVerdictSchema, epochSchema, runConfigSchema, runEstimateSchema, splitProofSchema } from '../../engine/domain/run.ts'

/** All that may cross between the renderer and main. Channel = `aggregate:verb`; one request object; types are inferred, never written twice. */

const nothing = z.object({}).strict()
const cohortId = z.number().int().positive()
const runId = z.number().int().positive()
const studyId = z.number().int().positive()
const deliveryId = z.number().int().positive()
const mappingId = z.number().int().positive()
const jobKey = z.string().min(1).max(80)
const backboneId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
const pathOrNull = z.object({ path: z.string().nullable() })

/** A long job as the jobs tray shows it. */
export const jobSchema = z.object({
  jobKey,
  kind: z.enum(['check', 'originals', 'import', 'training', 'test', 'demo', 'backbone', 'alarms', 'measure']),
  title: z.string(),
  status: z.enum(['running', 'done', 'cancelled', 'failed']),
  stage: z.string(),
  done: z.number(),
  total: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  cohortId: cohortId.nullable(),
  runId: runId.nullable(),
  error: errorOutcomeSchema.nullable(),
})
export type Job = z.infer<typeof jobSchema>

/** A preview row without paths: each picture is an address that only this window can load. */
export const previewPictureRowSchema = previewRowSchema.omit({ images: true }).extend({
  images: z.array(z.object({ slotId: z.string(), url: z.string().nullable(), frame: z.number().int(), frameCount: z.number().int() })),
})

/** One slot of the patient page. A present image has an address that shows it with its metadata stripped; file names never cross. */
export const pageItemSchema = studyItemSchema.omit({ sourcePath: true, sha256: true }).extend({ url: z.string().nullable(), thumbnailUrl: z.string().nullable(), original: originalStateSchema.nullable() })
export type PageItem = z.infer<typeof pageItemSchema>

/** The patient page: the study, its predictions under every presence pattern (its own first) and its reviews, newest first. */
export const patientPageSchema = z.object({
  study: studyDetailSchema.omit({ items: true, rows: true }),
  items: z.array(pageItemSchema),
  predictions: z.array(storedPredictionSchema),
  reviews: z.array(reviewSchema),
  /** Why the study is excluded; null where it counts. */
  exclusion: exclusionSchema.nullable(),
})
export type PatientPage = z.infer<typeof patientPageSchema>

/** What the cohort page shows: counts over everything stored. */
export const cohortDetailSchema = z.object({
  cohort: cohortSummarySchema,
  labelCounts: importCheckSchema.shape.labelCounts,
  patternCounts: importCheckSchema.shape.patternCounts,
  absences: importCheckSchema.shape.absences,
  labelWords: importCheckSchema.shape.labelWords,
  duplicateImages: importCheckSchema.shape.duplicateImages,
  rejections: importReportSchema.shape.rejections,
})
export type CohortDetail = z.infer<typeof cohortDetailSchema>

/** A frozen model. `state` of an imported one: `unchecked` = the files are there in full size and were not hashed since the start. */
export const backboneSchema = z.object({
  backboneId: z.string(),
  isEmbedded: z.boolean(),
  title: z.string(),
  architecture: z.string(),
  reads: backboneReadsSchema,
  /** Null for the embedded one, whose parts differ. */
  sizes: backboneSizesSchema.nullable(),
  blockCount: z.number().int(),
  parameterCount: z.number().int(),
  tensorCount: z.number().int(),
  state: z.enum(['intact', 'changed', 'incomplete', 'unchecked']),
  files: z.array(z.object({ name: z.string(), sha256: z.string(), byteSize: z.number().int(), state: z.enum(['intact', 'changed', 'incomplete', 'unchecked']) })),
  licence: z.string(),
  source: z.string(),
  notes: z.array(z.string()),
  addedAt: z.string().nullable(),
})
export type BackboneEntry = z.infer<typeof backboneSchema>

export const overviewSchema = z.object({
  appVersion: z.string(),
  electronVersion: z.string(),
  engineNode: z.string(),
  verdict: deviceVerdictSchema.nullable(),
  /** What the user chose for this database, for the next start; a word that is no backend is told by the verdict. */
  backendChoice: z.string(),
  storeFile: z.string(),
  storage: z.array(z.object({ what: z.enum(['database', 'prepared-inputs', 'checkpoints']), bytes: z.number() })),
  freeBytes: z.number(),
  cohortCount: z.number().int(),
  hasDemoCohort: z.boolean(),
})

export const runDetailSchema = z.object({
  run: runRecordSchema,
  epochs: z.array(epochSchema),
  splitProof: splitProofSchema.nullable(),
})

/** A ready-to-edit configuration for a cohort, and what to warn about before it is started. */
export const runSuggestionSchema = z.object({
  config: runConfigSchema,
  slotWarnings: z.array(z.object({ slotId: z.string(), text: z.string() })),
  labelWarnings: z.array(z.object({ labelId: z.number().int(), text: z.string() })),
  tabularColumns: z.array(tabularColumnSchema),
})

/** Images that may show text; `contentKey` names the content, so that a decision holds for every study that has it. */
const textReviewSchema = z.object({
  total: z.number().int(),
  open: z.number().int(),
  /** Images that were imported before images were searched. */
  unsearched: z.number().int(),
  items: z.array(textReviewItemSchema.omit({ sha256: true }).extend({ contentKey: z.string(), url: z.string() })),
})

export const calls = {
  'app:overview': { request: nothing, reply: overviewSchema },
  'app:choose-backend': { request: z.object({ choice: z.enum(['auto', 'cuda', 'webgpu', 'cpu', 'wasm']) }), reply: nothing },
  'cohorts:list': { request: nothing, reply: z.array(cohortSummarySchema) },
  'cohorts:get': { request: z.object({ cohortId }), reply: cohortDetailSchema },
  /** How a cohort was mapped, for the next delivery of the same kind. */
  'cohorts:mapping': { request: z.object({ cohortId }), reply: mappingSchema },
  'cohorts:rename': { request: z.object({ cohortId, name: z.string().trim().min(1).max(120) }), reply: nothing },
  'cohorts:remove': { request: z.object({ cohortId }), reply: nothing },
  'import:choose-folder': { request: nothing, reply: pathOrNull },
  'import:choose-table': { request: z.object({ folder: z.string().nullable() }), reply: pathOrNull },
  'import:inspect': { request: z.object({ source: importSourceSchema, join: tableJoinSchema.nullable().optional() }), reply: tableInspectionSchema },
  'import:preview': { request: z.object({ source: importSourceSchema, mapping: mappingSchema }), reply: z.object({ rows: z.array(previewPictureRowSchema), derived: derivedPreviewSchema.nullable() }) },
  'import:label-rules': { request: nothing, reply: labelRulesSchema },
  /** `into`: as a further delivery of this cohort; then it is told how much of it is new. */
  'import:check': {
    request: z.object({ jobKey, source: importSourceSchema, mapping: mappingSchema, into: z.object({ cohortId, leaveOutNewLabels: z.boolean() }).optional() }),
    reply: importCheckSchema.extend({ forecast: deliveryForecastSchema.nullable() }).nullable(),
  },
  'import:start': { request: z.object({ source: importSourceSchema, mapping: mappingSchema, cohortName: z.string().trim().min(1).max(120) }), reply: z.object({ cohortId, jobKey }) },
  'deliveries:start': { request: z.object({ cohortId, source: importSourceSchema, mapping: mappingSchema, onChanged: onChangedSchema, leaveOutNewLabels: z.boolean() }), reply: z.object({ jobKey }) },
  'deliveries:list': { request: z.object({ cohortId }), reply: z.array(deliverySchema) },
  /** Studies that a delivery brought in another version. */
  'deliveries:changed': { request: z.object({ deliveryId }), reply: z.array(changedStudySchema) },
  'deliveries:undo': { request: z.object({ cohortId, deliveryId }), reply: nothing },
  /** Null when it was cancelled. */
  'originals:check': { request: z.object({ cohortId, jobKey, depth: z.enum(['size', 'content']) }), reply: z.array(originalsFolderSchema).nullable() },
  'originals:relink': { request: z.object({ cohortId, jobKey, deliveryId: deliveryId.nullable(), sourceDir: z.string().min(1).max(4096) }), reply: z.array(originalsFolderSchema).nullable() },
  'mappings:list': { request: nothing, reply: z.array(savedMappingSchema) },
  'mappings:save': { request: z.object({ name: z.string().trim().min(1).max(120), source: importSourceSchema, mapping: mappingSchema }), reply: z.object({ mappingId }) },
  /** A saved mapping for a table, and what is different in that table. */
  'mappings:apply': { request: z.object({ mappingId, source: importSourceSchema }), reply: z.object({ mapping: mappingSchema, recheck: recheckSchema }) },
  'mappings:rename': { request: z.object({ mappingId, name: z.string().trim().min(1).max(120) }), reply: nothing },
  'mappings:remove': { request: z.object({ mappingId }), reply: nothing },
  'mappings:export': { request: z.object({ mappingId }), reply: z.object({ isWritten: z.boolean() }) },
  'mappings:import': { request: nothing, reply: z.object({ mappingId: mappingId.nullable() }) },
  'import:resume': { request: z.object({ cohortId }), reply: z.object({ jobKey }) },
  /** The rules as they stand on an example and on the first rows of the table. */
  'privacy:try': { request: z.object({ source: importSourceSchema, mapping: mappingSchema, example: z.string().max(20_000).nullable() }), reply: privacyTrialSchema },
  /** Words of a text file; null when none was chosen. */
  'privacy:read-list': { request: nothing, reply: z.object({ words: z.array(z.string()).nullable(), leftOut: z.number().int() }) },
  'privacy:images': { request: z.object({ cohortId }), reply: textReviewSchema },
  'privacy:decide': { request: z.object({ cohortId, contentKeys: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(1).max(5000), decision: textDecisionSchema.nullable() }), reply: textReviewSchema },
  'import:report': { request: z.object({ cohortId }), reply: importReportSchema },
  /** Null when the drawing of the cohort was cancelled. */
  'import:demo': { request: nothing, reply: z.object({ cohortId, jobKey }).nullable() },
  'fingerprint:get': { request: z.object({ cohortId }), reply: fingerprintSchema },
  /** Starts to measure images that were imported before anything was measured; null when there are none. */
  'fingerprint:measure': { request: z.object({ cohortId }), reply: z.object({ jobKey: jobKey.nullable() }) },
  /** Writes the page on screen as PDF to a file that the user chooses. */
  'fingerprint:print': { request: z.object({ cohortId }), reply: z.object({ isWritten: z.boolean() }) },
  /** `report` is null when nobody has looked since the last decision; `searchingJobKey` while somebody does. */
  'alarms:get': { request: z.object({ cohortId }), reply: z.object({ cohort: cohortSummarySchema, report: alarmReportSchema.nullable(), decisions: z.array(decisionSchema), searchingJobKey: jobKey.nullable() }) },
  'alarms:search': { request: z.object({ cohortId }), reply: z.object({ jobKey }) },
  'curation:preview': { request: z.object({ cohortId, draft: decisionDraftSchema }), reply: z.object({ effect: z.string() }) },
  'curation:decide': { request: z.object({ cohortId, draft: decisionDraftSchema, reason: decisionReasonSchema }), reply: decisionSchema },
  'curation:undo': { request: z.object({ decisionId: z.number().int().positive(), reason: decisionReasonSchema }), reply: decisionSchema },
  /** Undoes what excludes these studies; a decision that excludes others too is made again for those. */
  'curation:include': { request: z.object({ cohortId, studyIds: z.array(studyId).min(1).max(1000), reason: decisionReasonSchema }), reply: z.object({ undone: z.number().int(), remade: z.number().int() }) },
  /** The decisions that a run was planned under, the alarms that were open when it began, and what was decided since. */
  'curation:of-run': { request: z.object({ runId }), reply: z.object({ decisions: z.array(decisionSchema), alarms: z.array(openAlarmSchema), standing: runCurationSchema }) },
  /** Without the decisions themselves, which may name thousands of studies. */
  'curation:standing': { request: z.object({ runId }), reply: runCurationSchema },
  'runs:list': { request: z.object({ cohortId: cohortId.nullable() }), reply: z.array(runRecordSchema) },
  'runs:get': { request: z.object({ runId }), reply: runDetailSchema },
  'runs:suggest': { request: z.object({ cohortId }), reply: runSuggestionSchema },
  'runs:estimate': { request: z.object({ config: runConfigSchema }), reply: runEstimateSchema },
  'runs:start': { request: z.object({ config: runConfigSchema }), reply: z.object({ runId }) },
  'runs:stop': { request: z.object({ runId }), reply: nothing },
  'runs:resume': { request: z.object({ runId }), reply: nothing },
  'runs:remove': { request: z.object({ runId }), reply: nothing },
  'results:get': { request: z.object({ runId, setting: testSettingSchema }), reply: runResultsSchema },
  /** Apart from the results, because resampling takes seconds on a large cohort. */
  'results:intervals': { request: z.object({ runId, setting: testSettingSchema }), reply: resultIntervalsSchema },
  /** What the run was tested on besides its own inputs: worse images, shorter texts. */
  'results:degraded': { request: z.object({ runId }), reply: z.array(degradedResultsSchema) },
  'results:degrade': { request: z.object({ runId, degradations: z.array(degradationSchema).min(1).max(40) }), reply: z.object({ jobKey }) },
  'patients:list': { request: studyListQuerySchema, reply: studyListPageSchema },
  'patients:get': { request: z.object({ studyId, runId: runId.nullable() }), reply: patientPageSchema },
  'patients:neighbours': { request: z.object({ filter: studyFilterSchema, studyId }), reply: z.object({ position: z.number().int(), total: z.number().int(), previous: studyId.nullable(), next: studyId.nullable() }) },
  /** What the viewer needs of one image: its window, presets, directions. */
  'patients:image-facts': { request: z.object({ studyId, slotId: z.string(), frame: z.number().int().min(0).max(100_000).default(0) }), reply: imageFactsSchema.nullable() },
  'patients:source-rows': { request: z.object({ studyId }), reply: z.object({ rows: z.array(z.number().int()) }) },
  'reviews:save': { request: z.object({ studyId, runId, verdict: z.enum(['agree', 'disagree', 'unsure']), comment: z.string().max(4000) }), reply: reviewSchema },
  'predictions:export': { request: z.object({ runId }), reply: z.object({ path: z.string().nullable(), rowCount: z.number().int() }) },
  'backbones:list': { request: nothing, reply: z.array(backboneSchema) },
  'backbones:tensors': { request: z.object({ backboneId }), reply: z.array(backboneTensorSchema) },
  /** A folder as its publisher offers it, or a single weights file. */
  'backbones:choose': { request: z.object({ what: z.enum(['folder', 'file']) }), reply: pathOrNull },
  'backbones:add': { request: z.object({ from: z.string().min(1).max(4096) }), reply: z.object({ jobKey }) },
  'backbones:edit': { request: z.object({ backboneId, details: backboneDetailsSchema }), reply: nothing },
  /** Null when it was cancelled. */
  'backbones:verify': { request: z.object({ backboneId }), reply: backboneCheckSchema.nullable() },
  'backbones:remove': { request: z.object({ backboneId }), reply: nothing },
  'jobs:list': { request: nothing, reply: z.array(jobSchema) },
  'jobs:cancel': { request: z.object({ jobKey }), reply: nothing },
  'storage:clear-cache': { request: nothing, reply: z.object({ freedBytes: z.number() }) },
  'audit:list': { request: z.object({ limit: z.number().int().min(1).max(500) }), reply: z.array(auditEntrySchema) },
  'audit:verify': { request: nothing, reply: auditVerdictSchema },
} as const

export const events = {
  'jobs:changed': jobSchema,
  'cohorts:changed': z.object({ cohortId }),
  'runs:changed': z.object({ runId }),
  'backbones:changed': nothing,
  'runs:epoch': z.object({ runId, epoch: epochSchema }),
  'runs:loss': z.object({ runId, fold: z.number().int(), epoch: z.number().int(), step: z.number().int(), loss: z.number() }),
} as const

export type CallName = keyof typeof calls
export type CallRequest<K extends CallName> = z.input<(typeof calls)[K]['request']>
export type ParsedRequest<K extends CallName> = z.output<(typeof calls)[K]['request']>
export type CallReply<K extends CallName> = z.output<(typeof calls)[K]['reply']>
export type EventName = keyof typeof events
export type EventPayload<K extends EventName> = z.output<(typeof events)[K]>

/** What a call answers: Electron itself would carry only the message of a thrown error. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: z.infer<typeof errorOutcomeSchema> }
export type { ErrorOutcome } from '../../engine/domain/errors.ts'

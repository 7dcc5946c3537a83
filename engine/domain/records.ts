import { z } from 'zod'
import { servedBySchema } from './exchange.ts'
import { errorOutcomeSchema, importedItemSchema } from './import.ts'
import { labelEvidenceSchema, reportLabelsSchema } from './report-labels.ts'
import { curationSummarySchema, textPartSchema } from './curation.ts'
import { deviceVerdictSchema, runConfigSchema, runStatusSchema, splitProofSchema, splitSchema } from './run.ts'
import { selectionSchema } from './selection.ts'
import { modalitySchema, slotPresenceSchema, slotSchema } from './slots.ts'
import { visitSchema } from './visit-dates.ts'

/** Records as the store hands them out and the screens show them. Timestamps are ISO 8601 in UTC. */

const timestampSchema = z.string()
const idSchema = z.number().int()
const countSchema = z.number().int().nonnegative()

export const taskSchema = z.enum(['multi-label', 'multi-class'])
export type Task = z.infer<typeof taskSchema>

export const sexSchema = z.enum(['female', 'male', 'other'])
export type Sex = z.infer<typeof sexSchema>

/** A reference label of a cohort; `position` is its place in the cohort's label order. */
export const labelSchema = z.object({
  labelId: idSchema, name: z.string(), position: countSchema,
  /** Items whose words the label was made from by rules; null or absent: it came in a column of the table. */
  derivedFrom: z.array(z.string()).nullable().optional(),
})
export type Label = z.infer<typeof labelSchema>

export const cohortStatusSchema = z.enum(['importing', 'ready'])
export type CohortStatus = z.infer<typeof cohortStatusSchema>

/** One cohort with its counts. Before the first batch `slots` and `labels` are empty and `task` is null. */
export const cohortSummarySchema = z.object({
  cohortId: idSchema,
  name: z.string(),
  status: cohortStatusSchema,
  sourceDir: z.string(),
  tableFile: z.string(),
  sheet: z.string().nullable(),
  /** Rules of text de-identification that were off at import; null for cohorts imported without any. */
  privacyRulesOff: z.array(z.string()).nullable().optional(),
  /** How labels were made from the words of reports; null where none were. */
  reportLabels: reportLabelsSchema.nullable().optional(),
  task: taskSchema.nullable(),
  slots: z.array(slotSchema),
  labels: z.array(labelSchema),
  tableSha256: z.string().nullable(),
  /** SHA-256 over all patients, studies, items and labels; null until the import is complete. */
  contentHash: z.string().nullable(),
  createdAt: timestampSchema,
  finishedAt: timestampSchema.nullable(),
  rowsIn: countSchema,
  /** Studies the source holds; `studyCount` of them are stored. */
  studyTotal: countSchema,
  nextOrdinal: countSchema,
  patientCount: countSchema,
  studyCount: countSchema,
  itemCount: countSchema,
  presentItemCount: countSchema,
  runCount: countSchema,
  curation: curationSummarySchema,
})
export type CohortSummary = z.infer<typeof cohortSummarySchema>

export const reviewVerdictSchema = z.enum(['agree', 'disagree', 'unsure'])
export type ReviewVerdict = z.infer<typeof reviewVerdictSchema>

/** A reader's opinion of a prediction; `labelId` null = of the whole study. History is kept, the latest counts. */
export const reviewSchema = z.object({
  reviewId: idSchema,
  runId: idSchema,
  studyId: idSchema,
  labelId: idSchema.nullable(),
  verdict: reviewVerdictSchema,
  comment: z.string(),
  createdAt: timestampSchema,
})
export type Review = z.infer<typeof reviewSchema>

/**
 * What a run says of one study under the items the study really has. With several folds it is the test fold's word,
 * else validation, else training; `split` says which.
 */
export const studyPredictionSchema = z.object({
  fold: countSchema,
  split: splitSchema,
  /** The chosen label, or the most probable one when none was chosen. */
  labelId: idSchema,
  labelName: z.string(),
  probability: z.number().min(0).max(1),
  threshold: z.number().min(0).max(1),
  /** Distance from the decision: 0 on the threshold, 1 certain. Without a chosen label: of the least certain one. */
  confidence: z.number().min(0).max(1),
  /** Names in run label order. */
  predictedLabels: z.array(z.string()),
  falsePositives: z.array(z.string()),
  falseNegatives: z.array(z.string()),
  /** Labels with a known reference value that the run got wrong. */
  wrongLabelCount: countSchema,
})
export type StudyPrediction = z.infer<typeof studyPredictionSchema>

/** One line of the patient list. `pattern` covers the run's slots when a run was asked for, else all slots. */
export const studyListRowSchema = z.object({
  studyId: idSchema,
  patientKey: z.string(),
  studyKey: z.string(),
  ageYears: z.number().nullable(),
  sex: sexSchema.nullable(),
  pattern: z.string(),
  presence: z.array(slotPresenceSchema),
  /** Names of the labels whose reference value is 1. */
  referenceLabels: z.array(z.string()),
  /** Labels without a reference value. */
  unknownLabelCount: countSchema,
  /** A decision takes the study out of training and evaluation. */
  isExcluded: z.boolean(),
  /** The key that stands for this person where decisions merge several; null for everybody else. */
  personKey: z.string().nullable(),
  prediction: studyPredictionSchema.nullable(),
  review: reviewSchema.nullable(),
})
export type StudyListRow = z.infer<typeof studyListRowSchema>

export const studySortSchema = z.enum(['patientKey', 'probability', 'confidence', 'pattern', 'ageYears'])
export type StudySort = z.infer<typeof studySortSchema>

/** Which studies, without order and page. `error`, `split` and `review` need `runId`; `labelId` narrows `error` to that label. */
export const studyFilterSchema = z.object({
  cohortId: idSchema,
  runId: idSchema.nullable().default(null),
  labelId: idSchema.nullable().default(null),
  /** With `labelId`: only studies whose reference value of that label is this. */
  reference: z.enum(['positive', 'negative', 'unknown']).nullable().default(null),
  pattern: z.string().nullable().default(null),
  /** Part of the patient or study key, any case. */
  search: z.string().max(200).default(''),
  error: z.enum(['false-positive', 'false-negative', 'any']).nullable().default(null),
  review: z.enum(['none', 'agree', 'disagree', 'unsure']).nullable().default(null),
  split: splitSchema.nullable().default(null),
  /** Only studies that decisions exclude, or only those that they leave. */
  isExcluded: z.boolean().nullable().default(null),
  /** Only the patients that a number of the fingerprint stands for. */
  selection: selectionSchema.nullable().default(null),
  sortBy: studySortSchema.default('patientKey'),
  descending: z.boolean().default(false),
})
export type StudyFilter = z.infer<typeof studyFilterSchema>
export type StudyFilterInput = z.input<typeof studyFilterSchema>

export const studyListQuerySchema = studyFilterSchema.extend({
  offset: countSchema.default(0),
  limit: z.number().int().min(1).max(1000).default(100),
})
export type StudyListQuery = z.infer<typeof studyListQuerySchema>
export type StudyListQueryInput = z.input<typeof studyListQuerySchema>

/** `total` studies of `patients` persons pass the filter; merged patients are one. */
export const studyListPageSchema = z.object({ total: countSchema, patients: countSchema, rows: z.array(studyListRowSchema) })
export type StudyListPage = z.infer<typeof studyListPageSchema>

/** One item with the title of its slot. `sourcePath` may hold a real identifier: it must not reach the renderer. */
export const studyItemSchema = importedItemSchema.extend({
  modality: modalitySchema, title: z.string(), letter: z.string(),
  /** A text with masked words in pieces; `text` is what the model reads. Null where nothing is masked. */
  textParts: z.array(textPartSchema).nullable(),
})
export type StudyItem = z.infer<typeof studyItemSchema>

/** Everything of one study. Labels in cohort order: 1 present, 0 absent, null unknown. Items in slot order. */
export const studyDetailSchema = z.object({
  studyId: idSchema,
  cohortId: idSchema,
  patientId: idSchema,
  patientKey: z.string(),
  studyKey: z.string(),
  ordinal: countSchema,
  /** 1-based lines of the source table. */
  rows: z.array(idSchema),
  ageYears: z.number().nullable(),
  sex: sexSchema.nullable(),
  pattern: z.string(),
  items: z.array(studyItemSchema),
  labels: z.array(labelSchema.extend({ value: z.union([z.literal(0), z.literal(1), z.null()]) })),
  /** Sentences behind the derived labels; empty where there are none. */
  evidence: z.array(labelEvidenceSchema).optional(),
  /** A decision takes the study out of training and evaluation. */
  isExcluded: z.boolean(),
  /** Keys that decisions count as this person, the one that stands for it first; empty where nothing is merged. */
  personKeys: z.array(z.string()),
  /** Other studies of the same person, in import order. */
  siblingStudyIds: z.array(idSchema),
  /** All studies of the person, this one too, in the order of time. */
  visits: z.array(visitSchema),
  /** This study's day as the moved dates in its notes would write it; not the real one. */
  noteDay: z.string().nullable(),
})
export type StudyDetail = z.infer<typeof studyDetailSchema>

/** A run with everything needed to repeat it. Fields that only the engine can tell are null until it has. */
export const runRecordSchema = z.object({
  runId: idSchema,
  cohortId: idSchema,
  cohortName: z.string(),
  name: z.string(),
  status: runStatusSchema,
  config: runConfigSchema,
  seed: z.number().int(),
  appVersion: z.string(),
  codeVersion: z.string(),
  cohortHash: z.string(),
  weightsHash: z.string().nullable(),
  splitHash: z.string().nullable(),
  splitProof: splitProofSchema.nullable(),
  device: deviceVerdictSchema.nullable(),
  trainedParameters: countSchema.nullable(),
  totalParameters: countSchema.nullable(),
  peakBytes: z.number().nullable(),
  elapsedMs: z.number().nullable(),
  notes: z.array(z.string()),
  error: errorOutcomeSchema.nullable(),
  epochsDone: countSchema,
  createdAt: timestampSchema,
  startedAt: timestampSchema.nullable(),
  finishedAt: timestampSchema.nullable(),
})
export type RunRecord = z.infer<typeof runRecordSchema>

/** One stored prediction of a study: its own pattern (`isActual`) or a what-if. */
export const storedPredictionSchema = z.object({
  fold: countSchema,
  split: splitSchema,
  pattern: z.string(),
  isActual: z.boolean(),
  /** Who answered; null in runs of 0.1, which did not record it. Absent where a caller does not ask. */
  servedBy: servedBySchema.nullable().optional(),
  labels: z.array(z.object({
    labelId: idSchema,
    labelName: z.string(),
    logit: z.number(),
    probability: z.number().min(0).max(1),
    threshold: z.number().min(0).max(1),
    reference: z.union([z.literal(0), z.literal(1), z.null()]),
  })),
})
export type StoredPrediction = z.infer<typeof storedPredictionSchema>

/** One line of the audit log. `details` never hold patient data; `hash` covers this line and the hash before it. */
export const auditEntrySchema = z.object({
  sequence: idSchema,
  event: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  createdAt: timestampSchema,
  appVersion: z.string(),
  hash: z.string(),
})
export type AuditEntry = z.infer<typeof auditEntrySchema>
export type AuditDetails = AuditEntry['details']

/** Result of checking the chain: `brokenAt` is the first line that does not fit. */
export const auditVerdictSchema = z.object({ isIntact: z.boolean(), entryCount: countSchema, brokenAt: idSchema.nullable(), reason: z.string().nullable() })
export type AuditVerdict = z.infer<typeof auditVerdictSchema>

/** Bytes on disk that the database takes. */
export const storageSizesSchema = z.object({ databaseBytes: countSchema, walBytes: countSchema, backupBytes: countSchema, freeBytes: countSchema })
export type StorageSizes = z.infer<typeof storageSizesSchema>

import { z } from 'zod'
import { changedStudySchema, deliveryCountsSchema, onChangedSchema } from './deliveries.ts'
import { errorCatalog, type ErrorCode } from './errors.ts'
import { imageMeasuresSchema } from './image-measures.ts'
import { importSourceSchema, mappingSchema, tableJoinSchema } from './mapping.ts'
import { privacyReportSchema } from './privacy.ts'
import { derivedPreviewSchema, labelEvidenceSchema } from './report-labels.ts'
import { textSignsSchema } from './text-signs.ts'
import { dateColumnSchema, dateProblemSchema, studyDateSchema } from './visit-dates.ts'
import { absenceReasonSchema, slotPresenceSchema, slotSchema } from './slots.ts'

/** Stage of an import that stores what it reads; the stages before it only look. */
export const importingStage = 'Importing patients'

export const errorCodeSchema = z.enum(Object.keys(errorCatalog) as [ErrorCode, ...ErrorCode[]])
export const errorOutcomeSchema = z.object({ code: errorCodeSchema, message: z.string(), fix: z.string() })

/** One kind of problem found while reading a source, with how often and where (at most 20 examples). Worst first. */
export const importIssueSchema = z.object({
  code: errorCodeSchema,
  severity: z.enum(['blocks', 'rejects-row', 'marks-missing', 'note']),
  title: z.string(),
  fix: z.string(),
  count: z.number().int().nonnegative(),
  examples: z.array(z.object({ row: z.number().int().nullable(), detail: z.string() })).max(20),
})
export type ImportIssue = z.infer<typeof importIssueSchema>

/** What a table looks like before any mapping. `columns[].samples` are the first distinct non-blank cells. */
export const tableInspectionSchema = z.object({
  source: importSourceSchema,
  /** The second table whose columns stand among `columns`; null when there is none. */
  join: tableJoinSchema.nullable(),
  /** Columns of the first table, and of the second by their own names, for the choice of how to join. */
  ownColumns: z.array(z.string()),
  joinColumns: z.array(z.string()),
  format: z.enum(['csv', 'xlsx', 'dicom', 'reports']),
  encoding: z.string(),
  separator: z.string().nullable(),
  sheets: z.array(z.string()),
  rowCount: z.number().int().nonnegative(),
  columns: z.array(z.object({ name: z.string(), blankCount: z.number().int(), distinctCount: z.number().int(), samples: z.array(z.string()), dates: dateColumnSchema.optional() })),
  imageFileCount: z.number().int().nonnegative(),
  /** The first file names below the folder, to write a pattern from. */
  imageFileSamples: z.array(z.string()),
  tableSha256: z.string(),
  suggestion: z.object({ mapping: mappingSchema, isRecognised: z.boolean(), explanation: z.string() }).nullable(),
  issues: z.array(importIssueSchema),
})
export type TableInspection = z.infer<typeof tableInspectionSchema>

/** One mapped row as the wizard shows it. `row` is the 1-based line in the table, the header being line 1. */
export const previewRowSchema = z.object({
  row: z.number().int(),
  patientKey: z.string(),
  presence: z.array(slotPresenceSchema),
  /** Absolute path of each image slot's file, null when absent; main replaces it by a picture address before it reaches the renderer. */
  images: z.array(z.object({ slotId: z.string(), path: z.string().nullable(), frame: z.number().int().min(0).default(0), frameCount: z.number().int().min(1).default(1) })),
  texts: z.array(z.object({ slotId: z.string(), text: z.string().nullable(), original: z.string().nullable().optional() })),
  labels: z.array(z.string()),
})
export type PreviewRow = z.infer<typeof previewRowSchema>

/** A word of a slot's text that gives a label away. `share` = studies with the word that carry the label. */
export const labelWordSchema = z.object({
  slotId: z.string(),
  word: z.string(),
  labelName: z.string(),
  studiesWithWord: z.number().int(),
  studiesWithWordAndLabel: z.number().int(),
  /** AUROC of "the word is there" for the label, 0..1. */
  auroc: z.number(),
})
export type LabelWord = z.infer<typeof labelWordSchema>

/** The check page: what would be imported, counted over the whole source without writing anything. */
export const importCheckSchema = z.object({
  rowsIn: z.number().int(),
  rowsAccepted: z.number().int(),
  rowsRejected: z.number().int(),
  patientCount: z.number().int(),
  studyCount: z.number().int(),
  slots: z.array(slotSchema),
  labelCounts: z.array(z.object({ name: z.string(), positives: z.number().int(), negatives: z.number().int(), unknown: z.number().int() })),
  patternCounts: z.array(z.object({ pattern: z.string(), count: z.number().int() })),
  absences: z.array(z.object({ slotId: z.string(), reason: absenceReasonSchema, count: z.number().int() })),
  duplicateImages: z.array(z.object({ count: z.number().int(), acrossPatients: z.boolean(), rows: z.array(z.number().int()) })),
  labelWords: z.array(labelWordSchema),
  /** What de-identification found and replaced; null when it was not asked for. */
  privacy: privacyReportSchema.nullable().default(null),
  /** What the rules read in the reports; null without derived labels. */
  derived: derivedPreviewSchema.nullable().default(null),
  issues: z.array(importIssueSchema),
})
export type ImportCheck = z.infer<typeof importCheckSchema>

/** What happened to the rows of a finished (or stopped) import; rowsIn = rowsAccepted + rowsRejected always. */
export const importReportSchema = z.object({
  cohortId: z.number().int(),
  cohortName: z.string(),
  status: z.enum(['complete', 'paused']),
  rowsIn: z.number().int(),
  rowsAccepted: z.number().int(),
  rowsRejected: z.number().int(),
  rejections: z.array(z.object({ code: errorCodeSchema, reason: z.string(), count: z.number().int(), rows: z.array(z.number().int()) })),
  patientCount: z.number().int(),
  studyCount: z.number().int(),
  itemCount: z.number().int(),
  absences: z.array(z.object({ slotId: z.string(), reason: absenceReasonSchema, count: z.number().int() })),
  /** Images that are one frame of several in their file: how many, and which frames, counted from 1. Absent: none. */
  frames: z.array(z.object({ slotId: z.string(), count: z.number().int(), first: z.number().int(), last: z.number().int() })).optional(),
  /** Days of the studies; absent where the mapping reads no dates. Rows of a problem are those of its first studies. */
  dates: z.object({ dated: z.number().int(), undated: z.number().int(), problems: z.array(z.object({ problem: dateProblemSchema, count: z.number().int(), rows: z.array(z.number().int()) })) }).optional(),
  elapsedMs: z.number(),
  imagesPerSecond: z.number(),
  /** Of a further delivery of a cohort; then the counts above are of that delivery, patients and studies those it added. */
  delivery: z.object({ deliveryId: z.number().int(), number: z.number().int(), onChanged: onChangedSchema, counts: deliveryCountsSchema, changed: z.array(changedStudySchema) }).optional(),
})
export type ImportReport = z.infer<typeof importReportSchema>

/** One item of a study as it travels from the importer to the store. */
export const importedItemSchema = z.object({
  slotId: z.string(),
  isPresent: z.boolean(),
  reason: absenceReasonSchema.nullable(),
  detail: z.string().nullable(),
  /** Image: path relative to the source folder. */
  sourcePath: z.string().nullable(),
  /** SHA-256 of the image's content (see imageContentHash), or of the text in UTF-8. */
  sha256: z.string().nullable(),
  byteSize: z.number().int().nullable(),
  widthPx: z.number().int().nullable(),
  heightPx: z.number().int().nullable(),
  text: z.string().nullable(),
  /** Which frame of its file the image is, counted from 0, and how many there are; absent: the first. */
  frame: z.number().int().min(0).optional(),
  frameCount: z.number().int().min(1).optional(),
  /** What was measured of a present image; kept by content, not with the item. */
  measures: imageMeasuresSchema.optional(),
  /** Set when a present image may show text; kept by content too. */
  textSigns: textSignsSchema.optional(),
})
export type ImportedItem = z.infer<typeof importedItemSchema>

/** One study as it travels from the importer to the store. `labels[i]`: 1 present, 0 absent, null unknown, in cohort label order. */
export const importedStudySchema = z.object({
  ordinal: z.number().int(),
  patientKey: z.string(),
  studyKey: z.string(),
  rows: z.array(z.number().int()),
  ageYears: z.number().nullable(),
  sex: z.enum(['female', 'male', 'other']).nullable(),
  /** Pseudonym of the place of examination; null or absent when no column says it. */
  site: z.string().nullable().optional(),
  /** Absent where the mapping reads no dates. */
  date: studyDateSchema.optional(),
  items: z.array(importedItemSchema),
  labels: z.array(z.union([z.literal(0), z.literal(1), z.null()])),
  /** Why the derived labels have their values; absent where the cohort has none. */
  evidence: z.array(labelEvidenceSchema).optional(),
})
export type ImportedStudy = z.infer<typeof importedStudySchema>

/** A row that did not become part of a study, with the reason. */
export const rejectedRowSchema = z.object({ row: z.number().int(), code: errorCodeSchema, detail: z.string() })
export type RejectedRow = z.infer<typeof rejectedRowSchema>

import { z } from 'zod'
import { importSourceSchema } from './mapping.ts'

/** Imports of a cohort after the first one, their undo, and the originals they came from. */

const count = z.number().int().nonnegative()

/** What to do with a study that the cohort has already, but with another label, image or text. */
export const onChangedSchema = z.enum(['keep', 'replace'])
export type OnChanged = z.infer<typeof onChangedSchema>

/**
 * `unchanged`: the cohort has it as it was delivered. `kept`: it differs and the cohort's version was left. `kept-used`: the new version was
 * wanted, but a run has used the old one. `replaced`: no run had used it, the new version stands.
 */
export const deliveryOutcomeSchema = z.enum(['added', 'unchanged', 'kept', 'kept-used', 'replaced'])
export type DeliveryOutcome = z.infer<typeof deliveryOutcomeSchema>

/** In what a delivered study differs from the stored one. `arrived`: an item the cohort lacks; `gone`: a text or values that are blank now. */
export const studyChangeSchema = z.object({ kind: z.enum(['image', 'text', 'values', 'labels', 'age', 'sex', 'site', 'date', 'arrived', 'gone']), slotId: z.string().nullable() })
export type StudyChange = z.infer<typeof studyChangeSchema>

const sumSchema = z.object({ studies: count, rows: count })

/** rowsIn = added.rows + unchanged.rows + kept.rows + keptUsed.rows + replaced.rows + rowsRejected, always. */
export const deliveryCountsSchema = z.object({
  rowsIn: count,
  rowsRejected: count,
  newPatients: count,
  added: sumSchema,
  unchanged: sumSchema,
  kept: sumSchema,
  keptUsed: sumSchema,
  replaced: sumSchema,
})
export type DeliveryCounts = z.infer<typeof deliveryCountsSchema>

/** One import of a cohort; number 1 is the one that made it. */
export const deliverySchema = z.object({
  /** Null for the first import, which is undone by removing the cohort. */
  deliveryId: z.number().int().nullable(),
  number: z.number().int().min(1),
  status: z.enum(['importing', 'done', 'undoing', 'undone']),
  onChanged: onChangedSchema,
  source: importSourceSchema,
  tableSha256: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  undoneAt: z.string().nullable(),
  counts: deliveryCountsSchema,
  /** Content hash of the cohort when this import ended; runs of that time carry it. */
  hashAfter: z.string().nullable(),
  /** Why it cannot be undone now; null when it can. */
  undoBlocked: z.enum(['not-last', 'undone', 'used-by-runs', 'first']).nullable(),
  /** Runs that use its studies. */
  runNames: z.array(z.string()),
})
export type Delivery = z.infer<typeof deliverySchema>

/** A study that a delivery brought in another version, for the list of the report. */
export const changedStudySchema = z.object({
  studyId: z.number().int(),
  patientKey: z.string(),
  studyKey: z.string(),
  outcome: deliveryOutcomeSchema,
  changes: z.array(studyChangeSchema),
})
export type ChangedStudy = z.infer<typeof changedStudySchema>

/** What a delivery would bring, told from its keys before anything is read in. */
export const deliveryForecastSchema = z.object({ newPatients: count, newStudies: count, studiesOfKnownPatients: count })
export type DeliveryForecast = z.infer<typeof deliveryForecastSchema>

/** State of one original file, by its size or by its whole content. */
export const originalStateSchema = z.enum(['there', 'missing', 'changed', 'unreadable'])
export type OriginalState = z.infer<typeof originalStateSchema>

/** What the engine compares: folders of a cohort with the files that were imported from each, by path below it. */
export const originalsRequestSchema = z.object({
  depth: z.enum(['size', 'content']),
  folders: z.array(z.object({
    deliveryId: z.number().int().nullable(),
    number: z.number().int(),
    sourceDir: z.string(),
    files: z.array(z.object({ studyId: z.number().int(), patientKey: z.string(), slotId: z.string(), path: z.string(), sha256: z.string(), byteSize: z.number().int(), frame: z.number().int().min(0).optional() })),
  })),
})
export type OriginalsRequest = z.infer<typeof originalsRequestSchema>

/** One folder that a cohort's files came from. */
export const originalsFolderSchema = z.object({
  deliveryId: z.number().int().nullable(),
  number: z.number().int().min(1),
  sourceDir: z.string(),
  /** False: the drive is unplugged, or the folder was renamed or moved. */
  isThere: z.boolean(),
  fileCount: count,
  there: count,
  missing: count,
  changed: count,
  unreadable: count,
  /** Whether the content was hashed, or only presence and size looked at. */
  depth: z.enum(['size', 'content']),
  /** At most 200 studies with a file that is not as imported. */
  affected: z.array(z.object({ studyId: z.number().int(), patientKey: z.string(), slotId: z.string(), state: originalStateSchema })),
})
export type OriginalsFolder = z.infer<typeof originalsFolderSchema>

import { z } from 'zod'
import { factorKindSchema } from './selection.ts'
import { absenceReasonSchema, slotSchema } from './slots.ts'
import { followUpSchema } from './visit-dates.ts'

/** The fingerprint of a cohort: what it holds, counted before anything is trained. Summaries only; studies come by number, patients by pseudonym. */

const count = z.number().int().nonnegative()

/** `counts[i]` values lie in [edges[i], edges[i + 1]), the last bin including its end. */
export const histogramSchema = z.object({ edges: z.array(z.number()), counts: z.array(count) })
export type Histogram = z.infer<typeof histogramSchema>

/** An image that can be shown: by study and slot, under the pseudonym of its patient. */
export const shownImageSchema = z.object({ studyId: z.number().int(), slotId: z.string(), patientKey: z.string() })
export type ShownImage = z.infer<typeof shownImageSchema>

export const slotCountSchema = z.object({
  slot: slotSchema,
  present: count,
  patientsWithout: count,
  absences: z.array(z.object({ reason: absenceReasonSchema, count })),
})

export const factorSchema = z.object({ kind: factorKindSchema, name: z.string(), labelId: z.number().int().nullable() })
export type Factor = z.infer<typeof factorSchema>

/** Whether the absence of one slot goes with one fact about the patients. Every patient counts once, with the share of its studies that lack the slot. */
export const missingnessTestSchema = z.object({
  slotId: z.string(),
  factor: factorSchema,
  /** `lacking`: patients of the group who lack the item in some study; `share`: mean share of their studies that lack it. */
  groups: z.array(z.object({ name: z.string(), patients: count, lacking: count, share: z.number().min(0).max(1) })),
  /** Null with a reason when it cannot be told. */
  test: z.enum(['fisher', 'chi-square', 'permutation', 'mann-whitney', 'kruskal-wallis', 'spearman']).nullable(),
  pValue: z.number().min(0).max(1).nullable(),
  /** Holm's adjustment over all tests of the cohort. */
  adjustedPValue: z.number().min(0).max(1).nullable(),
  reason: z.string().nullable(),
  isNotable: z.boolean(),
  sentence: z.string(),
})
export type MissingnessTest = z.infer<typeof missingnessTestSchema>

export const slotVerdictSchema = z.object({ slotId: z.string(), verdict: z.enum(['depends', 'no-sign', 'not-estimable', 'never-missing', 'always-missing']), sentence: z.string() })
export type SlotVerdict = z.infer<typeof slotVerdictSchema>

export const imageSlotSummarySchema = z.object({
  slotId: z.string(),
  measured: count,
  sizes: z.array(z.object({ widthPx: z.number().int(), heightPx: z.number().int(), count })),
  otherSizes: count,
  shorterEdge: histogramSchema,
  meanLuminance: histogramSchema,
  sdLuminance: histogramSchema,
  formats: z.array(z.object({ name: z.string(), count })),
  greyCount: count,
  colourCount: count,
  medianBytes: z.number(),
  /** Hardly anything to see: luminance spreads by less than 5 of 255 levels. */
  flatCount: count,
  darkest: z.array(shownImageSchema.extend({ meanLuminance: z.number() })),
  brightest: z.array(shownImageSchema.extend({ meanLuminance: z.number() })),
})
export type ImageSlotSummary = z.infer<typeof imageSlotSummarySchema>

export const textSummarySchema = z.object({
  slotIds: z.array(z.string()),
  backbone: z.string(),
  limit: z.number().int(),
  studies: count,
  truncated: count,
  truncatedStudyIds: z.array(z.number().int()),
  median: z.number(),
  percentile95: z.number(),
  longest: z.number(),
  tokens: histogramSchema,
  /** Unknown words become one token that says nothing; high where the language or the alphabet is not the vocabulary's. */
  unknownTokenShare: z.number().min(0).max(1),
})
export type TextSummary = z.infer<typeof textSummarySchema>

export const labelBalanceSchema = z.object({ labelId: z.number().int(), name: z.string(), positives: count, negatives: count, unknown: count, positivePatients: count })

export const duplicateGroupSchema = z.object({ images: z.array(shownImageSchema), count, patients: count })
export const nearDuplicateSchema = z.object({ first: shownImageSchema, second: shownImageSchema, hammingDistance: count, similarity: z.number() })
export type NearDuplicate = z.infer<typeof nearDuplicateSchema>

export const fingerprintSchema = z.object({
  cohortId: z.number().int(),
  cohortName: z.string(),
  contentHash: z.string().nullable(),
  patients: count,
  studies: count,
  items: count,
  presentItems: count,
  patientsWithSeveralStudies: count,
  /** Null where no day of a study was ever read. */
  followUp: followUpSchema.nullable(),
  sites: z.array(z.object({ name: z.string(), patients: count, studies: count })),
  sexes: z.array(z.object({ name: z.string(), patients: count })),
  ages: z.object({ known: count, median: z.number(), youngest: z.number(), oldest: z.number(), histogram: histogramSchema }).nullable(),
  slots: z.array(slotCountSchema),
  patterns: z.array(z.object({ pattern: z.string(), studies: count, patients: count })),
  missingness: z.object({ verdicts: z.array(slotVerdictSchema), tests: z.array(missingnessTestSchema), testCount: count }),
  images: z.array(imageSlotSummarySchema),
  /** Images that were imported before anything was measured. */
  unmeasured: count,
  text: textSummarySchema.nullable(),
  labels: z.array(labelBalanceSchema),
  /** Studies with both labels at [row][column]; the labels with most positives, in cohort order. */
  coOccurrence: z.object({ labelIds: z.array(z.number().int()), counts: z.array(z.array(count)), isCut: z.boolean() }),
  /** `patients` have a file that occurs more than once, `patientsAcross` one that another patient has too. */
  duplicates: z.object({ groups: z.array(duplicateGroupSchema), groupCount: count, acrossPatients: count, patients: count, patientsAcross: count }),
  nearDuplicates: z.object({ pairs: z.array(nearDuplicateSchema), acrossPatients: count, withinPatient: count, acrossStudyIds: z.array(z.number().int()), patientsAcross: count, withinStudyIds: z.array(z.number().int()), patientsWithin: count, compared: count, radius: count, minSimilarity: z.number() }),
  unreadable: z.array(z.object({ slotId: z.string(), detail: z.string(), count, patients: count, patientKeys: z.array(z.string()) })),
})
export type Fingerprint = z.infer<typeof fingerprintSchema>

import { z } from 'zod'
import { absenceReasonSchema } from './slots.ts'

/**
 * The patients that one number of the fingerprint stands for, so that the number can be opened as a list. Always of what counts now:
 * excluded studies are in none of them, merged patients are one. Resolved by engine/jobs/fingerprint/selections.ts, by the same functions
 * that count the numbers.
 */

const slotId = z.string().min(1).max(40)
const labelId = z.number().int().positive()
const name = z.string().min(1).max(500)
/** Bins as in a histogram: [edges[i], edges[i + 1]); the outermost ones hold what lies beyond them. */
const bin = { edges: z.array(z.number()).min(2).max(200), index: z.number().int().nonnegative() }

/** More would make an address that no history keeps. */
export const mostStudies = 20_000

export const factorKindSchema = z.enum(['label', 'sex', 'age', 'site'])

export const imageFeatureSchema = z.discriminatedUnion('what', [
  z.object({ what: z.literal('measured') }),
  z.object({ what: z.literal('flat') }),
  z.object({ what: z.literal('channels'), channels: z.union([z.literal(1), z.literal(3)]) }),
  z.object({ what: z.literal('format'), format: z.string().max(20) }),
  z.object({ what: z.literal('size'), widthPx: z.number().int(), heightPx: z.number().int() }),
  z.object({ what: z.literal('bin'), measure: z.enum(['shorterEdge', 'meanLuminance', 'sdLuminance']), ...bin }),
])
export type ImageFeature = z.infer<typeof imageFeatureSchema>

export const selectionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all') }),
  /** Patients with more than one study. */
  z.object({ kind: z.literal('several-studies') }),
  /** As the fingerprint names it; "not stated" for patients without. */
  z.object({ kind: z.literal('sex'), sex: name }),
  z.object({ kind: z.literal('age'), ...bin }),
  z.object({ kind: z.literal('site'), site: name }),
  /** Studies with the item. */
  z.object({ kind: z.literal('present'), slotId }),
  /** Studies without the item, for this reason. */
  z.object({ kind: z.literal('absent'), slotId, reason: absenceReasonSchema }),
  /** Patients without the item in any of their studies. */
  z.object({ kind: z.literal('patients-without'), slotId }),
  /** Studies that have all of these labels. */
  z.object({ kind: z.literal('labels'), labelIds: z.array(labelId).min(1).max(30) }),
  /** A group of patients that a comparison of missingness is over; `isLacking`: those of them who lack the item in some study. */
  z.object({ kind: z.literal('group'), slotId, factor: factorKindSchema, labelId: labelId.nullable(), group: name, isLacking: z.boolean() }),
  z.object({ kind: z.literal('image'), slotId, feature: imageFeatureSchema }),
  /** Everything that holds the file that this study holds there. */
  z.object({ kind: z.literal('same-image'), studyId: z.number().int().positive(), slotId }),
  /** Everything that holds a file which occurs more than once; `isAcross`: under different patients. */
  z.object({ kind: z.literal('duplicates'), isAcross: z.boolean() }),
  z.object({ kind: z.literal('unreadable'), slotId, detail: z.string().max(2000) }),
  /** Studies by number, where finding them anew would take seconds. */
  z.object({ kind: z.literal('studies'), why: z.enum(['near-duplicates', 'near-duplicates-within', 'truncated']), studyIds: z.array(z.number().int().positive()).min(1).max(mostStudies) }),
])
export type Selection = z.infer<typeof selectionSchema>

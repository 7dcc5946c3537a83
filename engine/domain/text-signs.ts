import { z } from 'zod'

/** Why an image is listed: what its header says (declared, recognisable features, ultrasound, screen capture), or letters found in its pixels. */
export const textSignReasonSchema = z.enum(['pixels', 'declared', 'features', 'ultrasound', 'capture'])
export type TextSignReason = z.infer<typeof textSignReasonSchema>

const share = z.number().min(0).max(1)

/** A likely line of text, in shares of the image's width and height. */
export const textRegionSchema = z.object({ left: share, top: share, right: share, bottom: share })

/** An image that may show text, as the import found it. */
export const textSignsSchema = z.object({
  reasons: z.array(textSignReasonSchema).min(1),
  /** Of the search in the pixels, 0..1. */
  likelihood: share,
  regions: z.array(textRegionSchema).max(20),
})
export type TextSigns = z.infer<typeof textSignsSchema>

/** `keep`: somebody looked and nothing identifies; `exclude`: the image is left out of this cohort. */
export const textDecisionSchema = z.enum(['keep', 'exclude'])
export type TextDecision = z.infer<typeof textDecisionSchema>

/** One image of the review list of a cohort. */
export const textReviewItemSchema = textSignsSchema.extend({
  itemId: z.number().int(),
  studyId: z.number().int(),
  slotId: z.string(),
  patientKey: z.string(),
  studyKey: z.string(),
  sha256: z.string(),
  widthPx: z.number().int(),
  heightPx: z.number().int(),
  decision: textDecisionSchema.nullable(),
  decidedAt: z.string().nullable(),
})
export type TextReviewItem = z.infer<typeof textReviewItemSchema>

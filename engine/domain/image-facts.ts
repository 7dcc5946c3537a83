import { z } from 'zod'

const windowSpan = { center: z.number(), width: z.number().positive() }

/** What the viewer knows of an image beyond its pixels; nothing in it identifies a patient. */
export const imageFactsSchema = z.object({
  isDicom: z.boolean(),
  /** The window can be drawn anew from the stored values; otherwise only the 0..255 on the screen can be stretched. */
  hasWindow: z.boolean(),
  /** What is shown unless the reader asks otherwise, which is what the model sees; in units of the modality (0..255 without). */
  ...windowSpan,
  /** Small values are bright (MONOCHROME1). */
  isInverted: z.boolean(),
  presets: z.array(z.object({ name: z.string().nullable(), ...windowSpan })),
  /** Anatomical letters of where rows and columns run to, e.g. ["L", "F"]. */
  directions: z.tuple([z.string(), z.string()]).nullable(),
  laterality: z.enum(['R', 'L', 'B']).nullable(),
  view: z.string().nullable(),
  /** Frames of the file; which of them the model sees stands with the item. */
  frameCount: z.number().int().positive(),
  /** Height of a pixel divided by its width; the picture is shown as stored, which is what the model sees. */
  pixelAspect: z.number().positive(),
})
export type ImageFacts = z.infer<typeof imageFactsSchema>

/** A window that replaces the one of the file. */
export const imageWindowSchema = z.object(windowSpan)
export type ImageWindow = z.infer<typeof imageWindowSchema>

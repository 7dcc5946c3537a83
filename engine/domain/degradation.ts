import { z } from 'zod'

/** A gradual loss of quality, as a further axis beside missing and present (METHODS 6). Deterministic: the same image and level give the same pixels. */
export const degradationSchema = z.discriminatedUnion('kind', [
  /** Standard deviation of a Gaussian, in pixels of an image whose longer side is 224: a level means the same for every size of picture. */
  z.object({ kind: z.literal('blur'), level: z.number().positive().max(50) }),
  /** Standard deviation of noise added to each pixel that the model reads, as a share of the full range of brightness: the same for every size of picture. */
  z.object({ kind: z.literal('noise'), level: z.number().positive().max(1) }),
  /** Words of each text that are left, counted from its beginning. */
  z.object({ kind: z.literal('truncate'), level: z.number().int().min(1).max(10_000) }),
])
export type Degradation = z.infer<typeof degradationSchema>

export function describeDegradation({ kind, level }: Degradation): string {
  if (kind === 'blur') return `Images blurred by ${level} px at 224 px`
  if (kind === 'noise') return `Images with noise of ${Math.round(level * 1000) / 10} % of full brightness`
  return `Texts cut to ${level} ${level === 1 ? 'word' : 'words'}`
}

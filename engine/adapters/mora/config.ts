import { z } from 'zod'

/** Settings of MoRA with their sources (Shi et al. 2024, arXiv:2408.09064). */
export const moraConfigSchema = z.object({
  /** Rank R of the shared down-projection (section 4.2: 4). */
  rank: z.int().min(1).max(256).default(4),
  /** Blocks that carry an adapter, counted from 0 (section 4.4: the first; ablation: the first three). */
  blocks: z.array(z.int().min(0)).min(1).default([0]),
  /** `block`: beside the whole block (eq. 4 and the reference code); `attention`: on attention's input, added to its output. */
  beside: z.enum(['block', 'attention']).default('block'),
})
export type MoraConfig = z.infer<typeof moraConfigSchema>

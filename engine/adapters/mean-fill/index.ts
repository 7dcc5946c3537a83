/**
 * Mean-fill linear probe: as zero-fill, but a missing part takes the mean description of the training patients who have it (METHODS 4),
 * the usual imputation. Blind to missingness: an average patient and a missing picture look the same to it.
 */
import { z } from 'zod'
import type { Method } from '../method.ts'
import { createLinearProbe } from '../probe/linear-probe.ts'

const meanFillConfigSchema = z.object({})

export const meanFill: Method<z.infer<typeof meanFillConfigSchema>> = {
  id: 'mean-fill',
  configSchema: meanFillConfigSchema,
  startsUnchanged: false,
  createNetwork: (context) => createLinearProbe(context, { reads: 'description', includes: () => true, fill: 'mean' }),
}

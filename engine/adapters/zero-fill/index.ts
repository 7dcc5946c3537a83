/**
 * Zero-fill linear probe: each part's frozen description side by side, zeros where a part is missing, one linear map to the labels.
 * The plainest thing that copes with missing modalities, and so the baseline of every comparison (METHODS 4).
 */
import { z } from 'zod'
import type { Method } from '../method.ts'
import { createLinearProbe } from '../probe/linear-probe.ts'

const zeroFillConfigSchema = z.object({})

export const zeroFill: Method<z.infer<typeof zeroFillConfigSchema>> = {
  id: 'zero-fill',
  configSchema: zeroFillConfigSchema,
  startsUnchanged: false,
  createNetwork: (context) => createLinearProbe(context, { reads: 'description', includes: () => true, fill: 'zeros' }),
}

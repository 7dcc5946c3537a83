/**
 * Two probes that should fail (METHODS 4 and 8). `missingness-only` predicts the labels from which parts are there and nothing else: where
 * it succeeds, the way data went missing gives labels away. `text-only` reads the text's frozen vector alone: where it succeeds as well as
 * a model with images, the text may name the diagnosis. Their results are shown as alarms, not as competitors.
 */
import { z } from 'zod'
import type { Method } from '../method.ts'
import { createLinearProbe } from '../probe/linear-probe.ts'

const alarmConfigSchema = z.object({})
type AlarmConfig = z.infer<typeof alarmConfigSchema>

export const missingnessOnly: Method<AlarmConfig> = {
  id: 'missingness-only',
  configSchema: alarmConfigSchema,
  startsUnchanged: false,
  createNetwork: (context) => createLinearProbe(context, { reads: 'presence', includes: () => true, fill: 'zeros' }),
}

export const textOnly: Method<AlarmConfig> = {
  id: 'text-only',
  configSchema: alarmConfigSchema,
  startsUnchanged: false,
  createNetwork: (context) => createLinearProbe(context, { reads: 'description', includes: ({ kind }) => kind === 'text', fill: 'zeros' }),
}

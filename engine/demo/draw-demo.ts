import type { JobContext, JobRequest, JobResult } from '../protocol.ts'
import { generateDemoCohort } from './generate.ts'

/** Job of the engine process: draws the demo cohort, tells how far it is, ends at a cancel. */
export async function drawDemo(request: JobRequest<'demo:generate'>, context: JobContext): Promise<JobResult<'demo:generate'>> {
  const startedMs = performance.now()
  const { patientCount, ...rest } = request
  return generateDemoCohort({
    ...rest,
    ...(patientCount === undefined ? {} : { patientCount }),
    signal: context.signal,
    onProgress: (done, total) => {
      const secondsLeft = done === 0 ? null : ((performance.now() - startedMs) / 1000 / done) * (total - done)
      context.progress({ stage: 'Drawing the synthetic cohort', done, total, secondsLeft })
    },
  })
}

import { availableParallelism } from 'node:os'
import type { ImageMeasures } from '../../domain/image-measures.ts'
import type { TextSigns } from '../../domain/text-signs.ts'
import type { JobContext, JobRequest, JobResult } from '../../protocol.ts'
import { mapInOrder } from '../concurrency.ts'
import { startStage } from '../progress.ts'
import { inspectImage } from './inspect-image.ts'

const batchImages = 50

/**
 * Measures images of a cohort that was imported before anything was measured, and searches them for text as an import does. A file that is gone, cannot be read or is no longer the one
 * of the import stays unmeasured and is counted. What was measured until a cancel is kept.
 * @throws AppError when a folder or drive fails, see judgeFileError; an AbortError when cancelled
 */
export async function measureImages({ images }: JobRequest<'images:measure'>, context: JobContext): Promise<JobResult<'images:measure'>> {
  const stage = startStage(context, 'Measuring images', images.length)
  const counts = { measured: 0, changed: 0, unusable: 0 }
  let batch: { sha256: string; measures: ImageMeasures; textSigns?: TextSigns }[] = []
  const hand = async (): Promise<void> => {
    if (batch.length > 0) await context.send({ kind: 'image-measures', measured: batch })
    batch = []
  }
  const inspected = mapInOrder(images, 2 + 2 * availableParallelism(), async ({ sha256, sourceDir, path, frame }) => {
    context.signal.throwIfAborted()
    return { sha256, inspection: await inspectImage(path, sourceDir, 'full', frame + 1) }
  })
  let done = 0
  for await (const { sha256, inspection } of inspected) {
    context.signal.throwIfAborted()
    if (inspection.kind !== 'usable' || !inspection.measures) counts.unusable++
    else if (inspection.sha256 !== sha256) counts.changed++
    else {
      counts.measured++
      batch.push({ sha256, measures: inspection.measures, ...(inspection.textSigns ? { textSigns: inspection.textSigns } : {}) })
    }
    if (batch.length >= batchImages) await hand()
    stage.set(++done)
  }
  await hand()
  return counts
}

import { dirname } from 'node:path'
import type { RunningJob } from '../../host/engine-process.ts'
import type { JobResult, Progress } from '../../protocol.ts'
import type { Workspace } from '../workspace.ts'

export interface RunningMeasurement {
  /** Null when it was cancelled; what was measured until then is kept. */
  counts: Promise<JobResult<'images:measure'> | null>
  cancel: () => void
}

/** Measures the images of a cohort that have no measures yet: cohorts imported by an earlier version. */
export function startMeasuring(workspace: Pick<Workspace, 'store' | 'reader' | 'files'>, cohortId: number, onProgress?: (progress: Progress) => void): RunningMeasurement {
  let job: RunningJob<'images:measure'> | null = null
  let isCancelled = false
  const run = async (): Promise<JobResult<'images:measure'> | null> => {
    const images = await workspace.reader.read('fingerprint:unmeasured', { cohortId })
    if (isCancelled) return null
    job = workspace.files.start('images:measure', { images }, {
      onProgress,
      onData: (data) => { if (data.kind === 'image-measures') workspace.store.imageMeasures.add(data.measured) },
    })
    const outcome = await job.outcome
    return outcome.status === 'done' ? outcome.value : null
  }
  return {
    counts: run(),
    cancel: () => {
      isCancelled = true
      job?.cancel()
    },
  }
}

/** The images to measure with the places of their files; asked of the reader, since a cohort may hold tens of thousands. */
export function listUnmeasured({ store }: Pick<Workspace, 'store'>, cohortId: number): { sha256: string; sourceDir: string; path: string; frame: number }[] {
  return store.imageMeasures.listUnmeasured(cohortId).flatMap(({ sha256, studyId, slotId }) => {
    const file = store.patients.itemFile(studyId, slotId)
    return file === null ? [] : [{ sha256, sourceDir: dirname(file.path), path: file.path, frame: file.frame }]
  })
}

import { writeFile } from 'node:fs/promises'
import { AppError } from '../../engine/domain/errors.ts'
import { startMeasuring } from '../../engine/jobs/fingerprint/measure-cohort.ts'
import type { JobHandle } from '../services/job-board.ts'
import type { Handlers } from './answer.ts'
import type { HandlerContext } from './context.ts'

/** The fingerprint of a cohort: read, measured where that is missing, printed. */
export function fingerprintHandlers({ workspace, jobs, dialogs, printer, publish }: HandlerContext): Handlers<'fingerprint:get' | 'fingerprint:measure' | 'fingerprint:print'> {
  const { store, reader, paths } = workspace
  const measuring = new Map<number, string>()

  function measure(cohortId: number): string {
    const known = measuring.get(cohortId)
    if (known !== undefined) return known
    let handle: JobHandle | null = null
    const running = startMeasuring(workspace, cohortId, (progress) => handle?.progress(progress))
    const jobKey = `measure-${cohortId}-${Date.now()}`
    const started = jobs.start({ jobKey, kind: 'measure', title: store.cohorts.get(cohortId).name, cohortId, runId: null }, running.cancel)
    handle = started
    measuring.set(cohortId, jobKey)
    running.counts.then((counts) => started.end(counts === null ? 'cancelled' : 'done'), (error: unknown) => started.fail(error)).finally(() => {
      measuring.delete(cohortId)
      publish('cohorts:changed', { cohortId })
    })
    return jobKey
  }

  return {
    'fingerprint:get': ({ cohortId }) => reader.read('fingerprint:get', { cohortId, weightsDir: paths.weightsDir }),
    'fingerprint:measure': ({ cohortId }) => ({ jobKey: store.imageMeasures.countUnmeasured(cohortId) === 0 ? null : measure(cohortId) }),
    'fingerprint:print': async ({ cohortId }) => {
      const { name, contentHash } = store.cohorts.get(cohortId)
      const path = await dialogs.chooseSaveFile(`fingerprint-${cohortId}.pdf`)
      if (path === null) return { isWritten: false }
      const day = new Date().toISOString().slice(0, 10)
      const pages = await printer.printPage(`Lacuna ${workspace.versions.app} · ${name} · ${contentHash === null ? 'import not complete' : `cohort ${contentHash.slice(0, 16)}`} · ${day} · Research use only. Not for diagnosis or treatment.`)
      await writeFile(path, pages).catch((cause: unknown) => {
        throw new AppError('EXPORT_FAILED', 'The PDF could not be written to the chosen place.', { cause })
      })
      store.audit.append('fingerprint.printed', { cohortId })
      return { isWritten: true }
    },
  }
}

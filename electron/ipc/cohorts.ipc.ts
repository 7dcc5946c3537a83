import { AppError } from '../../engine/domain/errors.ts'
import { removeCohort } from '../../engine/jobs/remove-cohort.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

export function cohortHandlers({ workspace, jobs, publish }: HandlerContext): Handlers<'cohorts:list' | 'cohorts:get' | 'cohorts:rename' | 'cohorts:remove'> {
  const { store } = workspace
  return {
    'cohorts:list': () => store.cohorts.list(),
    // Over 20,000 patients these counts together would hold up the window for a tenth of a second: one at a time.
    'cohorts:get': async ({ cohortId }) => ({
      cohort: store.cohorts.get(cohortId),
      labelCounts: await onItsOwn(() => store.cohorts.labelCounts(cohortId)),
      patternCounts: await onItsOwn(() => store.cohorts.patternCounts(cohortId)),
      absences: await onItsOwn(() => store.cohorts.absences(cohortId)),
      labelWords: store.cohorts.labelWords(cohortId),
      duplicateImages: await onItsOwn(() => store.cohorts.duplicateImages(cohortId).map(({ count, acrossPatients, rows }) => ({ count, acrossPatients, rows }))),
      rejections: await onItsOwn(() => store.imports.report(cohortId).rejections),
    }),
    'cohorts:rename': ({ cohortId, name }) => {
      store.cohorts.rename(cohortId, name)
      publish('cohorts:changed', { cohortId })
      return {}
    },
    'cohorts:remove': ({ cohortId }) => {
      if (jobs.isImporting(cohortId)) throw new AppError('ENGINE_BUSY', `The import of "${store.cohorts.get(cohortId).name}" is going on.`)
      removeCohort(workspace, cohortId)
      publish('cohorts:changed', { cohortId })
      return {}
    },
  }
}

/** Does a piece of work after everything else that is waiting. */
function onItsOwn<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    })
  })
}

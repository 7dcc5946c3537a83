import { AppError } from '../../engine/domain/errors.ts'
import { removeCohort } from '../../engine/jobs/remove-cohort.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

export function cohortHandlers({ workspace, jobs, publish }: HandlerContext): Handlers<'cohorts:list' | 'cohorts:get' | 'cohorts:rename' | 'cohorts:remove'> {
  const { store } = workspace
  return {
    'cohorts:list': () => store.cohorts.list(),
    'cohorts:get': ({ cohortId }) => ({
      cohort: store.cohorts.get(cohortId),
      labelCounts: store.cohorts.labelCounts(cohortId),
      patternCounts: store.cohorts.patternCounts(cohortId),
      absences: store.cohorts.absences(cohortId),
      labelWords: store.cohorts.labelWords(cohortId),
      duplicateImages: store.cohorts.duplicateImages(cohortId).map(({ count, acrossPatients, rows }) => ({ count, acrossPatients, rows })),
      rejections: store.imports.report(cohortId).rejections,
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

import { AppError } from '../../engine/domain/errors.ts'
import { mappingSchema } from '../../engine/domain/mapping.ts'
import { removeCohort } from '../../engine/jobs/remove-cohort.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

export function cohortHandlers({ workspace, jobs, publish }: HandlerContext): Handlers<'cohorts:list' | 'cohorts:get' | 'cohorts:mapping' | 'cohorts:rename' | 'cohorts:remove'> {
  const { store, reader } = workspace
  return {
    'cohorts:list': () => reader.read('cohorts:list', {}),
    'cohorts:get': ({ cohortId }) => reader.read('cohorts:counts', { cohortId }),
    'cohorts:mapping': ({ cohortId }) => mappingSchema.parse(store.cohorts.importRequest(cohortId).mapping),
    'cohorts:rename': ({ cohortId, name }) => {
      store.cohorts.rename(cohortId, name)
      publish('cohorts:changed', { cohortId })
      return {}
    },
    'cohorts:remove': async ({ cohortId }) => {
      if (jobs.isImporting(cohortId)) throw new AppError('ENGINE_BUSY', `The import of "${store.cohorts.get(cohortId).name}" is going on.`)
      // It is out of every list at once, also where the erasing that follows fails and is left to the next start.
      await removeCohort(workspace, cohortId).finally(() => publish('cohorts:changed', { cohortId }))
      return {}
    },
  }
}

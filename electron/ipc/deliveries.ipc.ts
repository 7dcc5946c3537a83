import { AppError } from '../../engine/domain/errors.ts'
import { undoDelivery } from '../../engine/jobs/deliveries.ts'
import { checkOriginals, relinkOriginals, type RunningCheck } from '../../engine/jobs/originals.ts'
import type { OriginalsFolder } from '../../engine/domain/deliveries.ts'
import type { Progress } from '../../engine/protocol.ts'
import type { JobHandle } from '../services/job-board.ts'
import type { Handlers } from './answer.ts'
import type { HandlerContext } from './context.ts'

type DeliveryCalls = 'deliveries:list' | 'deliveries:changed' | 'deliveries:undo' | 'originals:check' | 'originals:relink'

export function deliveryHandlers({ workspace, jobs, publish }: HandlerContext): Handlers<DeliveryCalls> {
  const { store, reader } = workspace

  async function follow(cohortId: number, jobKey: string, begin: (onProgress: (progress: Progress) => void) => RunningCheck): Promise<OriginalsFolder[] | null> {
    let handle: JobHandle | null = null
    const running = begin((progress) => handle?.progress(progress))
    handle = jobs.start({ jobKey, kind: 'originals', title: store.cohorts.get(cohortId).name, cohortId, runId: null }, running.cancel)
    try {
      const folders = await running.folders
      handle.end(folders === null ? 'cancelled' : 'done')
      return folders
    } catch (error) {
      handle.fail(error)
      throw error
    }
  }

  return {
    'deliveries:list': ({ cohortId }) => reader.read('deliveries:list', { cohortId }),
    'deliveries:changed': ({ deliveryId }) => reader.read('deliveries:changed', { deliveryId }),
    'deliveries:undo': async ({ cohortId, deliveryId }) => {
      if (jobs.isImporting(cohortId)) throw new AppError('ENGINE_BUSY', `The import of "${store.cohorts.get(cohortId).name}" is going on.`)
      await undoDelivery(workspace, deliveryId).finally(() => publish('cohorts:changed', { cohortId }))
      return {}
    },
    'originals:check': ({ cohortId, depth, jobKey }) => follow(cohortId, jobKey, (onProgress) => checkOriginals(workspace, { cohortId, depth }, onProgress)),
    'originals:relink': async ({ cohortId, deliveryId, sourceDir, jobKey }) => {
      const folders = await follow(cohortId, jobKey, (onProgress) => relinkOriginals(workspace, cohortId, deliveryId, sourceDir, onProgress))
      publish('cohorts:changed', { cohortId })
      return folders
    },
  }
}

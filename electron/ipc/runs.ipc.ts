import { estimateRun, removeRun } from '../../engine/jobs/train-run.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

type RunCalls = 'runs:list' | 'runs:get' | 'runs:suggest' | 'runs:estimate' | 'runs:start' | 'runs:stop' | 'runs:resume' | 'runs:remove' | 'results:get' | 'results:intervals' | 'results:degraded' | 'results:degrade' | 'predictions:export'

export function runHandlers({ workspace, trainings, publish, dialogs }: HandlerContext): Handlers<RunCalls> {
  const { store, reader } = workspace
  return {
    'runs:list': ({ cohortId }) => store.runs.list(cohortId ?? undefined),
    'runs:get': ({ runId }) => {
      const run = store.runs.get(runId)
      return { run, epochs: store.runs.epochs(runId), splitProof: run.splitProof }
    },
    'runs:suggest': ({ cohortId }) => reader.read('runs:suggest', { cohortId }),
    'runs:estimate': ({ config }) => estimateRun(workspace, config),
    'runs:start': async ({ config }) => ({ runId: await trainings.start(config) }),
    'runs:stop': ({ runId }) => {
      trainings.stop(runId)
      return {}
    },
    'runs:resume': async ({ runId }) => {
      await trainings.resume(runId)
      return {}
    },
    'runs:remove': async ({ runId }) => {
      await removeRun(workspace, runId).finally(() => publish('runs:changed', { runId }))
      return {}
    },
    'results:get': (request) => reader.read('results:get', request),
    'results:intervals': (request) => reader.read('results:intervals', request),
    'results:degraded': ({ runId }) => store.degradedResults.list(runId),
    'results:degrade': ({ runId, degradations }) => ({ jobKey: trainings.test(runId, degradations) }),
    'predictions:export': async ({ runId }) => {
      const path = await dialogs.chooseSaveFile(`predictions-run-${runId}.csv`)
      if (path === null) return { path: null, rowCount: 0 }
      const rowCount = await reader.read('predictions:export', { runId, outFile: path })
      store.audit.append('predictions.exported', { runId, rowCount })
      return { path, rowCount }
    },
  }
}

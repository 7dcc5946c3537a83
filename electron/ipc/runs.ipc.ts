import { exportPredictions } from '../../engine/jobs/export-predictions.ts'
import { evaluateRun } from '../../engine/jobs/results.ts'
import { suggestRun } from '../../engine/jobs/suggest-run.ts'
import { estimateRun, removeRun } from '../../engine/jobs/train-run.ts'
import type { HandlerContext } from './context.ts'
import type { Handlers } from './answer.ts'

type RunCalls = 'runs:list' | 'runs:get' | 'runs:suggest' | 'runs:estimate' | 'runs:start' | 'runs:stop' | 'runs:resume' | 'runs:remove' | 'results:get' | 'predictions:export'

export function runHandlers({ workspace, trainings, publish, dialogs }: HandlerContext): Handlers<RunCalls> {
  const { store } = workspace
  return {
    'runs:list': ({ cohortId }) => store.runs.list(cohortId ?? undefined),
    'runs:get': ({ runId }) => {
      const run = store.runs.get(runId)
      return { run, epochs: store.runs.epochs(runId), splitProof: run.splitProof }
    },
    'runs:suggest': ({ cohortId }) => suggestRun(workspace, cohortId),
    'runs:estimate': ({ config }) => estimateRun(workspace, config),
    'runs:start': ({ config }) => ({ runId: trainings.start(config) }),
    'runs:stop': ({ runId }) => {
      trainings.stop(runId)
      return {}
    },
    'runs:resume': ({ runId }) => {
      trainings.resume(runId)
      return {}
    },
    'runs:remove': ({ runId }) => {
      removeRun(workspace, runId)
      publish('runs:changed', { runId })
      return {}
    },
    'results:get': ({ runId, setting }) => evaluateRun(workspace, runId, setting),
    'predictions:export': async ({ runId }) => {
      const path = await dialogs.chooseSaveFile(`predictions-run-${runId}.csv`)
      return path === null ? { path: null, rowCount: 0 } : { path, rowCount: exportPredictions(workspace, runId, path) }
    },
  }
}

import type { Degradation } from '../../engine/domain/degradation.ts'
import type { RunConfig } from '../../engine/domain/run.ts'
import { AppError } from '../../engine/domain/errors.ts'
import { startDegradedTests } from '../../engine/jobs/degraded/evaluate-degraded.ts'
import { resumeTraining, startTraining, type RunHooks, type RunningTraining } from '../../engine/jobs/train-run.ts'
import type { Workspace } from '../../engine/jobs/workspace.ts'
import type { EventName, EventPayload } from '../contract/contract.ts'
import type { JobBoard, JobHandle } from './job-board.ts'

const minimumLossGapMs = 100

export interface Trainings {
  start: (config: RunConfig) => Promise<number>
  resume: (runId: number) => Promise<void>
  stop: (runId: number) => void
  /** Tests a finished run on worse images or shorter texts; the key of its job. */
  test: (runId: number, degradations: readonly Degradation[]) => string
}

/** The one training that may go on at a time, tied to the jobs tray and the run page. */
export function createTrainings(workspace: Workspace, jobs: JobBoard, publish: <K extends EventName>(event: K, payload: EventPayload<K>) => void): Trainings {
  let current: RunningTraining | null = null
  /** A run is planned and stored, which takes a second or two over a large cohort. */
  let isStarting = false
  /** A run under test; the engine computes one thing at a time. */
  let tested: number | null = null

  function assertIdle(): void {
    if (isStarting) throw new AppError('ENGINE_BUSY', 'Another run is being started.')
    if (current) throw new AppError('ENGINE_BUSY', `"${workspace.store.runs.get(current.runId).name}" is training.`)
    if (tested !== null) throw new AppError('ENGINE_BUSY', `"${workspace.store.runs.get(tested).name}" is being tested.`)
  }

  function hooksFor(job: () => JobHandle | null, runId: () => number | null): RunHooks {
    let lastLossMs = 0
    return {
      onProgress: (progress) => job()?.progress(progress),
      onData: (data) => {
        const id = runId()
        if (id === null) return
        if (data.kind === 'epoch') publish('runs:epoch', { runId: id, epoch: data.epoch })
        else if (data.kind === 'batch-loss' && performance.now() - lastLossMs >= minimumLossGapMs) {
          lastLossMs = performance.now()
          publish('runs:loss', { runId: id, fold: data.fold, epoch: data.epoch, step: data.step, loss: data.loss })
        }
      },
    }
  }

  async function follow(begin: (hooks: RunHooks) => Promise<RunningTraining>): Promise<number> {
    assertIdle()
    let handle: JobHandle | null = null
    isStarting = true
    const running = await begin(hooksFor(() => handle, () => current?.runId ?? null)).finally(() => (isStarting = false))
    current = running
    const run = workspace.store.runs.get(running.runId)
    handle = jobs.start({ jobKey: `run-${running.runId}-${Date.now()}`, kind: 'training', title: run.name, cohortId: run.cohortId, runId: running.runId }, running.cancel)
    publish('runs:changed', { runId: running.runId })
    const ended = handle
    running.done.then(
      (record) => ended.end(record.status === 'cancelled' ? 'cancelled' : 'done'),
      (error: unknown) => ended.fail(error),
    ).finally(() => {
      current = null
      publish('runs:changed', { runId: running.runId })
    })
    return running.runId
  }

  function test(runId: number, degradations: readonly Degradation[]): string {
    assertIdle()
    const run = workspace.store.runs.get(runId)
    const jobKey = `test-${runId}-${Date.now()}`
    let handle: JobHandle | null = null
    const running = startDegradedTests(workspace, runId, degradations, (progress) => handle?.progress(progress))
    handle = jobs.start({ jobKey, kind: 'test', title: run.name, cohortId: run.cohortId, runId }, running.cancel)
    const ended = handle
    tested = runId
    running.done.then(
      (results) => ended.end(results === null ? 'cancelled' : 'done'),
      (error: unknown) => ended.fail(error),
    ).finally(() => {
      tested = null
      publish('runs:changed', { runId })
    })
    return jobKey
  }

  return {
    test,
    start: (config) => follow((hooks) => startTraining(workspace, config, hooks)),
    resume: async (runId) => void await follow((hooks) => resumeTraining(workspace, runId, hooks)),
    stop: (runId) => {
      if (current?.runId !== runId) throw new AppError('RUN_WRONG_STATE', 'This run is not training now.')
      current.stop()
    },
  }
}

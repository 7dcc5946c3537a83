import type { Progress } from '../../engine/protocol.ts'
import { toErrorOutcome } from '../../engine/domain/errors.ts'
import type { Job } from '../contract/contract.ts'

/** At most ten progress messages a second reach the window, whatever the engine sends. */
const minimumGapMs = 100
/** Ended jobs stay visible until this many newer ones have ended. */
const keptEnded = 20

export interface JobBoard {
  start: (draft: Pick<Job, 'jobKey' | 'kind' | 'title' | 'cohortId' | 'runId'>, cancel: () => void) => JobHandle
  list: () => Job[]
  cancel: (jobKey: string) => void
  /** True while an import fills this cohort, the demo's included. */
  isImporting: (cohortId: number) => boolean
}

export interface JobHandle {
  progress: (progress: Progress) => void
  end: (status: 'done' | 'cancelled') => void
  fail: (error: unknown) => void
}

/** The long jobs of this session, as the jobs tray shows them. */
export function createJobBoard(publish: (job: Job) => void): JobBoard {
  const jobs = new Map<string, { job: Job; cancel: () => void }>()

  function prune(): void {
    const ended = [...jobs.values()].filter(({ job }) => job.status !== 'running')
    for (const { job } of ended.slice(0, Math.max(0, ended.length - keptEnded))) jobs.delete(job.jobKey)
  }

  return {
    start: (draft, cancel) => {
      const job: Job = { ...draft, status: 'running', stage: 'Starting', done: 0, total: null, secondsLeft: null, error: null }
      jobs.set(job.jobKey, { job, cancel })
      publish({ ...job })
      let lastMs = 0
      const end = (changes: Partial<Job>) => {
        Object.assign(job, changes, { secondsLeft: null })
        publish({ ...job })
        prune()
      }
      return {
        progress: (progress) => {
          const isNewStage = progress.stage !== job.stage
          Object.assign(job, progress)
          if (!isNewStage && performance.now() - lastMs < minimumGapMs) return
          lastMs = performance.now()
          publish({ ...job })
        },
        end: (status) => end({ status }),
        fail: (error) => end({ status: 'failed', error: toErrorOutcome(error, 'ENGINE_CRASHED') }),
      }
    },
    list: () => [...jobs.values()].map(({ job }) => ({ ...job })).reverse(),
    cancel: (jobKey) => jobs.get(jobKey)?.cancel(),
    isImporting: (cohortId) => [...jobs.values()].some(({ job }) => job.status === 'running' && job.kind !== 'training' && job.kind !== 'test' && job.kind !== 'alarms' && job.kind !== 'measure' && job.cohortId === cohortId),
  }
}

import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { Job } from '../../electron/contract/contract.ts'
import { call, on } from '../api.ts'

/** An ended job of the same cohort or run, which a new one resumes or repeats. */
function isEndedPredecessor(other: Job, job: Job): boolean {
  if (other.jobKey === job.jobKey || other.status === 'running' || (other.kind === 'test') !== (job.kind === 'test') || (other.kind === 'measure') !== (job.kind === 'measure')) return false
  return job.runId !== null ? other.runId === job.runId : job.cohortId !== null && other.runId === null && other.cohortId === job.cohortId
}

/** Every long job of this session, running or ended, for the tray. */
export const useJobsStore = defineStore('jobs', () => {
  const byKey = shallowRef(new Map<string, Job>())
  const dismissed = new Set<string>()
  const jobs = computed(() => [...byKey.value.values()].reverse())
  const running = computed(() => jobs.value.filter((job) => job.status === 'running'))

  function put(job: Job): void {
    if (dismissed.has(job.jobKey)) return
    // A check that went through is seen on its page, and drawing the demo leads to its import; only while they run or when they failed they belong in the tray.
    const isAside = job.kind === 'check' || (job.kind === 'demo' && job.cohortId === null)
    if (isAside && (job.status === 'done' || job.status === 'cancelled')) return dismiss(job.jobKey)
    const next = new Map(byKey.value).set(job.jobKey, job)
    // A job that goes on with an earlier one takes its place.
    if (job.status === 'running') for (const [key, other] of next) if (isEndedPredecessor(other, job)) next.delete(key)
    byKey.value = next
  }
  /** Takes what main knows and keeps listening. Call once. */
  async function follow(): Promise<void> {
    on('jobs:changed', put)
    for (const job of await call('jobs:list', {})) if (!byKey.value.has(job.jobKey)) put(job)
  }
  function cancel(jobKey: string): Promise<unknown> {
    return call('jobs:cancel', { jobKey })
  }
  /** Takes an ended job out of the tray. */
  function dismiss(jobKey: string): void {
    dismissed.add(jobKey)
    const next = new Map(byKey.value)
    next.delete(jobKey)
    byKey.value = next
  }
  const ofCohort = (cohortId: number): Job | undefined => jobs.value.find((job) => job.cohortId === cohortId && job.kind !== 'training' && job.kind !== 'test' && job.kind !== 'measure')
  const ofRun = (runId: number): Job | undefined => jobs.value.find((job) => job.runId === runId && job.kind !== 'test')
  const testOf = (runId: number): Job | undefined => jobs.value.find((job) => job.runId === runId && job.kind === 'test')
  return { byKey, jobs, running, follow, cancel, dismiss, ofCohort, ofRun, testOf }
})

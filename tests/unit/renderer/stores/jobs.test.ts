import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import type { Job } from '../../../../electron/contract/contract.ts'
import { useJobsStore } from '../../../../renderer/stores/jobs.store.ts'

let tell: (job: Job) => void = () => undefined
const jobOf = (jobKey: string, changes: Partial<Job> = {}): Job => ({
  jobKey, kind: 'import', title: jobKey, status: 'running', stage: '', done: 0, total: null, secondsLeft: null, cohortId: null, runId: null, error: null, ...changes,
})

beforeEach(() => {
  setActivePinia(createPinia())
  vi.stubGlobal('window', {
    api: {
      call: () => Promise.resolve({ ok: true, value: [jobOf('old', { done: 1 })] }),
      on: (_channel: string, listener: (job: Job) => void) => {
        tell = listener
        return () => undefined
      },
    },
  })
})

const keys = (): string[] => useJobsStore().jobs.map((job) => job.jobKey)

it('does not let the first list overwrite what an event has told', async () => {
  const following = useJobsStore().follow()
  tell(jobOf('old', { done: 7 }))
  await following
  expect(useJobsStore().byKey.get('old')?.done).toBe(7)
})

it('shows the newest first and forgets what was cleared', async () => {
  await useJobsStore().follow()
  tell(jobOf('new', { cohortId: 2 }))
  expect(keys()).toEqual(['new', 'old'])
  useJobsStore().dismiss('old')
  tell(jobOf('old', { done: 2 }))
  expect(keys()).toEqual(['new'])
})

it('keeps a failed check and lets one go that went through', async () => {
  await useJobsStore().follow()
  tell(jobOf('good', { kind: 'check' }))
  tell(jobOf('good', { kind: 'check', status: 'done' }))
  tell(jobOf('bad', { kind: 'check', status: 'failed' }))
  expect(keys()).toEqual(['bad', 'old'])
})

it('puts a resumed import in the place of the stopped one', async () => {
  await useJobsStore().follow()
  tell(jobOf('first', { cohortId: 3, status: 'cancelled' }))
  tell(jobOf('training', { cohortId: 3, runId: 9, kind: 'training', status: 'done' }))
  tell(jobOf('second', { cohortId: 3 }))
  expect(keys()).toEqual(['second', 'training', 'old'])
  expect(useJobsStore().ofCohort(3)?.jobKey).toBe('second')
  expect(useJobsStore().ofRun(9)?.jobKey).toBe('training')
})

import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { Job } from '../../../electron/contract/contract.ts'
import type { OriginalsFolder } from '../../../engine/domain/deliveries.ts'
import type { AppError } from '../../../engine/domain/errors.ts'
import { call } from '../../api.ts'
import { useJobsStore } from '../../stores/jobs.store.ts'
import { asAppError } from '../common/useAsync.ts'

export interface Originals {
  folders: ShallowRef<OriginalsFolder[] | null>
  error: ShallowRef<AppError | null>
  job: ComputedRef<Job | null>
  isRunning: Ref<boolean>
  /** The folder that was just taken, to say so. */
  relinked: Ref<number | null>
  check: (depth: 'size' | 'content') => Promise<void>
  /** Asks for the new place of a folder; it is taken only when every file in it has the content it had. */
  relink: (folder: OriginalsFolder) => Promise<void>
  stop: () => void
}

/** The check of a cohort's original files. */
export function useOriginals(cohortId: () => number): Originals {
  const jobs = useJobsStore()
  const folders = shallowRef<OriginalsFolder[] | null>(null)
  const error = shallowRef<AppError | null>(null)
  const jobKey = ref<string | null>(null)
  const isRunning = ref(false)
  const relinked = ref<number | null>(null)

  async function run(ask: (key: string) => Promise<OriginalsFolder[] | null>): Promise<OriginalsFolder[] | null> {
    const key = `originals-${cohortId()}-${Date.now()}`
    jobKey.value = key
    isRunning.value = true
    error.value = null
    relinked.value = null
    try {
      return await ask(key)
    } catch (caught) {
      error.value = asAppError(caught)
      return null
    } finally {
      isRunning.value = false
    }
  }
  async function check(depth: 'size' | 'content'): Promise<void> {
    const found = await run((key) => call('originals:check', { cohortId: cohortId(), jobKey: key, depth }))
    if (found !== null) folders.value = found
  }
  async function relink(folder: OriginalsFolder): Promise<void> {
    const { path } = await call('import:choose-folder', {})
    if (path === null) return
    const found = await run((key) => call('originals:relink', { cohortId: cohortId(), jobKey: key, deliveryId: folder.deliveryId, sourceDir: path }))
    if (found === null) return
    relinked.value = folder.number
    folders.value = (folders.value ?? []).map((old) => found.find(({ number }) => number === old.number) ?? old)
  }
  const stop = (): void => {
    if (jobKey.value !== null) void call('jobs:cancel', { jobKey: jobKey.value })
  }
  return { folders, error, isRunning, relinked, check, relink, stop, job: computed(() => (jobKey.value === null ? null : jobs.byKey.get(jobKey.value) ?? null)) }
}

import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { AppError } from '../../engine/domain/errors.ts'
import type { CohortSummary } from '../../engine/domain/records.ts'
import { call, on } from '../api.ts'
import { asAppError } from '../composables/common/useAsync.ts'

/** While an import writes, a change is announced for every batch; the list is read again at most this often. */
const reloadGapMs = 1000

/** The cohorts as main last told them; null until the first answer. */
export const useCohortsStore = defineStore('cohorts', () => {
  const cohorts = shallowRef<CohortSummary[] | null>(null)
  const error = shallowRef<AppError | null>(null)
  const byId = computed(() => new Map((cohorts.value ?? []).map((cohort) => [cohort.cohortId, cohort])))
  let timer: ReturnType<typeof setTimeout> | null = null

  async function load(): Promise<void> {
    error.value = null
    try {
      cohorts.value = await call('cohorts:list', {})
    } catch (caught) {
      error.value = asAppError(caught)
    }
  }
  /** Reads the list unless it is there. */
  async function ensure(): Promise<void> {
    if (cohorts.value === null) await load()
  }
  function follow(): void {
    on('cohorts:changed', () => {
      timer ??= setTimeout(() => {
        timer = null
        void load()
      }, reloadGapMs)
    })
  }
  async function rename(cohortId: number, name: string): Promise<void> {
    await call('cohorts:rename', { cohortId, name })
    await load()
  }
  async function remove(cohortId: number): Promise<void> {
    await call('cohorts:remove', { cohortId })
    await load()
  }
  return { cohorts, error, byId, load, ensure, follow, rename, remove }
})

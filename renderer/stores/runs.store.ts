import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { AppError } from '../../engine/domain/errors.ts'
import type { RunRecord } from '../../engine/domain/records.ts'
import { call, on } from '../api.ts'
import { asAppError } from '../composables/common/useAsync.ts'

/** The runs of all cohorts as main last told them, newest first; null until the first answer. */
export const useRunsStore = defineStore('runs', () => {
  const runs = shallowRef<RunRecord[] | null>(null)
  const error = shallowRef<AppError | null>(null)
  const byId = computed(() => new Map((runs.value ?? []).map((run) => [run.runId, run])))
  let isFollowing = false
  let latest = 0

  async function load(): Promise<void> {
    const mine = ++latest
    // From the first load on every change is heard, so that a list shown later is never an old one.
    if (!isFollowing) {
      isFollowing = true
      on('runs:changed', () => void load())
    }
    try {
      const answer = await call('runs:list', { cohortId: null })
      if (mine !== latest) return
      runs.value = [...answer].sort((a, b) => b.runId - a.runId)
      error.value = null
    } catch (caught) {
      if (mine === latest) error.value = asAppError(caught)
    }
  }
  async function ensure(): Promise<void> {
    if (runs.value === null) await load()
  }
  const ofCohort = (cohortId: number): RunRecord[] => (runs.value ?? []).filter((run) => run.cohortId === cohortId)
  return { runs, error, byId, load, ensure, ofCohort }
})

import { computed, onScopeDispose, watch, type ComputedRef, type Ref } from 'vue'
import type { CallReply } from '../../../electron/contract/contract.ts'
import { call, on } from '../../api.ts'
import { useAsync, type AsyncState } from '../common/useAsync.ts'

export type AlarmsOfCohort = CallReply<'alarms:get'>

/** The alarms and decisions of a cohort, read again whenever something about it changes. */
export function useAlarms(cohortId: Ref<number> | ComputedRef<number>): {
  state: Ref<AsyncState<AlarmsOfCohort>>
  value: ComputedRef<AlarmsOfCohort | null>
  reload: (showLoading?: boolean) => Promise<void>
  search: () => Promise<void>
} {
  const { state, reload } = useAsync(() => call('alarms:get', { cohortId: cohortId.value }))
  watch(cohortId, (id) => { if (Number.isFinite(id)) void reload(true) })
  const stop = on('cohorts:changed', (changed) => { if (changed.cohortId === cohortId.value) void reload() })
  onScopeDispose(stop)
  const value = computed(() => (state.value.status === 'ready' ? state.value.value : null))
  return {
    state, value, reload,
    search: async () => {
      await call('alarms:search', { cohortId: cohortId.value })
      await reload()
    },
  }
}

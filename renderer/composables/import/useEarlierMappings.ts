import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
import type { AppError } from '../../../engine/domain/errors.ts'
import { call } from '../../api.ts'
import { useCohortsStore } from '../../stores/cohorts.store.ts'
import { asAppError } from '../common/useAsync.ts'
import { draftOfMapping, type MappingDraft } from './mapping-draft.ts'

/** Every import keeps its mapping under the cohort's name; here it is offered for the next delivery of the same kind. */
export function useEarlierMappings(): {
  cohorts: ComputedRef<{ cohortId: number; name: string }[]>
  error: ShallowRef<AppError | null>
  /** The mapping of a cohort as a draft for the table at hand, whose own second table stays. Null when it cannot be read. */
  draftOf: (cohortId: number, current: MappingDraft) => Promise<MappingDraft | null>
} {
  const store = useCohortsStore()
  void store.ensure()
  const error = shallowRef<AppError | null>(null)
  async function draftOf(cohortId: number, current: MappingDraft): Promise<MappingDraft | null> {
    error.value = null
    try {
      return { ...draftOfMapping(await call('cohorts:mapping', { cohortId })), join: current.join }
    } catch (caught) {
      error.value = asAppError(caught)
      return null
    }
  }
  const cohorts = computed(() => [...store.byId.values()].map(({ cohortId, name }) => ({ cohortId, name })))
  return { cohorts, error, draftOf }
}

import { useRouter, type RouteLocationRaw } from 'vue-router'
import type { StudyFilter } from '../../../engine/domain/records.ts'
import { studyFilterSchema } from '../../../engine/domain/records.ts'
import type { Selection } from '../../../engine/domain/selection.ts'
import { queryOfFilter } from '../patient/patient-filter.ts'

/** Where the patients behind a number of the fingerprint are listed: without a run, and without excluded studies, which are in none of its numbers. */
export function listOf(cohortId: number, wanted: Partial<Omit<StudyFilter, 'cohortId'>>): RouteLocationRaw {
  const filter = studyFilterSchema.parse({ cohortId, isExcluded: wanted.selection ? null : false, ...wanted })
  return { name: 'patients', query: { ...queryOfFilter(filter), cohort: String(cohortId), run: 'none' } }
}

/** Opens a list from a shape of a plot, where no link can stand. */
export function useListOpener(cohortId: () => number): (wanted: Partial<Omit<StudyFilter, 'cohortId'>>) => void {
  const router = useRouter()
  return (wanted) => void router.push(listOf(cohortId(), wanted))
}

export const ofSelection = (selection: Selection): Pick<StudyFilter, 'selection'> => ({ selection })

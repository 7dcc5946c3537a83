import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import type { StudyFilter, StudyListPage, StudyListQueryInput, StudyListRow } from '../../../engine/domain/records.ts'
import { pageSize, pagesOfRange, pagesToDrop } from './page-window.ts'

/** Pages kept in memory: 40 x 100 rows, far more than a screen and far less than a cohort. */
const keptPages = 40

export interface PatientList {
  total: Ref<number | null>
  /** Persons whom the studies are of. */
  patients: Ref<number>
  error: Ref<unknown>
  isLoading: Ref<boolean>
  /** Changes whenever rows arrive, so that a template that reads `rowAt` is drawn again. */
  version: Ref<number>
  rowAt: (index: number) => StudyListRow | undefined
  /** Asks for the rows of a visible range; what is there or on its way is not asked for again. */
  ensureRange: (firstRow: number, lastRow: number) => void
  /** Forgets everything and asks again from the range last seen. */
  reload: () => void
}

/**
 * Server-side paging behind a virtual list. Every filter change starts a new generation; answers of an older one are dropped,
 * because rows of two filters in one list would be a wrong list that looks right.
 */
export function usePatientList(filter: Ref<StudyFilter | null>, fetchPage: (query: StudyListQueryInput) => Promise<StudyListPage>): PatientList {
  const total = ref<number | null>(null)
  const patients = ref(0)
  const error = ref<unknown>(null)
  const isLoading = ref(false)
  const version = ref(0)
  const pages = shallowRef(new Map<number, StudyListRow[]>())
  const waiting = new Set<number>()
  let generation = 0
  let seen: [number, number] = [0, 0]

  const load = async (page: number): Promise<void> => {
    if (filter.value === null || waiting.has(page) || pages.value.has(page)) return
    const mine = generation
    waiting.add(page)
    try {
      const answer = await fetchPage({ ...filter.value, offset: page * pageSize, limit: pageSize })
      if (mine !== generation) return
      pages.value.set(page, answer.rows)
      total.value = answer.total
      patients.value = answer.patients
      error.value = null
      for (const far of pagesToDrop([...pages.value.keys()], Math.floor(seen[0] / pageSize), keptPages)) pages.value.delete(far)
      version.value++
    } catch (thrown) {
      if (mine === generation) error.value = thrown
    } finally {
      if (mine === generation) {
        waiting.delete(page)
        isLoading.value = waiting.size > 0
      }
    }
  }

  const ensureRange = (firstRow: number, lastRow: number): void => {
    seen = [firstRow, lastRow]
    if (filter.value === null) return
    for (const page of pagesOfRange(firstRow, lastRow, total.value)) void load(page)
    isLoading.value = waiting.size > 0
  }

  const restart = (): void => {
    generation++
    pages.value = new Map()
    waiting.clear()
    error.value = null
    version.value++
    ensureRange(...seen)
  }

  watch(filter, () => {
    total.value = null
    seen = [0, 0]
    restart()
  }, { immediate: true })
  onScopeDispose(() => generation++)

  const rowAt = (index: number): StudyListRow | undefined => pages.value.get(Math.floor(index / pageSize))?.[index % pageSize]
  return { total, patients, error, isLoading, version, rowAt, ensureRange, reload: restart }
}

import { effectScope, nextTick, shallowRef } from 'vue'
import { describe, expect, it } from 'vitest'
import { studyFilterSchema, type StudyFilter, type StudyListPage, type StudyListQueryInput, type StudyListRow } from '../../../../../engine/domain/records.ts'
import { usePatientList } from '../../../../../renderer/composables/patient/usePatientList.ts'

const settle = async (): Promise<void> => { for (let turn = 0; turn < 5; turn++) await nextTick() }

const rowOf = (studyId: number): StudyListRow => ({
  studyId, patientKey: `P-${studyId}`, studyKey: 'S', ageYears: null, sex: null, pattern: '', presence: [], referenceLabels: [], unknownLabelCount: 0, isExcluded: false, personKey: null, prediction: null, review: null,
})

/** A store of `total` studies that answers when told to. */
function slowStore(total: number) {
  const asked: { query: StudyListQueryInput; answer: () => void; fail: (error: Error) => void }[] = []
  const fetchPage = (query: StudyListQueryInput): Promise<StudyListPage> => new Promise((resolve, reject) => {
    const offset = query.offset ?? 0
    const rows = Array.from({ length: Math.max(0, Math.min(query.limit ?? 100, total - offset)) }, (_, index) => rowOf(offset + index + (query.search === 'b' ? 1_000_000 : 0)))
    asked.push({ query, answer: () => resolve({ total, patients: total, rows }), fail: reject })
  })
  return { asked, fetchPage, answerAll: async () => { for (const request of asked.splice(0)) request.answer(); await settle() } }
}

function open(total: number) {
  const store = slowStore(total)
  const filter = shallowRef<StudyFilter | null>(studyFilterSchema.parse({ cohortId: 1 }))
  const scope = effectScope()
  const list = scope.run(() => usePatientList(filter, store.fetchPage))!
  return { store, filter, list, scope }
}

describe('usePatientList', () => {
  it('reads only the pages around what is seen of 20,000 rows', async () => {
    const { store, list } = open(20_000)
    await store.answerAll()
    expect(list.total.value).toBe(20_000)
    list.ensureRange(12_340, 12_380)
    expect(store.asked.map((request) => request.query.offset)).toEqual([12_300, 12_200, 12_400])
    await store.answerAll()
    expect(list.rowAt(12_345)?.studyId).toBe(12_345)
    list.ensureRange(12_345, 12_385)
    expect(store.asked).toEqual([])
  })

  it('drops answers that belong to an older filter', async () => {
    const { store, filter, list } = open(300)
    const old = store.asked.splice(0)
    filter.value = studyFilterSchema.parse({ cohortId: 1, search: 'b' })
    await settle()
    await store.answerAll()
    for (const request of old) request.answer()
    await settle()
    expect(list.rowAt(0)?.studyId).toBe(1_000_000)
  })

  it('tells an error and recovers on reload', async () => {
    const { store, list } = open(10)
    for (const request of store.asked.splice(0)) request.fail(new Error('locked'))
    await settle()
    expect(list.error.value).toBeInstanceOf(Error)
    expect(list.isLoading.value).toBe(false)
    list.reload()
    await store.answerAll()
    expect([list.error.value, list.total.value]).toEqual([null, 10])
  })

  it('ignores answers after it was closed', async () => {
    const { store, list, scope } = open(10)
    scope.stop()
    await store.answerAll()
    expect(list.total.value).toBeNull()
  })
})

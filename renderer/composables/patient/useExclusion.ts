import { computed, ref, shallowRef } from 'vue'
import type { DecisionDraft } from '../../../engine/domain/curation.ts'
import { call } from '../../api.ts'
import { usePatientsStore } from '../../stores/patients.store.ts'

/** The person that is to be excluded, or to count again: all studies of the same patient, merged keys included. */
export interface ExclusionTarget { cohortId: number; patientKey: string; studyIds: number[]; isExcluded: boolean }

/** Excluding a patient and taking that back, for the list and for the page. */
export function useExclusion(changed: () => void) {
  const patients = usePatientsStore()
  const target = shallowRef<ExclusionTarget | null>(null)
  const isOpen = ref(false)
  const draft = computed((): DecisionDraft | null => (target.value === null || target.value.isExcluded ? null : { kind: 'exclude-studies', studyIds: target.value.studyIds }))

  /** Asks about the patient of a study. */
  async function ask(studyId: number): Promise<void> {
    const { study } = await patients.page(studyId, null)
    target.value = { cohortId: study.cohortId, patientKey: study.personKeys[0] ?? study.patientKey, studyIds: [study.studyId, ...study.siblingStudyIds], isExcluded: study.isExcluded }
    isOpen.value = true
  }
  const done = (): void => {
    patients.forgetAll()
    changed()
  }
  const preview = async (asked: DecisionDraft): Promise<string> => (await call('curation:preview', { cohortId: target.value!.cohortId, draft: asked })).effect
  async function exclude(asked: DecisionDraft, reason: string): Promise<void> {
    await call('curation:decide', { cohortId: target.value!.cohortId, draft: asked, reason })
    done()
  }
  async function include(reason: string): Promise<void> {
    const { cohortId, studyIds } = target.value!
    await call('curation:include', { cohortId, studyIds, reason })
    done()
  }
  return { target, isOpen, draft, ask, preview, exclude, include }
}

import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'
import type { CohortDetail } from '../../../electron/contract/contract.ts'
import type { RunConfig, RunEstimate } from '../../../engine/domain/run.ts'
import { problemsOfDraft, type FieldProblems } from './run-draft.ts'

/** Waits this long after the last change before asking for an estimate, so that typing a number asks once. */
const estimateDelayMs = 350

export interface SlotOption { slotId: string; presentCount: number; studyCount: number }
export interface LabelOption { labelId: number; name: string; positives: number; negatives: number; unknown: number }

/** How many studies hold an item for each slot of the cohort. */
export function slotOptionsOf(detail: CohortDetail): SlotOption[] {
  // Excluded studies are in none of the counts.
  const studyCount = detail.cohort.studyCount - detail.cohort.curation.excludedStudyCount
  return detail.cohort.slots.map((slot) => {
    const absent = detail.absences.filter((absence) => absence.slotId === slot.slotId).reduce((sum, absence) => sum + absence.count, 0)
    return { slotId: slot.slotId, presentCount: studyCount - absent, studyCount }
  })
}

/** The cohort's labels with how often each occurs; a label without counts shows as never seen. */
export function labelOptionsOf(detail: CohortDetail): LabelOption[] {
  const counts = new Map(detail.labelCounts.map((count) => [count.name, count]))
  return detail.cohort.labels.map((label) => {
    const count = counts.get(label.name)
    return { labelId: label.labelId, name: label.name, positives: count?.positives ?? 0, negatives: count?.negatives ?? 0, unknown: count?.unknown ?? 0 }
  })
}

export interface RunEstimateState {
  estimate: Ref<RunEstimate | null>
  problems: ComputedRef<FieldProblems>
  isEstimating: Ref<boolean>
  estimateError: Ref<unknown>
}

/**
 * Keeps an estimate beside a draft. Only valid drafts are sent; an answer that a later change has overtaken is dropped,
 * because a slow reply shown beside newer settings would be a wrong number that looks right.
 */
export function useRunEstimate(draft: Ref<RunConfig | null>, ask: (config: RunConfig) => Promise<RunEstimate>): RunEstimateState {
  const estimate = ref<RunEstimate | null>(null)
  const isEstimating = ref(false)
  const estimateError = ref<unknown>(null)
  const problems = computed(() => (draft.value === null ? {} : problemsOfDraft(draft.value)))
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  const send = async (config: RunConfig): Promise<void> => {
    const mine = ++asked
    try {
      const answer = await ask(config)
      if (mine !== asked) return
      estimate.value = answer
      estimateError.value = null
    } catch (error) {
      if (mine !== asked) return
      estimate.value = null
      estimateError.value = error
    }
    isEstimating.value = false
  }

  watch(draft, (next) => {
    clearTimeout(timer)
    asked++
    if (next === null) return
    if (Object.keys(problems.value).length > 0) {
      isEstimating.value = false
      estimate.value = null
      return
    }
    isEstimating.value = true
    // A deep copy: the draft is a reactive proxy, which cannot be sent between processes.
    const config = JSON.parse(JSON.stringify(next)) as RunConfig
    timer = setTimeout(() => void send(config), estimateDelayMs)
  }, { deep: true, immediate: true })
  onScopeDispose(() => {
    clearTimeout(timer)
    asked++
  })
  return { estimate, problems, isEstimating, estimateError }
}

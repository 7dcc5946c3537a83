import { computed, onScopeDispose, ref, watch, type ComputedRef } from 'vue'
import type { Job } from '../../../electron/contract/contract.ts'
import { importingStage, type ImportCheck } from '../../../engine/domain/import.ts'

interface Sample { atMs: number; done: number }

/** Speed is counted over this long, so that it follows a slow disk without jumping. */
const windowMs = 6000

/** Studies a second between the first and the last sample; null while that is a guess. */
export function rateOf(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined || last.atMs - first.atMs < 800 || last.done <= first.done) return null
  return ((last.done - first.done) / (last.atMs - first.atMs)) * 1000
}

/** The samples with a new one, those of another stage or beyond the window dropped. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1)
  if (last !== undefined && sample.done < last.done) return [sample]
  return [...samples.filter((entry) => sample.atMs - entry.atMs <= windowMs), sample]
}

/** Images a second of an import that is going on; `imagesPerStudy` is what the check has counted. */
export function useImageRate(job: ComputedRef<Job | undefined>, imagesPerStudy: ComputedRef<number | null>): ComputedRef<number | null> {
  const samples = ref<Sample[]>([])
  const stop = watch(() => [job.value?.stage, job.value?.done] as const, ([stage, done], before) => {
    if (before?.[0] !== stage) samples.value = []
    // Texts are scrubbed before any image is read.
    if (stage === importingStage && done !== undefined && job.value?.total !== null) samples.value = withSample(samples.value, { atMs: performance.now(), done })
  })
  onScopeDispose(stop)
  return computed(() => {
    const rate = rateOf(samples.value)
    return rate === null || imagesPerStudy.value === null ? null : rate * imagesPerStudy.value
  })
}

/** How many images a study has on average, from the check; null for a cohort without images. */
export function imagesPerStudy(check: Pick<ImportCheck, 'slots' | 'absences' | 'studyCount'>): number | null {
  const images = check.slots.filter((slot) => slot.modality === 'image')
  if (images.length === 0 || check.studyCount === 0) return null
  const missing = check.absences.filter((absence) => images.some((slot) => slot.slotId === absence.slotId)).reduce((sum, absence) => sum + absence.count, 0)
  return (images.length * check.studyCount - missing) / check.studyCount
}

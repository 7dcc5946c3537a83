import type { CohortSummary } from '../../../engine/domain/records.ts'

/** A cohort that counts as importing although its first import is complete: a further delivery stopped, or is being taken back. */
export function isDeliveryOpen({ status, nextOrdinal, studyTotal }: Pick<CohortSummary, 'status' | 'nextOrdinal' | 'studyTotal'>): boolean {
  return status === 'importing' && studyTotal > 0 && nextOrdinal === studyTotal
}

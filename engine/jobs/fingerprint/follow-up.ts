import { daysSinceFirst, isImpossible, type FollowUp } from '../../domain/visit-dates.ts'
import { histogramOf, percentileOf } from '../../fingerprint/histogram.ts'
import type { CohortColumns } from '../../store/study-index.ts'
import type { People } from './people.ts'

/**
 * How long patients were followed, over the studies that are not excluded. By key as imported: the days of keys that were merged were moved differently,
 * so nothing leads from one to the other. Null where nothing was ever read of days.
 */
export function summariseFollowUp({ days, dateProblems, patientKeys }: CohortColumns, { rows }: Pick<People, 'rows'>): FollowUp | null {
  const dated = rows.filter((row) => !Number.isNaN(days[row]!))
  const doubtful = rows.filter((row) => Number.isNaN(days[row]!) && isImpossible(dateProblems.get(row) ?? []))
  if (dated.length === 0 && doubtful.length === 0) return null
  const since = daysSinceFirst(dated.map((row) => patientKeys[row]!), dated.map((row) => days[row]!))
  const longest = new Map<string, number>()
  dated.forEach((row, i) => longest.set(patientKeys[row]!, Math.max(since[i]!, longest.get(patientKeys[row]!) ?? 0)))
  const spans = [...longest.values()].filter((span) => span > 0).sort((a, b) => a - b)
  return {
    datedStudies: dated.length, doubtfulStudies: doubtful.length, undatedStudies: rows.length - dated.length - doubtful.length, followedPatients: spans.length,
    spanDays: spans.length === 0 ? null : { median: percentileOf(spans, 0.5), shortest: spans[0]!, longest: spans.at(-1)!, histogram: histogramOf(spans, 20) },
  }
}

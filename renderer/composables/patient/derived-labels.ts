import type { StudyDetail } from '../../../engine/domain/records.ts'
import type { LabelEvidence } from '../../../engine/domain/report-labels.ts'

/** One derived label of a study with its sentences; `evidence` null: the report does not name the finding. */
interface DerivedLine { labelId: number; name: string; value: 0 | 1 | null; evidence: LabelEvidence | null }

/** Derived labels in two groups: those with something to show, and the quiet ones. Null for a study whose labels all came in a table. */
export function derivedLinesOf({ labels, evidence = [] }: Pick<StudyDetail, 'labels' | 'evidence'>): { told: DerivedLine[]; quiet: DerivedLine[] } | null {
  const lines = labels.filter(({ derivedFrom }) => derivedFrom != null).map(({ labelId, name, value }): DerivedLine => ({ labelId, name, value, evidence: evidence.find(({ label }) => label === name) ?? null }))
  if (lines.length === 0) return null
  const isTold = ({ evidence: found }: DerivedLine): boolean => found !== null && (found.mentions.length > 0 || found.outcome === 'positive')
  const rank = ({ evidence: found }: DerivedLine): number => ['positive', 'uncertain', 'negative'].indexOf(found?.outcome ?? '') >>> 0
  return { told: lines.filter(isTold).sort((a, b) => rank(a) - rank(b)), quiet: lines.filter((line) => !isTold(line)) }
}

import type { Mapping } from '../domain/mapping.ts'
import { shippedRules } from '../labeller/rules.ts'
import type { Workspace } from './workspace.ts'

/** A mapping for a new import names the rules that its reports are read with. */
export function withRuleVersion(mapping: Mapping): Mapping {
  return mapping.reportLabels === undefined ? mapping : { ...mapping, reportLabels: { ...mapping.reportLabels, version: shippedRules().version } }
}

/** Notes in the log how labels are derived. Phrases of the user's own stay in the mapping; the log has their number. */
export function noteReportLabels(workspace: Pick<Workspace, 'store'>, cohortId: number, { reportLabels }: Mapping): void {
  if (reportLabels === undefined) return
  const { findings, slotIds, uncertain, unmentioned, edits, version } = reportLabels
  workspace.store.audit.append('import.report-labels', { cohortId, labels: findings.length, items: slotIds.join(', '), uncertain, unmentioned, changedPhrases: edits.length, rules: version ?? null })
}

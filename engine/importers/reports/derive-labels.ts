/** Labels made from the reports of a cohort: values beside those of the columns, with the sentences behind them. */
import { AppError } from '../../domain/errors.ts'
import type { Mapping } from '../../domain/mapping.ts'
import { derivedLabelName, type DerivedPreview, type LabelEvidence, type ReportLabels } from '../../domain/report-labels.ts'
import { labelReport } from '../../labeller/label-report.ts'
import { compileRules } from '../../labeller/rules.ts'
import type { IssueCollector } from '../issues.ts'
import type { LoadedCohort } from '../load-cohort.ts'
import type { LabelValue } from '../rows/labels.ts'

const maxSamples = 400
/** Sentences shown of one finding and outcome, so that the frequent ones leave room for the rare. */
const maxSamplesOfKind = 12

/** The labels that were added to a cohort; null when its mapping asks for none. */
export interface DerivedLabels {
  labels: { name: string; slotIds: string[] }[]
  preview: DerivedPreview
  /** The mapping was made with another version of the shipped lists. */
  hasOtherRules: boolean
}

/**
 * Adds the derived labels to a loaded cohort, in place. Called once the texts are in their final form, since the evidence quotes them.
 * @throws AppError IMPORT_MAPPING_INVALID for items that are no texts, unknown findings or labels of one class
 */
export function deriveLabels(cohort: LoadedCohort, mapping: Mapping, issues: IssueCollector): DerivedLabels | null {
  const options = mapping.reportLabels
  if (options === undefined) return null
  const slotIndexes = slotsToRead(mapping, options)
  const rules = compileRules(options)
  const hasOtherRules = options.version !== undefined && options.version !== rules.version
  if (hasOtherRules) issues.add('IMPORT_RULES_CHANGED', 'note', null, 'The rules that read the reports are not those of the import that this mapping comes from.')
  const chosen = rules.findings.filter(({ id }) => options.findings.includes(id))
  const labels = chosen.map(({ title }) => ({ name: derivedLabelName(title), slotIds: [...options.slotIds] }))
  const taken = labels.find(({ name }) => cohort.labelNames.includes(name))
  if (taken) throw new AppError('IMPORT_MAPPING_INVALID', `The table already has a label named "${taken.name}".`)
  cohort.labelNames.push(...labels.map(({ name }) => name))
  const preview = createPreview(chosen)
  for (const study of cohort.studies) {
    const texts = slotIndexes.flatMap((index) => (study.values[index] == null ? [] : [{ slotId: mapping.slots[index]!.slot.slotId, text: study.values[index]! }]))
    const byFinding = new Map(labelReport(texts, rules).map((entry) => [entry.finding, entry]))
    const evidence = chosen.map(({ id, title }) => ({ ...byFinding.get(id)!, label: derivedLabelName(title) }))
    study.labelValues.push(...evidence.map(({ outcome }) => valueOf(outcome, options)))
    // What a report does not name needs no sentence; the page says so from the outcome's absence.
    study.evidence = evidence.filter(({ outcome, mentions }) => outcome !== 'unmentioned' || mentions.length > 0)
    preview.add(study.rows[0]!, study.patientKey, evidence)
  }
  return { labels, preview: preview.result, hasOtherRules }
}

/** Names of the labels that a mapping derives; they stand after those of the table. */
export function derivedNamesOf({ reportLabels }: Mapping): Set<string> {
  if (reportLabels === undefined) return new Set()
  return new Set(compileRules(reportLabels).findings.filter(({ id }) => reportLabels.findings.includes(id)).map(({ title }) => derivedLabelName(title)))
}

/** The label that an outcome gives under the policies of the mapping. */
function valueOf(outcome: LabelEvidence['outcome'], { uncertain, unmentioned }: ReportLabels): LabelValue {
  const word = outcome === 'uncertain' ? uncertain : outcome === 'unmentioned' ? unmentioned : outcome === 'no-report' ? 'unknown' : outcome
  return word === 'positive' ? 1 : word === 'negative' ? 0 : null
}

function slotsToRead(mapping: Mapping, { slotIds }: ReportLabels): number[] {
  if (mapping.labels.kind === 'single') throw new AppError('IMPORT_MAPPING_INVALID', 'Labels from reports cannot stand beside a column that holds one class for each study; make that column a list, or leave one of the two out.')
  return slotIds.map((slotId) => {
    const index = mapping.slots.findIndex(({ slot }) => slot.slotId === slotId)
    if (index < 0 || mapping.slots[index]!.slot.modality !== 'text') throw new AppError('IMPORT_MAPPING_INVALID', `Labels cannot be read from "${slotId}": there is no such text item.`)
    return index
  })
}

function createPreview(findings: readonly { id: string; title: string }[]): { result: DerivedPreview; add: (row: number, patientKey: string, evidence: readonly LabelEvidence[]) => void } {
  const counts = new Map(findings.map(({ id, title }) => [id, { finding: id, title, positive: 0, negative: 0, uncertain: 0, unmentioned: 0, noReport: 0 }]))
  const result: DerivedPreview = { reportCount: 0, counts: [...counts.values()], samples: [] }
  const shown = new Map<string, number>()
  return {
    result,
    add(row, patientKey, evidence) {
      if (evidence.some(({ outcome }) => outcome !== 'no-report')) result.reportCount++
      for (const { finding, outcome, mentions } of evidence) {
        counts.get(finding)![outcome === 'no-report' ? 'noReport' : outcome]++
        for (const mention of mentions.slice(0, 2)) {
          const kind = `${finding} ${mention.outcome}`
          const held = shown.get(kind) ?? 0
          if (held >= maxSamplesOfKind || result.samples.length >= maxSamples) continue
          shown.set(kind, held + 1)
          result.samples.push({ row, patientKey, finding, mention })
        }
      }
    },
  }
}

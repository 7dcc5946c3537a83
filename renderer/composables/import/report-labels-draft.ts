import type { LabelRules, ReportLabels, RuleEdit } from '../../../engine/domain/report-labels.ts'

/** Labels from reports while they are being set up: texts by the key of their slot, since a slot's id follows its title. */
export interface ReportLabelsDraft extends Omit<ReportLabels, 'slotIds'> { slotKeys: number[] }

interface TextSlot { key: number; slotId: string; modality: string; title: string }

/** A first set-up: the usual findings from the text that is most likely a report. */
export function newReportLabels(slots: readonly TextSlot[], rules: LabelRules): ReportLabelsDraft {
  const texts = slots.filter(({ modality }) => modality === 'text')
  const report = texts.find(({ title }) => /report|finding|impression|conclusion/i.test(title)) ?? texts.find(({ title }) => !/indication|history|request|reason/i.test(title)) ?? texts[0]
  return { slotKeys: report === undefined ? [] : [report.key], findings: rules.findings.filter(({ isUsual }) => isUsual).map(({ id }) => id), uncertain: 'unknown', unmentioned: 'negative', ownFindings: [], edits: [] }
}

export function draftOfReportLabels({ slotIds, ...rest }: ReportLabels, slots: readonly TextSlot[]): ReportLabelsDraft {
  return { ...rest, slotKeys: slots.filter(({ slotId }) => slotIds.includes(slotId)).map(({ key }) => key) }
}

/** What the mapping stores, in the order of the slots. The version belongs to an import, not to a set-up. */
export function reportLabelsOfDraft({ slotKeys, version: _version, ...rest }: ReportLabelsDraft, slots: readonly TextSlot[]): ReportLabels {
  return { ...rest, slotIds: slots.filter(({ key }) => slotKeys.includes(key)).map(({ slotId }) => slotId) }
}

/** What keeps a set-up from being used, in the order in which it is mended. */
export function problemOfReportLabels(draft: ReportLabelsDraft, slots: readonly TextSlot[], labelKind: string): 'slots' | 'findings' | 'single' | null {
  if (!slots.some(({ key, modality }) => modality === 'text' && draft.slotKeys.includes(key))) return 'slots'
  if (draft.findings.length === 0) return 'findings'
  return labelKind === 'single' ? 'single' : null
}

/** Whether two edits are of the same phrase in the same list. */
export function isSamePlace(a: RuleEdit, b: RuleEdit): boolean {
  return a.list === b.list && a.kind === b.kind && a.phrase === b.phrase && (a.list === 'cue' || (b.list === 'finding' && a.finding === b.finding))
}

/** The edits with one more, or without it when it was there: a phrase turned off is turned on again, one of the user's own is removed. */
export function toggleEdit(edits: readonly RuleEdit[], edit: RuleEdit): RuleEdit[] {
  return edits.some((held) => isSamePlace(held, edit)) ? edits.filter((held) => !isSamePlace(held, edit)) : [...edits, edit]
}

/** A free id for a finding of the user's own. */
export function ownFindingId(title: string, taken: ReadonlySet<string>): string {
  const base = `own-${title.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 28) || 'finding'}`
  let id = base
  for (let number = 2; taken.has(id); number++) id = `${base}-${number}`
  return id
}

import type { DeliveryForecast, OnChanged } from '../../../engine/domain/deliveries.ts'
import type { ImportCheck, TableInspection } from '../../../engine/domain/import.ts'
import type { ImportSource, Mapping, TableJoin } from '../../../engine/domain/mapping.ts'
import type { PrivacyOptions } from '../../../engine/domain/privacy.ts'
import { datesWithoutOrder } from '../../../engine/domain/visit-dates.ts'
import { columnsOfDraft, draftOfMapping, emptyDraft, mappingOfDraft, type MappingDraft } from './mapping-draft.ts'

export const wizardSteps = ['source', 'columns', 'privacy', 'check', 'import'] as const
export type WizardStep = (typeof wizardSteps)[number]

/** The cohort that a further delivery goes into, with the mapping it was imported with. */
export interface DeliveryTarget { cohortId: number; name: string; mapping: Mapping }

/** A check, with what of a delivery is new. */
export type WizardCheck = ImportCheck & { forecast: DeliveryForecast | null }

/** What was chosen and found so far; it outlives every move between steps. */
interface Kept {
  /** Null: a new cohort. */
  into: DeliveryTarget | null
  onChanged: OnChanged
  leaveOutNewLabels: boolean
  sourceDir: string | null
  tableFile: string | null
  sheet: string | null
  /** The second table as chosen; null when none is wanted, undefined while it is left to be found. */
  join: TableJoin | null | undefined
  inspection: TableInspection | null
  draft: MappingDraft
  /** Mappings written for other tables or sheets of this visit, by table and sheet. */
  otherDrafts: Record<string, MappingDraft>
  /** Place of the furthest step seen with this table; steps beyond the next one stay closed. */
  furthest: number
  /** The last check and the source and mapping it was made of. */
  check: { of: string; result: WizardCheck } | null
  cohortName: string
}

interface Mapped { inspection: TableInspection; mapping: Mapping }

/** One step of the wizard with what it can rely on. */
export type ImportState =
  | (Kept & { step: 'source' })
  | (Kept & { step: 'columns'; inspection: TableInspection })
  | (Kept & Mapped & { step: 'privacy' })
  | (Kept & Mapped & { step: 'check' })
  | (Kept & Mapped & { step: 'import'; checked: WizardCheck; started: { cohortId: number; jobKey: string } | null })

export type ImportEvent =
  /** A further delivery of a cohort is prepared from the beginning. */
  | { kind: 'delivery-begun'; into: DeliveryTarget }
  | { kind: 'on-changed'; onChanged: OnChanged }
  | { kind: 'leave-out'; leaveOutNewLabels: boolean }
  | { kind: 'folder-chosen'; path: string }
  | { kind: 'table-chosen'; path: string }
  | { kind: 'sheet-chosen'; sheet: string }
  | { kind: 'join-chosen'; join: TableJoin | null }
  | { kind: 'inspected'; inspection: TableInspection }
  | { kind: 'draft-changed'; draft: MappingDraft }
  | { kind: 'suggestion-restored' }
  | { kind: 'privacy-changed'; privacy: PrivacyOptions }
  | { kind: 'checked'; of: string; result: WizardCheck }
  | { kind: 'check-dropped' }
  | { kind: 'name-changed'; name: string }
  | { kind: 'go'; to: WizardStep }
  | { kind: 'next' }
  | { kind: 'back' }
  | { kind: 'started'; cohortId: number; jobKey: string }
  | { kind: 'reset' }

export const firstState: ImportState = {
  step: 'source', into: null, onChanged: 'keep', leaveOutNewLabels: false, sourceDir: null, tableFile: null, sheet: null, join: undefined, inspection: null, draft: emptyDraft, otherDrafts: {}, furthest: 0, check: null, cohortName: '',
}

/** The source as main wants it, once folder and table are chosen. */
export function sourceOf(state: Pick<Kept, 'sourceDir' | 'tableFile' | 'sheet'>): ImportSource | null {
  return state.sourceDir === null || state.tableFile === null ? null : { sourceDir: state.sourceDir, tableFile: state.tableFile, sheet: state.sheet }
}

/** What a check depends on besides source and mapping. */
export type CheckTarget = { cohortId: number; leaveOutNewLabels: boolean } | null
export const checkTarget = ({ into, leaveOutNewLabels }: Pick<Kept, 'into' | 'leaveOutNewLabels'>): CheckTarget => into && { cohortId: into.cohortId, leaveOutNewLabels }

/** Names a source, mapping and target, so that a check is not taken for one of another. */
export function checkKey(inspection: TableInspection, mapping: Mapping, target: CheckTarget): string {
  return JSON.stringify([inspection.source, inspection.tableSha256, mapping, target])
}

const columnNames = (inspection: TableInspection): string[] => inspection.columns.map((column) => column.name)
const isBlocked = (issues: readonly { severity: string }[]): boolean => issues.some((issue) => issue.severity === 'blocks')
const draftKey = (source: { tableFile: string; sheet: string | null }): string => JSON.stringify([source.tableFile, source.sheet])

/** The check of the mapping as it stands, or null when there is none or the mapping has changed since. */
export function validCheck(state: ImportState): WizardCheck | null {
  if (state.inspection === null || state.check === null) return null
  const mapped = mappingOfDraft(state.draft, columnNames(state.inspection))
  return 'mapping' in mapped && state.check.of === checkKey(state.inspection, mapped.mapping, checkTarget(state)) ? state.check.result : null
}

/** The state with another step, or null when something that step relies on is missing. */
function enter(state: ImportState, step: WizardStep): ImportState | null {
  const place = wizardSteps.indexOf(step)
  if (place > state.furthest + 1) return null
  const kept = { ...keptOf(state), furthest: Math.max(state.furthest, place) }
  if (step === 'source') return { ...kept, step }
  const { inspection } = kept
  if (inspection === null || isBlocked(inspection.issues)) return null
  if (step === 'columns') return { ...kept, inspection, step }
  if (datesWithoutOrder(kept.draft.dates, inspection.columns).length > 0) return null
  const mapped = mappingOfDraft(kept.draft, columnNames(inspection))
  if (!('mapping' in mapped)) return null
  const { mapping } = mapped
  if (step === 'privacy') return { ...kept, inspection, mapping, step }
  if (step === 'check') return { ...kept, inspection, mapping, step }
  const checked = validCheck(state)
  if (checked === null || isBlocked(checked.issues)) return null
  return { ...kept, inspection, mapping, checked, step, started: null, cohortName: kept.cohortName }
}

function keptOf(state: ImportState): Kept {
  const { into, onChanged, leaveOutNewLabels, sourceDir, tableFile, sheet, join, inspection, draft, otherDrafts, furthest, check, cohortName } = state
  return { into, onChanged, leaveOutNewLabels, sourceDir, tableFile, sheet, join, inspection, draft, otherDrafts, furthest, check, cohortName }
}

export const canEnter = (state: ImportState, step: WizardStep): boolean => !hasStarted(state) && enter(state, step) !== null

/** Once the import runs its settings are fixed: the steps before it are done for good. */
export const hasStarted = (state: ImportState): boolean => state.step === 'import' && state.started !== null

/** Done, current or to do. A step is done when it was seen and the one after it could be entered. */
export function stepStatus(state: ImportState, step: WizardStep): 'done' | 'current' | 'to-do' {
  if (state.step === step) return 'current'
  if (hasStarted(state)) return 'done'
  const place = wizardSteps.indexOf(step)
  const next = wizardSteps[place + 1]
  return next !== undefined && place <= state.furthest && enter(state, next) !== null ? 'done' : 'to-do'
}

/** The drafts put aside, with the one in hand if it was changed by hand. */
function draftsAside(state: ImportState): Record<string, MappingDraft> {
  if (state.inspection === null || JSON.stringify(state.draft) === JSON.stringify(suggestedDraft(state.inspection, state.into))) return state.otherDrafts
  return { ...state.otherDrafts, [draftKey(state.inspection.source)]: state.draft }
}

/** Of the cohort for its next delivery, else as the table suggests. */
function suggestedDraft(inspection: TableInspection, into: DeliveryTarget | null): MappingDraft {
  if (into !== null) return { ...draftOfMapping(into.mapping), join: inspection.join }
  return inspection.suggestion === null ? { ...emptyDraft, join: inspection.join } : draftOfMapping(inspection.suggestion.mapping)
}

/** Takes what was found in the table. A mapping written by hand for this table comes back, as long as the table has its columns. */
function withInspection(state: ImportState, inspection: TableInspection): ImportState {
  const { source } = inspection
  const columns = new Set(columnNames(inspection))
  const otherDrafts = draftsAside(state)
  const aside = otherDrafts[draftKey(source)]
  const isKept = aside !== undefined && columnsOfDraft(aside).every((name) => columns.has(name))
  const draft = { ...(isKept ? aside : suggestedDraft(inspection, state.into)), join: inspection.join }
  // Another table is looked at from the beginning.
  const furthest = state.draft === draft || JSON.stringify(state.draft) === JSON.stringify(draft) ? state.furthest : 0
  const cohortName = state.into !== null ? state.into.name : state.cohortName === '' ? nameOf(source.tableFile) : state.cohortName
  return { ...keptOf(state), step: 'source', sourceDir: source.sourceDir, tableFile: source.tableFile, sheet: source.sheet, join: inspection.join, inspection, draft, otherDrafts, furthest, cohortName }
}

/** The table's file name without its ending, as a first name for the cohort. */
function nameOf(tableFile: string): string {
  return (tableFile.split(/[\\/]/).at(-1) ?? '').replace(/\.[^.]+$/, '').replace(/[_-]+/g, ' ').trim().slice(0, 120)
}

/** A folder that stands for its own table goes on doing so when another one is chosen. */
function tableAfter(state: ImportState, sourceDir: string): string | null {
  return state.tableFile === state.sourceDir && state.tableFile !== null ? sourceDir : state.tableFile
}

/** The state after an event; the same object when the event has no place in this state. */
export function nextStep(state: ImportState, event: ImportEvent): ImportState {
  if (event.kind === 'reset') return firstState
  if (state.step === 'import' && state.started !== null) return state
  switch (event.kind) {
    case 'delivery-begun':
      return state.into?.cohortId === event.into.cohortId ? state : { ...firstState, into: event.into, join: event.into.mapping.join ?? undefined, cohortName: event.into.name }
    case 'on-changed':
      return { ...state, onChanged: event.onChanged }
    case 'leave-out':
      return { ...state, leaveOutNewLabels: event.leaveOutNewLabels }
    // What belonged to another folder, table or sheet is put aside, not thrown away.
    case 'folder-chosen':
      return event.path === state.sourceDir ? state : { ...keptOf(state), step: 'source', sourceDir: event.path, tableFile: tableAfter(state, event.path), join: undefined, inspection: null, otherDrafts: draftsAside(state) }
    case 'table-chosen':
      return event.path === state.tableFile && state.inspection !== null ? state : { ...keptOf(state), step: 'source', tableFile: event.path, sheet: null, join: undefined, inspection: null, otherDrafts: draftsAside(state) }
    case 'sheet-chosen':
      return event.sheet === state.sheet ? state : { ...keptOf(state), step: 'source', sheet: event.sheet, inspection: null, otherDrafts: draftsAside(state) }
    case 'join-chosen':
      return { ...keptOf(state), step: 'source', join: event.join, inspection: null, otherDrafts: draftsAside(state) }
    case 'inspected':
      return withInspection(state, event.inspection)
    case 'draft-changed':
      return state.step === 'columns' ? { ...state, draft: event.draft } : state
    case 'suggestion-restored':
      return state.step === 'columns' ? { ...state, draft: { ...suggestedDraft(state.inspection, state.into), privacy: state.draft.privacy } } : state
    case 'privacy-changed':
      return state.step === 'privacy' ? { ...state, draft: { ...state.draft, privacy: event.privacy }, mapping: { ...state.mapping, privacy: event.privacy } } : state
    case 'checked':
      return { ...state, check: { of: event.of, result: event.result } }
    case 'check-dropped':
      return { ...state, check: null }
    case 'name-changed':
      return { ...state, cohortName: event.name }
    case 'go':
      return enter(state, event.to) ?? state
    case 'next':
      return enter(state, wizardSteps[wizardSteps.indexOf(state.step) + 1] ?? state.step) ?? state
    case 'back':
      return enter(state, wizardSteps[wizardSteps.indexOf(state.step) - 1] ?? state.step) ?? state
    case 'started':
      return state.step === 'import' ? { ...state, started: { cohortId: event.cohortId, jobKey: event.jobKey } } : state
  }
}

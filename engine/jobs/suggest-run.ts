import type { TabularColumn } from '../domain/missingness.ts'
import { runConfigSchema, type RunConfig } from '../domain/run.ts'
import { fewPositives } from './run-material.ts'
import { slotWarnings } from './slot-warnings.ts'
import type { Workspace } from './workspace.ts'

export interface RunSuggestion {
  config: RunConfig
  slotWarnings: { slotId: string; text: string }[]
  labelWarnings: { labelId: number; text: string }[]
  /** What a simulated loss may depend on besides age, sex and labels. */
  tabularColumns: TabularColumn[]
}

/**
 * A configuration that is sensible for the cohort: every modality whose text does not give the labels away,
 * every label with both classes, the paper's settings for the rest.
 */
export function suggestRun(workspace: Pick<Workspace, 'store'>, cohortId: number): RunSuggestion {
  const { store } = workspace
  const cohort = store.cohorts.get(cohortId)
  const warnings = slotWarnings(cohort.slots, store.cohorts.labelWords(cohortId), cohort.labels)
  const leaking = new Set(warnings.map((warning) => warning.slotId))
  const used = cohort.slots.filter((slot) => !cohort.curation.droppedSlotIds.includes(slot.slotId))
  const clean = used.filter((slot) => !leaking.has(slot.slotId))
  const counts = store.cohorts.labelCounts(cohortId)
  const usable = cohort.labels.filter((label) => {
    const count = counts.find((item) => item.name === label.name)
    return count !== undefined && count.positives >= 2 && count.negatives >= 2
  })
  // What people wrote down goes before what rules made of a text.
  const written = usable.filter(({ derivedFrom }) => derivedFrom == null)
  const labels = written.length > 0 ? written : usable.length > 0 ? usable : cohort.labels
  return {
    config: runConfigSchema.parse({
      cohortId,
      name: `MoRA on ${cohort.name}`.slice(0, 120),
      slotIds: (clean.length > 0 ? clean : used).map((slot) => slot.slotId),
      labelIds: labels.map((label) => label.labelId),
      task: cohort.task ?? 'multi-label',
    }),
    slotWarnings: warnings,
    tabularColumns: store.cohorts.importRequest(cohortId).mapping.slots.flatMap(({ slot, source }) => (source.kind === 'columns' ? source.columns.map(({ column }) => ({ slotId: slot.slotId, column })) : [])),
    labelWarnings: counts.flatMap((count) => {
      const label = cohort.labels.find((item) => item.name === count.name)
      return label && count.positives < fewPositives ? [{ labelId: label.labelId, text: `Only ${count.positives} positive studies: its numbers will be very uncertain.` }] : []
    }),
  }
}

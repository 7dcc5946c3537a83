import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { CallReply, Job } from '../../../electron/contract/contract.ts'
import type { AppError } from '../../../engine/domain/errors.ts'
import type { DerivedPreview } from '../../../engine/domain/report-labels.ts'
import { datesWithoutOrder } from '../../../engine/domain/visit-dates.ts'
import type { Mapping, TableJoin } from '../../../engine/domain/mapping.ts'
import { call } from '../../api.ts'
import { useImportStore } from '../../stores/import.store.ts'
import { useJobsStore } from '../../stores/jobs.store.ts'
import { asAppError } from '../common/useAsync.ts'
import { mappingOfDraft, problemsOfDraft, type DraftProblem } from './mapping-draft.ts'
import { useTableJoin } from './useTableJoin.ts'
import { sourceOf, validCheck, type ImportEvent, type ImportState } from './wizard-state.ts'

export type PreviewRows = CallReply<'import:preview'>['rows']

/** Waits this long after the last key before the preview is asked for. */
const previewDelayMs = 350

export interface ImportWizard {
  state: ComputedRef<ImportState>
  send: (event: ImportEvent) => void
  /** What the last question to main ended in, for the step in view. */
  error: ShallowRef<AppError | null>
  isInspecting: Ref<boolean>
  problems: ComputedRef<DraftProblem[]>
  preview: ShallowRef<PreviewRows | null>
  /** What the rules for labels from reports read in the same rows. */
  derived: ShallowRef<DerivedPreview | null>
  previewError: ShallowRef<AppError | null>
  isPreviewing: Ref<boolean>
  checkJob: ComputedRef<Job | null>
  checkError: ComputedRef<AppError | null>
  isChecking: ComputedRef<boolean>
  isStarting: Ref<boolean>
  chooseFolder: () => Promise<void>
  chooseTable: () => Promise<void>
  useHeaders: () => void
  chooseJoin: () => Promise<void>
  changeJoin: (join: TableJoin | null) => void
  inspect: () => Promise<void>
  runCheck: () => Promise<void>
  cancelCheck: () => void
  start: () => Promise<void>
}

/** The wizard's talk with main. Its memory and its rules are in wizard-state.ts. */
export function useImportWizard(): ImportWizard {
  const store = useImportStore()
  const jobs = useJobsStore()
  const state = computed(() => store.state)
  const error = shallowRef<AppError | null>(null)
  const isInspecting = ref(false)
  const isStarting = ref(false)
  const columns = computed(() => state.value.inspection?.columns.map((column) => column.name) ?? [])
  const mapped = computed(() => (state.value.inspection === null ? null : mappingOfDraft(state.value.draft, columns.value)))
  const problems = computed(() => (state.value.inspection === null ? [] : [...problemsOfDraft(state.value.draft, columns.value), ...datesWithoutOrder(state.value.draft.dates, state.value.inspection.columns).map((detail) => ({ code: 'date-order' as const, detail }))]))
  const mapping = computed((): Mapping | null => (mapped.value !== null && 'mapping' in mapped.value ? mapped.value.mapping : null))

  async function guard(work: () => Promise<void>): Promise<void> {
    error.value = null
    try {
      await work()
    } catch (caught) {
      error.value = asAppError(caught)
    }
  }

  let inspection = 0
  async function inspect(): Promise<void> {
    const source = sourceOf(state.value)
    if (source === null) return
    inspection += 1
    const mine = inspection
    isInspecting.value = true
    await guard(async () => {
      const found = await call('import:inspect', { source, join: state.value.join })
      if (mine === inspection) store.send({ kind: 'inspected', inspection: found })
    })
    if (mine === inspection) isInspecting.value = false
  }
  const chooseFolder = (): Promise<void> => guard(async () => {
    const { path } = await call('import:choose-folder', {})
    if (path !== null) store.send({ kind: 'folder-chosen', path })
  })
  const chooseTable = (): Promise<void> => guard(async () => {
    const { path } = await call('import:choose-table', { folder: state.value.sourceDir })
    if (path !== null) store.send({ kind: 'table-chosen', path })
  })
  /** The folder itself as the table: one row for each DICOM file, made from its header. */
  const useHeaders = (): void => {
    if (state.value.sourceDir !== null) store.send({ kind: 'table-chosen', path: state.value.sourceDir })
  }
  const { chooseJoin, changeJoin } = useTableJoin(state, store.send, guard)
  watch(() => JSON.stringify([sourceOf(state.value), state.value.join ?? null]), () => {
    if (state.value.inspection === null) void inspect()
  }, { immediate: true })

  const { preview, derived, previewError, isPreviewing } = usePreview(state, mapping)

  async function runCheck(): Promise<void> {
    if (state.value.inspection !== null && mapping.value !== null) await store.check(state.value.inspection, mapping.value)
  }
  // The check runs by itself whenever its page is reached without a valid one.
  watch(() => state.value.step, (step) => {
    error.value = null
    if (step === 'check' && validCheck(state.value) === null) void runCheck()
  }, { immediate: true })

  async function start(): Promise<void> {
    const current = state.value
    if (current.step !== 'import') return
    isStarting.value = true
    await guard(async () => {
      const { into, onChanged, leaveOutNewLabels } = current
      const started = into !== null ? { cohortId: into.cohortId, ...await call('deliveries:start', { cohortId: into.cohortId, source: current.inspection.source, mapping: current.mapping, onChanged, leaveOutNewLabels }) } : await call('import:start', { source: current.inspection.source, mapping: current.mapping, cohortName: current.cohortName.trim() })
      store.send({ kind: 'started', ...started })
    })
    isStarting.value = false
  }

  return {
    state, send: store.send, error, isInspecting, problems, preview, derived, previewError, isPreviewing,
    checkJob: computed(() => (store.checking === null ? null : jobs.byKey.get(store.checking.jobKey) ?? null)),
    checkError: computed(() => store.checkError), isChecking: computed(() => store.checking !== null),
    isStarting, chooseFolder, chooseTable, useHeaders, chooseJoin, changeJoin, inspect, runCheck, cancelCheck: store.cancelCheck, start,
  }
}

/** Rows of the table under the mapping as it stands; the last good ones stay while the mapping is unfinished. */
function usePreview(state: ComputedRef<ImportState>, mapping: ComputedRef<Mapping | null>): Pick<ImportWizard, 'preview' | 'derived' | 'previewError' | 'isPreviewing'> {
  const preview = shallowRef<PreviewRows | null>(null)
  const derived = shallowRef<DerivedPreview | null>(null)
  const previewError = shallowRef<AppError | null>(null)
  const isPreviewing = ref(false)
  let latest = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function load(current: Mapping): Promise<void> {
    const source = state.value.inspection?.source
    if (source === undefined) return
    latest += 1
    const mine = latest
    isPreviewing.value = true
    try {
      const answer = await call('import:preview', { source, mapping: current })
      if (mine === latest) [preview.value, derived.value, previewError.value] = [answer.rows, answer.derived, null]
    } catch (caught) {
      if (mine === latest) [preview.value, derived.value, previewError.value] = [null, null, asAppError(caught)]
    }
    if (mine === latest) isPreviewing.value = false
  }
  const wanted = computed(() => (state.value.step === 'columns' || state.value.step === 'privacy' ? mapping.value : null))
  watch(() => (wanted.value === null ? null : JSON.stringify([state.value.inspection?.source, wanted.value])), (key, before) => {
    clearTimeout(timer)
    if (key === null || wanted.value === null) return
    const current = wanted.value
    timer = setTimeout(() => void load(current), before === undefined || preview.value === null ? 0 : previewDelayMs)
  }, { immediate: true })
  onScopeDispose(() => {
    clearTimeout(timer)
    latest += 1
  })
  return { preview, derived, previewError, isPreviewing }
}

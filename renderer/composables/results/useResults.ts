import { computed, onScopeDispose, shallowReactive, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import type { CallReply } from '../../../electron/contract/contract.ts'
import type { AppError } from '../../../engine/domain/errors.ts'
import type { ResultIntervals, RunResults, TestSetting } from '../../../engine/domain/results.ts'
import { asAppError, useAsync, type AsyncState } from '../common/useAsync.ts'

type Run = CallReply<'runs:get'>['run']

/** What the composable needs from the application; tests hand in their own. */
export interface ResultsSource {
  run: (runId: number) => Promise<Run>
  results: (runId: number, setting: TestSetting) => Promise<RunResults>
  intervals: (runId: number, setting: TestSetting) => Promise<ResultIntervals>
}

/** A run with its numbers under one setting; the three are only ever replaced together. */
interface ShownResults { run: Run; results: RunResults | null; setting: TestSetting }

export interface Results {
  state: Ref<AsyncState<ShownResults>>
  setting: Ref<TestSetting>
  /** Of the numbers on show; null until they are worked out. */
  intervals: ComputedRef<ResultIntervals | null>
  intervalError: ComputedRef<AppError | null>
  /** The run's numbers under the real items, whatever setting is on show; null until they were asked for. */
  actual: ComputedRef<RunResults | null>
  /** The numbers of another setting than the chosen one are still on show. */
  isComputing: ComputedRef<boolean>
  choose: (setting: TestSetting) => Promise<void>
  reload: () => Promise<void>
}

const keyOf = (runId: number, setting: TestSetting): string => JSON.stringify([runId, setting])

/**
 * The results of one run under a chosen setting. Everything kept is named by run and setting and looked up by what is on show: a slow answer
 * that arrives after another run or setting was chosen can never stand beside the wrong numbers.
 */
export function useResults(runId: Ref<number>, source: ResultsSource): Results {
  const setting = shallowRef<TestSetting>({ kind: 'actual' })
  // Answers already worked out, so that going back to one is instant.
  const known = shallowReactive(new Map<string, RunResults>())
  const intervals = shallowReactive(new Map<string, ResultIntervals | AppError>())
  let isGone = false

  const { state, reload } = useAsync(async (): Promise<ShownResults> => {
    const asked = { runId: runId.value, setting: setting.value }
    const run = await source.run(asked.runId)
    if (run.status !== 'finished') return { run, results: null, setting: asked.setting }
    const key = keyOf(asked.runId, asked.setting)
    const results = known.get(key) ?? (await source.results(asked.runId, asked.setting))
    known.set(key, results)
    void loadIntervals(asked.runId, asked.setting)
    return { run, results, setting: asked.setting }
  })
  /** The numbers are shown at once; their intervals follow when the resampling is done. */
  async function loadIntervals(id: number, asked: TestSetting): Promise<void> {
    const key = keyOf(id, asked)
    if (isGone || (intervals.has(key) && !(intervals.get(key) instanceof Error))) return
    intervals.delete(key)
    try {
      intervals.set(key, await source.intervals(id, asked))
    } catch (error) {
      intervals.set(key, asAppError(error))
    }
  }
  onScopeDispose(() => { isGone = true })

  const shown = computed(() => (state.value.status === 'ready' ? state.value.value : null))
  const found = computed(() => (shown.value === null ? undefined : intervals.get(keyOf(shown.value.run.runId, shown.value.setting))))
  // Another run begins with its real items: a simulated setting of the run before may not even be one of its choices.
  watch(runId, (id) => {
    if (!Number.isFinite(id)) return
    setting.value = { kind: 'actual' }
    state.value = { status: 'loading' }
    void reload()
  })
  return {
    state, setting, reload,
    intervals: computed(() => (found.value === undefined || found.value instanceof Error ? null : found.value)),
    intervalError: computed(() => (found.value instanceof Error ? found.value : null)),
    actual: computed(() => (shown.value === null ? null : (known.get(keyOf(shown.value.run.runId, { kind: 'actual' })) ?? null))),
    isComputing: computed(() => shown.value !== null && JSON.stringify(shown.value.setting) !== JSON.stringify(setting.value)),
    choose: (next) => {
      setting.value = next
      return reload()
    },
  }
}

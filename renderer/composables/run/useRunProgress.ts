import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import type { CallReply, EventPayload } from '../../../electron/contract/contract.ts'
import type { Epoch } from '../../../engine/domain/run.ts'
import { emptySteps, withEpoch, withStep, type StepLosses } from './run-curves.ts'

type RunDetail = CallReply<'runs:get'>
type Unsubscribe = () => void

/** What the composable needs from the application; tests hand in their own. */
export interface RunSource {
  get: (runId: number) => Promise<RunDetail>
  onChanged: (listen: (payload: EventPayload<'runs:changed'>) => void) => Unsubscribe
  onEpoch: (listen: (payload: EventPayload<'runs:epoch'>) => void) => Unsubscribe
  onLoss: (listen: (payload: EventPayload<'runs:loss'>) => void) => Unsubscribe
}

export interface RunProgress {
  detail: Ref<RunDetail | null>
  epochs: ComputedRef<Epoch[]>
  steps: Ref<StepLosses>
  lastLoss: Ref<EventPayload<'runs:loss'> | null>
  isLoading: Ref<boolean>
  error: Ref<unknown>
  reload: () => Promise<void>
}

/** Follows one run: what is stored, then every epoch and step as it comes. */
export function useRunProgress(runId: Ref<number>, source: RunSource): RunProgress {
  const detail = shallowRef<RunDetail | null>(null)
  const told = ref<Epoch[]>([])
  const steps = shallowRef<StepLosses>(emptySteps)
  const lastLoss = shallowRef<EventPayload<'runs:loss'> | null>(null)
  const isLoading = ref(false)
  const error = ref<unknown>(null)
  let asked = 0

  const reload = async (): Promise<void> => {
    const mine = ++asked
    isLoading.value = detail.value === null
    try {
      const answer = await source.get(runId.value)
      if (mine !== asked) return
      detail.value = answer
      error.value = null
    } catch (thrown) {
      if (mine === asked) error.value = thrown
    } finally {
      if (mine === asked) isLoading.value = false
    }
  }

  // An event may overtake the reply to "runs:get", so what was told is laid over what was stored.
  const epochs = computed(() => told.value.reduce(withEpoch, detail.value?.epochs ?? []))

  watch(runId, () => {
    detail.value = null
    told.value = []
    steps.value = emptySteps
    lastLoss.value = null
    void reload()
  }, { immediate: true })

  const stops = [
    source.onChanged((payload) => {
      if (payload.runId === runId.value) void reload()
    }),
    source.onEpoch((payload) => {
      if (payload.runId === runId.value) told.value = withEpoch(told.value, payload.epoch)
    }),
    source.onLoss((payload) => {
      if (payload.runId !== runId.value) return
      steps.value = withStep(steps.value, payload)
      lastLoss.value = payload
    }),
  ]
  onScopeDispose(() => {
    asked++
    for (const stop of stops) stop()
  })
  return { detail, epochs, steps, lastLoss, isLoading, error, reload }
}

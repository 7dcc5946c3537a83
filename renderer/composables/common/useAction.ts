import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { AppError } from '../../../engine/domain/errors.ts'
import { asAppError } from './useAsync.ts'

/** Something the reader asked for by a button: busy until it ends, its error shown until the next try. */
export function useAction(): { isBusy: Ref<boolean>; error: ShallowRef<AppError | null>; act: (work: () => Promise<unknown>) => Promise<void> } {
  const isBusy = ref(false)
  const error = shallowRef<AppError | null>(null)
  async function act(work: () => Promise<unknown>): Promise<void> {
    isBusy.value = true
    error.value = null
    try {
      await work()
    } catch (thrown) {
      error.value = asAppError(thrown)
    }
    isBusy.value = false
  }
  return { isBusy, error, act }
}

import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import { AppError, fromErrorOutcome, toErrorOutcome } from '../../../engine/domain/errors.ts'

/** The four states of everything that is asked of main; `empty` is for the view to tell from the value. */
export type AsyncState<T> =
  | { status: 'loading' }
  | { status: 'error'; error: AppError }
  | { status: 'ready'; value: T }

export interface Async<T> {
  state: ShallowRef<AsyncState<T>>
  /** Asks again. Keeps showing the old value meanwhile unless `showLoading`. A newer call makes an older answer void. */
  reload: (showLoading?: boolean) => Promise<void>
}

/** Any thrown value as the error that screens show. */
export function asAppError(error: unknown): AppError {
  return error instanceof AppError ? error : fromErrorOutcome(toErrorOutcome(error, 'REQUEST_INVALID'))
}

/** Loads a value at once and on demand. */
export function useAsync<T>(load: () => Promise<T>): Async<T> {
  const state: ShallowRef<AsyncState<T>> = shallowRef({ status: 'loading' })
  let latest = 0
  async function reload(showLoading = false): Promise<void> {
    latest += 1
    const mine = latest
    if (showLoading || state.value.status === 'error') state.value = { status: 'loading' }
    try {
      const value = await load()
      if (mine === latest) state.value = { status: 'ready', value }
    } catch (error) {
      if (mine === latest) state.value = { status: 'error', error: asAppError(error) }
    }
  }
  onScopeDispose(() => { latest += 1 })
  void reload()
  return { state, reload }
}

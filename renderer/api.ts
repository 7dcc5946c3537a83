import type { CallName, CallReply, CallRequest, EventName, EventPayload, Outcome } from '../electron/contract/contract.ts'
import { AppError, fromErrorOutcome } from '../engine/domain/errors.ts'

/** The bridge that the preload script exposes. */
export interface WindowApi {
  call: (channel: string, request: unknown) => Promise<Outcome<unknown>>
  /** Returns the function that stops listening. */
  on: (channel: string, listener: (payload: unknown) => void) => () => void
}

declare global {
  interface Window { api: WindowApi }
}

/** Asks main for something. Throws the AppError that main answered with. */
export async function call<K extends CallName>(channel: K, request: CallRequest<K>): Promise<CallReply<K>> {
  // Reactive objects are proxies, which the process boundary refuses to copy.
  const plain: unknown = JSON.parse(JSON.stringify(request))
  let outcome: Outcome<unknown>
  try {
    outcome = await window.api.call(channel, plain)
  } catch (error) {
    throw new AppError('REQUEST_INVALID', `The request "${channel}" was not answered.`, { cause: error })
  }
  if (!outcome.ok) throw fromErrorOutcome(outcome.error)
  return outcome.value as CallReply<K>
}

/** Hears an event of main until the returned function is called. */
export function on<K extends EventName>(channel: K, listener: (payload: EventPayload<K>) => void): () => void {
  return window.api.on(channel, (payload) => listener(payload as EventPayload<K>))
}

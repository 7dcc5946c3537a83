import type { IpcMainInvokeEvent } from 'electron'
import { AppError, toErrorOutcome } from '../../engine/domain/errors.ts'
import { calls, type CallName, type CallReply, type Outcome, type ParsedRequest } from '../contract/contract.ts'

/** The handlers of some channels; together the handler files cover every call of the contract. */
export type Handlers<K extends CallName = CallName> = { [C in K]: (request: ParsedRequest<C>) => CallReply<C> | Promise<CallReply<C>> }

const appOrigin = 'app://lacuna/'

function assertOwnFrame(event: Pick<IpcMainInvokeEvent, 'senderFrame'>): void {
  const frame = event.senderFrame
  if (!frame || frame.parent !== null || !frame.url.startsWith(appOrigin)) {
    throw new AppError('REQUEST_FORBIDDEN', 'A request came from a page that is not the application window.')
  }
}

/** Parses, runs and wraps one call; never throws, so that every failure reaches the renderer with code and fix. */
export async function answerCall<K extends CallName>(channel: K, handler: Handlers<K>[K], event: Pick<IpcMainInvokeEvent, 'senderFrame'>, raw: unknown, log: (line: string) => void): Promise<Outcome<CallReply<K>>> {
  try {
    assertOwnFrame(event)
    const parsed = calls[channel].request.safeParse(raw)
    if (!parsed.success) {
      const first = parsed.error.issues[0]
      throw new AppError('REQUEST_INVALID', `${channel}: ${first?.path.join('.') ?? ''} ${first?.message ?? 'does not fit'}.`)
    }
    return { ok: true, value: await handler(parsed.data as ParsedRequest<K>) }
  } catch (error) {
    if (!(error instanceof AppError)) log(`${channel}: ${error instanceof Error ? error.stack : String(error)}`)
    return { ok: false, error: toErrorOutcome(error, 'REQUEST_INVALID') }
  }
}

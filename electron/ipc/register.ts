import { ipcMain } from 'electron'
import { calls, type CallName } from '../contract/contract.ts'
import { answerCall, type Handlers } from './answer.ts'

/** Registers one handler for every channel of the contract. */
export function registerCalls(handlers: Handlers, log: (line: string) => void): void {
  for (const channel of Object.keys(calls) as CallName[]) {
    const handler = handlers[channel] as Handlers<CallName>[CallName]
    ipcMain.handle(channel, (event, raw: unknown) => answerCall(channel, handler as never, event, raw, log))
  }
}

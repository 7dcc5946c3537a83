import { contextBridge, ipcRenderer } from 'electron'
import { calls, events } from './contract/contract.ts'

/** Exposes window.api from the contract: the named calls and events, nothing else. */
contextBridge.exposeInMainWorld('api', {
  call: (channel: string, request: unknown) => {
    if (!Object.hasOwn(calls, channel)) return Promise.reject(new Error(`Unknown call ${channel}`))
    return ipcRenderer.invoke(channel, request)
  },
  on: (channel: string, listener: (payload: unknown) => void) => {
    if (!Object.hasOwn(events, channel)) throw new Error(`Unknown event ${channel}`)
    const forward = (_event: unknown, payload: unknown) => listener(payload)
    ipcRenderer.on(channel, forward)
    return () => ipcRenderer.removeListener(channel, forward)
  },
})

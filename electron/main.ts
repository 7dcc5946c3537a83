import { app, BrowserWindow, dialog } from 'electron'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../engine/domain/errors.ts'
import { workspaceOptionsFromEnvironment } from '../engine/jobs/environment.ts'
import { defaultStoreFile } from '../engine/jobs/places.ts'
import { openWorkspace, type Workspace } from '../engine/jobs/workspace.ts'
import type { EventName, EventPayload } from './contract/contract.ts'
import { appHandlers } from './ipc/app.ipc.ts'
import { alarmHandlers } from './ipc/alarms.ipc.ts'
import { backboneHandlers } from './ipc/backbones.ipc.ts'
import { cohortHandlers } from './ipc/cohorts.ipc.ts'
import type { HandlerContext } from './ipc/context.ts'
import { fingerprintHandlers } from './ipc/fingerprint.ipc.ts'
import { deliveryHandlers } from './ipc/deliveries.ipc.ts'
import { mappingHandlers } from './ipc/mappings.ipc.ts'
import { importHandlers } from './ipc/import.ipc.ts'
import { patientHandlers } from './ipc/patients.ipc.ts'
import { registerCalls } from './ipc/register.ts'
import { privacyHandlers } from './ipc/privacy.ipc.ts'
import { runHandlers } from './ipc/runs.ipc.ts'
import { handleAppProtocol, registerSchemes } from './services/app-protocol.ts'
import { createDialogs } from './services/dialogs.ts'
import { createJobBoard } from './services/job-board.ts'
import { createKeyQuestion, isKeyProblem } from './services/key-question.ts'
import { createLog } from './services/log.ts'
import { createPictures } from './services/pictures.ts'
import { createPrinter } from './services/printer.ts'
import { createTrainings } from './services/trainings.ts'
import { lockDownSession, openWindow } from './window.ts'

const here = dirname(fileURLToPath(import.meta.url))
const rendererDir = join(here, '..', 'renderer')
const preloadFile = join(here, 'preload.cjs')

/** Sends an event to the window, when there is one. */
function publish<K extends EventName>(event: K, payload: EventPayload<K>): void {
  for (const window of BrowserWindow.getAllWindows()) window.webContents.send(event, payload)
}

function openOrExplain(storeFile: string, log: (line: string) => void): Workspace | null {
  const askForKey = createKeyQuestion()
  let keyFrom: string | null = null
  for (;;) {
    try {
      return openWorkspace({ ...workspaceOptionsFromEnvironment(storeFile, log), ...(keyFrom === null ? {} : { keyFrom }) })
    } catch (error) {
      const message = error instanceof AppError ? `${error.message}\n\n${error.fix}` : String(error)
      log(`cannot open the store: ${message}`)
      keyFrom = error instanceof AppError && isKeyProblem(error) ? askForKey(error) : null
      if (keyFrom !== null) continue
      dialog.showErrorBox('Lacuna cannot open its database', message)
      return null
    }
  }
}

function start(): void {
  const storeFile = defaultStoreFile()
  const log = createLog(dirname(storeFile))
  const workspace = openOrExplain(storeFile, log)
  if (!workspace) return app.exit(1)
  lockDownSession()
  handleAppProtocol(rendererDir)
  const pictures = createPictures(workspace)
  pictures.handleProtocol()
  const jobs = createJobBoard((job) => publish('jobs:changed', job))
  const context: HandlerContext = {
    workspace, jobs, pictures, publish,
    trainings: createTrainings(workspace, jobs, publish),
    dialogs: createDialogs(),
    printer: createPrinter(),
  }
  registerCalls({ ...appHandlers(context), ...alarmHandlers(context), ...backboneHandlers(context), ...cohortHandlers(context), ...fingerprintHandlers(context), ...importHandlers(context), ...deliveryHandlers(context), ...mappingHandlers(context), ...privacyHandlers(context), ...runHandlers(context), ...patientHandlers(context) }, log)
  openWindow(preloadFile)
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow(preloadFile)
  })
  app.on('quit', () => workspace.close())
}

// A second instance would be a second writer; it shows the first one instead. A store of its own is told by LACUNA_STORE.
if (process.env.LACUNA_STORE || app.requestSingleInstanceLock()) {
  registerSchemes()
  // Nothing here may use the network, not even for Chromium's own services.
  for (const name of ['disable-background-networking', 'disable-component-update', 'disable-domain-reliability', 'no-pings']) app.commandLine.appendSwitch(name)
  app.on('second-instance', () => BrowserWindow.getAllWindows()[0]?.focus())
  app.on('window-all-closed', () => app.quit())
  void app.whenReady().then(start)
} else {
  app.quit()
}

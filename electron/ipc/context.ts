import type { Workspace } from '../../engine/jobs/workspace.ts'
import type { EventName, EventPayload } from '../contract/contract.ts'
import type { JobBoard } from '../services/job-board.ts'
import type { Pictures } from '../services/pictures.ts'
import type { Trainings } from '../services/trainings.ts'

/** What the handlers work with. Dialogs are given in, so that tests can answer them. */
export interface HandlerContext {
  workspace: Workspace
  jobs: JobBoard
  pictures: Pictures
  trainings: Trainings
  publish: <K extends EventName>(event: K, payload: EventPayload<K>) => void
  dialogs: Dialogs
  printer: Printer
}

export interface Printer {
  /** The page on screen as PDF, with `foot` on every sheet. */
  printPage: (foot: string) => Promise<Uint8Array>
}

export interface Dialogs {
  chooseFolder: () => Promise<string | null>
  chooseBackbone: (what: 'folder' | 'file') => Promise<string | null>
  chooseMapping: () => Promise<string | null>
  chooseWordList: () => Promise<string | null>
  chooseTable: (folder: string | null) => Promise<string | null>
  chooseSaveFile: (suggestedName: string) => Promise<string | null>
}

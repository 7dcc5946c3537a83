import { existsSync, mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { OriginalsFolder, OriginalsRequest, OriginalState } from '../domain/deliveries.ts'
import { AppError } from '../domain/errors.ts'
import { writeRequestFile } from '../host/request-file.ts'
import type { Progress } from '../protocol.ts'
import type { Store } from '../store/open.ts'
import { translateErrors } from '../store/sqlite-errors.ts'
import type { Workspace } from './workspace.ts'

export interface OriginalsQuestion {
  cohortId: number
  depth: OriginalsRequest['depth']
  /** Only this folder, and as if it lay there. */
  moved?: { deliveryId: number | null; sourceDir: string } | undefined
}

export interface RunningCheck {
  /** Null after a cancel. */
  folders: Promise<OriginalsFolder[] | null>
  cancel: () => void
}

/** Writes what the engine has to look at; runs in the reader process, which knows every file of the cohort. */
export function handOverOriginals(store: Store, { cohortId, depth, moved, requestFile }: OriginalsQuestion & { requestFile: string }): { fileCount: number } {
  const folders = store.originals.folders(cohortId)
    .filter(({ deliveryId }) => moved === undefined || deliveryId === moved.deliveryId)
    .map((folder) => ({ ...folder, sourceDir: moved?.sourceDir ?? folder.sourceDir, files: store.originals.files(cohortId, folder.deliveryId) }))
  translateErrors(() => writeRequestFile(requestFile, { depth, folders } satisfies OriginalsRequest))
  return { fileCount: folders.reduce((sum, { files }) => sum + files.length, 0) }
}

/** Compares the original files of a cohort with what they were when they were imported. Nothing is changed. */
export function checkOriginals(workspace: Workspace, question: OriginalsQuestion, onProgress?: (progress: Progress) => void): RunningCheck {
  const { reader, files, paths } = workspace
  let cancelJob: (() => void) | null = null
  let isCancelled = false
  const run = async (): Promise<OriginalsFolder[] | null> => {
    mkdirSync(paths.handoverDir, { recursive: true, mode: 0o700 })
    const requestFile = join(paths.handoverDir, `originals_${question.cohortId}_${process.hrtime.bigint()}`)
    await reader.read('originals:hand-over', { ...question, requestFile })
    const job = files.startFromFile('originals:check', requestFile, onProgress ? { onProgress } : {})
    cancelJob = job.cancel
    if (isCancelled) job.cancel()
    const outcome = await job.outcome
    return outcome.status === 'done' ? outcome.value.folders : null
  }
  return {
    folders: run(),
    cancel: () => {
      isCancelled = true
      cancelJob?.()
    },
  }
}

/**
 * Takes another folder for the files of one import, after every file in it was compared by content: a folder that holds other files under
 * the same names would put other patients' images under these patients. Files that are missing there are told and stay missing.
 * @throws AppError IMPORT_ORIGINALS_GONE when there is no such folder, IMPORT_ORIGINALS_DIFFER when a file is another one, or none is there
 */
export function relinkOriginals(workspace: Workspace, cohortId: number, deliveryId: number | null, sourceDir: string, onProgress?: (progress: Progress) => void): RunningCheck {
  const check = checkOriginals(workspace, { cohortId, depth: 'content', moved: { deliveryId, sourceDir } }, onProgress)
  const folders = check.folders.then((result) => {
    if (result === null) return null
    const folder = result[0]
    if (folder === undefined) throw new AppError('STORE_NOT_FOUND', 'There is no such import of this cohort.')
    if (!folder.isThere) throw new AppError('IMPORT_ORIGINALS_GONE', 'The chosen folder cannot be found.')
    const { there, changed, unreadable, missing, fileCount } = folder
    if (changed + unreadable > 0) throw new AppError('IMPORT_ORIGINALS_DIFFER', `Of ${fileCount} files, ${changed + unreadable} in the chosen folder are not the ones that were imported; ${there} are, ${missing} are missing. Nothing was changed.`)
    if (there === 0 && fileCount > 0) throw new AppError('IMPORT_ORIGINALS_DIFFER', `None of the ${fileCount} files is in the chosen folder. Nothing was changed.`)
    workspace.store.originals.relink(cohortId, deliveryId, sourceDir, { there, missing })
    return result
  })
  return { folders, cancel: check.cancel }
}

/** State of one original by presence and size, for the page of its patient. */
export async function originalState(path: string | null, byteSize: number | null): Promise<OriginalState | null> {
  if (path === null) return null
  const info = await stat(path).catch(() => null)
  return info === null || !info.isFile() ? 'missing' : byteSize !== null && info.size !== byteSize ? 'changed' : 'there'
}

/** The imports of a cohort whose folder is not there now: the first thing to know when a file cannot be read. Looks at no file. */
export function missingFolders({ store }: Pick<Workspace, 'store'>, cohortId: number): number[] {
  return store.originals.folders(cohortId).filter(({ sourceDir }) => !existsSync(sourceDir)).map(({ number }) => number)
}

/** The same in words, or null when every folder is there. */
export function missingFoldersSentence(workspace: Pick<Workspace, 'store'>, cohortId: number): string | null {
  const missing = missingFolders(workspace, cohortId)
  if (missing.length === 0) return null
  const which = missing.length === 1 && missing[0] === 1 ? 'The folder of the original files' : `The folder of ${missing.map((number) => (number === 1 ? 'the first import' : `delivery ${number}`)).join(' and ')}`
  return `${which} is not there: the drive is unplugged, or the folder was renamed or moved.`
}

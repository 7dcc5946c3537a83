import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AppError, toErrorOutcome } from '../domain/errors.ts'
import { createEngineProcess, type EngineProcess } from '../host/engine-process.ts'
import { openStore, type Store } from '../store/open.ts'
import { isSealedWith, sealStore } from '../store/sealed-store.ts'
import { eraseRemoved } from './erase-removed.ts'
import { inTurns } from './in-turns.ts'
import { keyCheck, readPseudonymKey, restorePseudonymKey } from './pseudonym-key.ts'
import { createStoreReader, type StoreReader } from './store-reads.ts'

/** What every job needs: the one open store, two engine processes and the folders. */
export interface Workspace {
  store: Store
  /** Long reads, away from the process that owns the store. */
  reader: StoreReader
  /** Reads tables and files. Apart from `compute` so that an import and the pictures go on while a run trains. */
  files: EngineProcess
  /** Holds the models; one training at a time. */
  compute: EngineProcess
  paths: WorkspacePaths
  pseudonymKey: string
  versions: { app: string; code: string }
  log: (line: string) => void
  close: () => void
}

export interface WorkspacePaths {
  storeFile: string
  /** Prepared inputs, pictures and thumbnails: may be deleted at any time, is rebuilt. */
  cacheDir: string
  /** Checkpoints, one folder for each run. */
  runsDir: string
  /** Imported backbones, one folder each, named by their id. */
  backbonesDir: string
  weightsDir: string
  /** Requests on their way to the engine, each deleted when it is read. */
  handoverDir: string
}

export interface WorkspaceOptions {
  storeFile: string
  cacheDir?: string
  weightsDir: string
  nodePath: string
  workerFile: string
  readerFile: string
  /** Which compute backend the engine may use: `auto` or a name (LACUNA_BACKEND). */
  backend?: string
  /** A copy of the key file: put beside the database when it is the right one. */
  keyFrom?: string
  versions: { app: string; code: string }
  log: (line: string) => void
}

/**
 * Opens the store and prepares the engine processes (they start at their first job).
 * Runs that were going when the last owner of the store died are marked as paused, so that they can be resumed; one whose start
 * was cut off is removed, and so is a request that no engine has read.
 */
export function openWorkspace(options: WorkspaceOptions): Workspace {
  const storeFile = placeOf(options.storeFile)
  mkdirSync(dirname(storeFile), { recursive: true, mode: 0o700 })
  const paths: WorkspacePaths = {
    storeFile,
    cacheDir: options.cacheDir ?? join(dirname(storeFile), 'prepared'),
    runsDir: join(dirname(storeFile), 'runs'),
    backbonesDir: join(dirname(storeFile), 'backbones'),
    weightsDir: options.weightsDir,
    handoverDir: join(dirname(storeFile), 'handover'),
  }
  for (const dir of [paths.cacheDir, paths.runsDir, paths.backbonesDir]) mkdirSync(dir, { recursive: true, mode: 0o700 })
  const opened = openStore(storeFile, { appVersion: options.versions.app })
  const pseudonymKey = readKeyOrClose(opened, storeFile, options.keyFrom)
  const store = sealStore(opened, pseudonymKey)
  sealEarlierPaths(store, options.log)
  store.runs.removeUnstarted()
  store.runs.markInterrupted()
  let isClosed = false
  // In slices while the window is already answered; a store that is closed meanwhile goes on at its next opening.
  eraseRemoved({ store, paths }).catch((error: unknown) => {
    if (!isClosed) options.log(`what was removed could not be erased: ${toErrorOutcome(error, 'STORE_NOT_WRITABLE').code}`)
  })
  inTurns(store.deliveries.undoSteps()).catch((error: unknown) => {
    if (!isClosed) options.log(`a delivery could not be taken back: ${toErrorOutcome(error, 'STORE_NOT_WRITABLE').code}`)
  })
  rmSync(paths.handoverDir, { recursive: true, force: true })
  const createEngine = () => createEngineProcess({ nodePath: options.nodePath, workerFile: options.workerFile, env: { LACUNA_BACKEND: options.backend }, log: options.log })
  const files = createEngine()
  const compute = createEngine()
  const reader = createStoreReader({ nodePath: options.nodePath, readerFile: options.readerFile, storeFile, appVersion: options.versions.app, log: options.log })
  return {
    store, reader, files, compute, paths,
    pseudonymKey,
    versions: options.versions,
    log: options.log,
    close: () => {
      isClosed = true
      reader.dispose()
      files.dispose()
      compute.dispose()
      store.close()
    },
  }
}

/** Key and checkpoints lie beside the database itself, not beside a link to it; unless they were put beside the link before. */
function placeOf(file: string): string {
  const named = resolve(file)
  return existsSync(named) && !existsSync(`${named}.key`) ? realpathSync(named) : named
}

const keyCheckName = 'key_check'

/** Cohorts imported before paths were sealed: once, before anything else is done, and told in the log since it can take seconds. */
function sealEarlierPaths(store: Store, log: (line: string) => void): void {
  const total = store.clearPaths.count()
  let told = 0
  for (const done of store.clearPaths.seal((text) => text)) {
    if (total === 0 || (done < total && done - told < 20_000)) continue
    told = done
    log(`sealing the paths of earlier imports: ${done} of ${total}`)
  }
}

/** A key file that cannot be used must not leave the database locked. */
function readKeyOrClose(store: Store, storeFile: string, keyFrom: string | undefined): string {
  try {
    const check = store.meta.get(keyCheckName)
    const isRight = (key: string): boolean => (check === null ? isSealedWith(store, key) : check === keyCheck(key))
    if (keyFrom !== undefined) {
      const aside = restorePseudonymKey(storeFile, keyFrom, isRight)
      store.audit.append('store.key-restored', { hadOther: aside !== null })
    }
    // Whatever was done in a store is logged; a store in which nothing was done may get its first key.
    const key = readPseudonymKey(storeFile, { check, isInUse: store.audit.list(1).length > 0 })
    // A store of before the check was kept: a wrong key must not become the one that it remembers.
    if (!isRight(key)) throw new AppError('STORE_KEY_INVALID', 'The key file beside the database is not the one that its file paths were sealed with.')
    if (check !== keyCheck(key)) store.meta.set(keyCheckName, keyCheck(key))
    return key
  } catch (error) {
    store.close()
    throw error
  }
}

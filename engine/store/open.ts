import { closeSync, existsSync, mkdirSync, openSync, readdirSync, realpathSync, statfsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { AppError } from '../domain/errors.ts'
import type { StorageSizes } from '../domain/records.ts'
import type { StoreContext } from './context.ts'
import { lockStore, type StoreLock } from './lock.ts'
import { checkSchema, migrate, schemaVersion, type Migration } from './migrate.ts'
import initialSql from './migrations/0001_initial.sql'
import servingSql from './migrations/0002_serving_and_missingness.sql'
import backbonesSql from './migrations/0003_backbones.sql'
import removalsSql from './migrations/0004_removals.sql'
import imageMeasuresSql from './migrations/0005_image_measures.sql'
import curationSql from './migrations/0006_curation.sql'
import deliveriesSql from './migrations/0007_deliveries.sql'
import degradedResultsSql from './migrations/0008_degraded_results.sql'
import derivedLabelsSql from './migrations/0009_derived_labels.sql'
import textSignsSql from './migrations/0010_text_signs.sql'
import deliveryLabelsSql from './migrations/0011_delivery_labels.sql'
import framesSql from './migrations/0012_frames.sql'
import studyDatesSql from './migrations/0013_study_dates.sql'
import { createCurationRepository, type CurationRepository } from './curation/decisions.ts'
import { createEffectiveCohorts } from './curation/effective-cohort.ts'
import { createDeliveryRepository, type DeliveryRepository } from './deliveries/repository.ts'
import { createOriginalRepository, type OriginalRepository } from './deliveries/originals.ts'
import { createSavedMappingRepository, type SavedMappingRepository } from './deliveries/saved-mappings.ts'
import { createClearPaths, type ClearPaths } from './privacy/clear-paths.ts'
import { createTextSignRepository, type TextSignRepository } from './privacy/text-signs.ts'
import { createRemovals, type Removals } from './removals.ts'
import { createAuditRepository, type AuditRepository } from './repositories/audit.ts'
import { createBackboneRepository, type BackboneRepository } from './repositories/backbones.ts'
import { createCohortRepository, type CohortRepository } from './repositories/cohorts.ts'
import { createDegradedResultsRepository, type DegradedResultsRepository } from './repositories/degraded-results.ts'
import { createImageMeasureRepository, type ImageMeasureRepository } from './repositories/image-measures.ts'
import { createImportRepository, type ImportRepository } from './repositories/imports.ts'
import { createMetaRepository, type MetaRepository } from './repositories/meta.ts'
import { createPatientRepository, type PatientRepository } from './repositories/patients.ts'
import { createPredictionRepository, type PredictionRepository } from './repositories/predictions.ts'
import { createReviewRepository, type ReviewRepository } from './repositories/reviews.ts'
import { createRunRepository, type RunRepository } from './repositories/runs.ts'
import { guarded, translateErrors } from './sqlite-errors.ts'
import { cutLog } from './write-ahead-log.ts'
import { createStudyIndex } from './study-index.ts'

export const storeMigrations: readonly Migration[] = [
  { version: 1, name: '0001_initial', sql: initialSql },
  { version: 2, name: '0002_serving_and_missingness', sql: servingSql },
  { version: 3, name: '0003_backbones', sql: backbonesSql },
  { version: 4, name: '0004_removals', sql: removalsSql },
  { version: 5, name: '0005_image_measures', sql: imageMeasuresSql },
  { version: 6, name: '0006_curation', sql: curationSql },
  { version: 7, name: '0007_deliveries', sql: deliveriesSql },
  { version: 8, name: '0008_degraded_results', sql: degradedResultsSql },
  { version: 9, name: '0009_derived_labels', sql: derivedLabelsSql },
  { version: 10, name: '0010_text_signs', sql: textSignsSql },
  { version: 11, name: '0011_delivery_labels', sql: deliveryLabelsSql },
  { version: 12, name: '0012_frames', sql: framesSql },
  { version: 13, name: '0013_study_dates', sql: studyDatesSql },
]

/** How long a statement waits for a reader in another process before it gives up. */
const busyTimeoutMs = 5000

export interface OpenStoreOptions {
  appVersion: string
  /** Where copies go before an update; "backups" beside the database unless told. */
  backupDir?: string
  /** Only look: takes no lock, changes nothing, works beside a running writer. */
  readonly?: boolean
  /** ISO 8601 in UTC. */
  now?: () => string
  migrations?: readonly Migration[]
}

export interface Store {
  path: string
  cohorts: CohortRepository
  curation: CurationRepository
  imports: ImportRepository
  deliveries: DeliveryRepository
  originals: OriginalRepository
  savedMappings: SavedMappingRepository
  imageMeasures: ImageMeasureRepository
  textSigns: TextSignRepository
  patients: PatientRepository
  runs: RunRepository
  predictions: PredictionRepository
  degradedResults: DegradedResultsRepository
  reviews: ReviewRepository
  backbones: BackboneRepository
  audit: AuditRepository
  meta: MetaRepository
  /** Paths that were stored before they were sealed. */
  clearPaths: ClearPaths
  /** What was removed and is still to be erased. */
  removals: Removals
  /** All of it or nothing; `fn` must be synchronous. Nests. */
  transaction: <T>(fn: () => T) => T
  storageSizes: () => StorageSizes
  close: () => void
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function configure(db: Database, isReadonly: boolean): void {
  db.pragma(`busy_timeout = ${busyTimeoutMs}`)
  // A file that someone else prepared must not get to run functions through its own triggers and views.
  db.pragma('trusted_schema = OFF')
  db.pragma('cell_size_check = ON')
  db.pragma('foreign_keys = ON')
  if (isReadonly) {
    db.pragma('query_only = ON')
    return
  }
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  // What is deleted is overwritten: notes of a removed cohort must not linger in free pages.
  db.pragma('secure_delete = ON')
}

/** A new database is its owner's alone, like the key beside it; its log and its copies are made in its likeness. A file that is there keeps what somebody gave it. */
function makePrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

function checkFile(db: Database): void {
  const verdict = db.pragma('quick_check(1)', { simple: true })
  if (verdict !== 'ok') throw new AppError('STORE_CORRUPT', `The database file is damaged: ${String(verdict)}.`)
}

function prepareFile(db: Database, wasLeftOpen: boolean, options: OpenStoreOptions, path: string): void {
  const migrations = options.migrations ?? storeMigrations
  // Before anything is written: another program's database stays as it is.
  checkSchema(db, migrations)
  if (options.readonly === true) {
    if (schemaVersion(db) < migrations.length) throw new AppError('STORE_UPDATE_NEEDED', `The database has version ${schemaVersion(db)}; this app reads version ${migrations.length}.`)
    configure(db, true)
    return
  }
  configure(db, false)
  if (wasLeftOpen) checkFile(db)
  migrate(db, migrations, { backupDir: options.backupDir ?? join(dirname(path), 'backups'), appVersion: options.appVersion, now: clockOf(options) })
}

function clockOf(options: OpenStoreOptions): () => string {
  return options.now ?? (() => new Date().toISOString())
}

function leaveNoLog(db: Database): void {
  try {
    cutLog(db)
  } catch {
    // A disk that is full or gone: the log stays, and the next start folds it in.
  }
}

function assembleStore(db: Database, path: string, options: OpenStoreOptions, release: () => void): Store {
  const now = clockOf(options)
  const effective = createEffectiveCohorts(db)
  const index = createStudyIndex(db, effective)
  const audit = createAuditRepository({ db, appVersion: options.appVersion, now })
  const context: StoreContext = {
    db, appVersion: options.appVersion, now, effective,
    audit: (event, details) => void audit.append(event, details),
    changed: { cohort: index.forgetCohort, run: index.forgetRun, reviews: index.forgetReviews },
  }
  const backupDir = options.backupDir ?? join(dirname(path), 'backups')
  const backupBytes = () => (existsSync(backupDir) ? readdirSync(backupDir).reduce((sum, name) => sum + sizeOf(join(backupDir, name)), 0) : 0)
  return {
    path,
    cohorts: guarded(createCohortRepository(context, index)),
    curation: guarded(createCurationRepository(context)),
    imports: guarded(createImportRepository(context)),
    deliveries: guarded(createDeliveryRepository(context)),
    originals: guarded(createOriginalRepository(context)),
    savedMappings: guarded(createSavedMappingRepository(context)),
    imageMeasures: guarded(createImageMeasureRepository(context)),
    textSigns: guarded(createTextSignRepository(context)),
    patients: guarded(createPatientRepository(context, index)),
    runs: guarded(createRunRepository(context)),
    predictions: guarded(createPredictionRepository(context)),
    degradedResults: guarded(createDegradedResultsRepository(context)),
    reviews: guarded(createReviewRepository(context)),
    backbones: guarded(createBackboneRepository(context)),
    audit: guarded(audit),
    meta: guarded(createMetaRepository(context)),
    clearPaths: guarded(createClearPaths(context, backupDir)),
    removals: guarded(createRemovals(context)),
    transaction: (fn) => translateErrors(() => db.transaction(fn).immediate()),
    storageSizes: () => translateErrors(() => {
      const disk = statfsSync(dirname(path))
      return { databaseBytes: sizeOf(path), walBytes: sizeOf(`${path}-wal`), backupBytes: backupBytes(), freeBytes: disk.bavail * disk.bsize }
    }),
    close: () => {
      // SQLite does this for the last connection only, and the process that reads may still have one.
      if (options.readonly !== true && db.open) leaveNoLog(db)
      db.close()
      release()
    },
  }
}

/**
 * Opens a database, or makes it, and brings it up to date. One writer at a time; readers with `readonly` may stand beside it.
 * A file that was not closed properly is checked before use.
 * @throws AppError STORE_LOCKED, STORE_CORRUPT, STORE_NOT_LACUNA, STORE_NEWER_THAN_APP, STORE_UPDATE_NEEDED, STORE_MIGRATION_FAILED,
 * STORE_FILE_MISSING, STORE_NOT_WRITABLE, STORE_DISK_FULL.
 */
export function openStore(file: string, options: OpenStoreOptions): Store {
  return translateErrors(() => {
    // By its real place: opened through a link it would have another lock, and two writers.
    const path = existsSync(file) ? realpathSync(file) : resolve(file)
    const isReadonly = options.readonly === true
    if (isReadonly && !existsSync(path)) throw new AppError('STORE_FILE_MISSING', 'There is no database at this path.')
    if (!isReadonly) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const lock: StoreLock | null = isReadonly ? null : lockStore(path)
    let db: Database | null = null
    try {
      // A log that is still there was not folded in by a proper close.
      if (!isReadonly) makePrivate(path)
      const wasLeftOpen = sizeOf(`${path}-wal`) > 0
      db = new SqliteDatabase(path, { readonly: isReadonly, fileMustExist: isReadonly, timeout: busyTimeoutMs })
      prepareFile(db, wasLeftOpen, options, path)
      return assembleStore(db, path, options, () => lock?.release())
    } catch (error) {
      db?.close()
      lock?.release()
      throw error
    }
  })
}

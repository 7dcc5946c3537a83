import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { AppError } from '../domain/errors.ts'
import { toStoreError } from './sqlite-errors.ts'

/** One forward step of the database; `version` counts from 1 without gaps. */
export interface Migration {
  version: number
  name: string
  sql: string
}

export interface MigrateOptions {
  /** Folder for the copy taken before an existing database is changed. */
  backupDir: string
  appVersion: string
  now: () => string
}

/** Marks a file as ours ("LACU"), so that another program's database is refused instead of filled with tables. */
export const applicationId = 0x4c414355

/** Copies of the database from before its last updates that are kept. */
const keptBackups = 3

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function schemaVersion(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

function hasTables(db: Database): boolean {
  return db.prepare(`SELECT 1 FROM sqlite_schema LIMIT 1`).get() !== undefined
}

/**
 * Refuses a database this app must not touch: another program's, a newer app's, or one that was built by other migrations than ours.
 * @throws AppError STORE_NOT_LACUNA, STORE_NEWER_THAN_APP, STORE_MIGRATION_FAILED.
 */
export function checkSchema(db: Database, migrations: readonly Migration[]): void {
  migrations.forEach((migration, index) => {
    if (migration.version !== index + 1) throw new Error(`migration ${migration.name} is out of order`)
  })
  const found = db.pragma('application_id', { simple: true })
  if (found !== applicationId && hasTables(db)) throw new AppError('STORE_NOT_LACUNA', 'This file is a database of another program.')
  const version = schemaVersion(db)
  if (version > migrations.length) {
    throw new AppError('STORE_NEWER_THAN_APP', `The database has version ${version}; this app knows versions up to ${migrations.length}.`)
  }
  if (version === 0) return
  const applied = db.prepare<[], { version: number; sha256: string }>('SELECT version, sha256 FROM migrations ORDER BY version').all()
  const isOurs = applied.length === version && applied.every((row, index) => row.version === index + 1 && row.sha256 === sha256Of(migrations[index]!.sql))
  if (!isOurs) throw new AppError('STORE_MIGRATION_FAILED', `The history of this database (version ${version}) differs from the one this app would have written.`)
}

/** A copy that was cut off, by a full disk or a kill, must not pass for one: it gets its name when it is whole. */
function backUp(db: Database, options: MigrateOptions): string {
  mkdirSync(options.backupDir, { recursive: true, mode: 0o700 })
  const stamp = options.now().replaceAll(/[^0-9]/g, '')
  const target = join(options.backupDir, `${basename(db.name)}.v${schemaVersion(db)}.${stamp}.backup`)
  const part = `${target}.part`
  for (const left of readdirSync(options.backupDir).filter((name) => name.startsWith(`${basename(db.name)}.v`) && name.endsWith('.backup.part'))) rmSync(join(options.backupDir, left), { force: true })
  try {
    db.prepare('VACUUM INTO :part').run({ part })
    renameSync(part, target)
    return target
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

interface Copy { name: string; version: number; stamp: string }

function copiesOf(db: Database, backupDir: string): Copy[] {
  const start = `${basename(db.name)}.v`
  return readdirSync(backupDir).filter((name) => name.startsWith(start) && name.endsWith('.backup')).map((name) => {
    const [version = '', stamp = ''] = name.slice(start.length).split('.')
    return { name, version: Number(version), stamp }
  }).sort((a, b) => a.version - b.version || (a.stamp < b.stamp ? -1 : 1))
}

/** Removes the oldest copies; each is as large as the database, and one from several updates ago helps nobody. The version tells what is old, not the clock, which may have been set back. */
function pruneBackups(db: Database, backupDir: string, latest: string): void {
  for (const { name } of copiesOf(db, backupDir).slice(0, -keptBackups)) if (join(backupDir, name) !== latest) rmSync(join(backupDir, name), { force: true })
}

/** A start that fails is tried again and again: of the copies of one version only the last is kept, or they fill the disk. */
function keepLastOfVersion(db: Database, backupDir: string, latest: string): void {
  const copies = copiesOf(db, backupDir)
  const version = copies.find(({ name }) => join(backupDir, name) === latest)?.version
  for (const copy of copies) if (copy.version === version && join(backupDir, copy.name) !== latest) rmSync(join(backupDir, copy.name), { force: true })
}

function applyOne(db: Database, migration: Migration, options: MigrateOptions): void {
  db.exec(migration.sql)
  if (!db.inTransaction) throw new Error(`migration ${migration.name} ended its transaction`)
  const broken = db.pragma('foreign_key_check') as unknown[]
  if (broken.length > 0) throw new Error(`migration ${migration.name} leaves ${broken.length} rows without their parent`)
  db.prepare('INSERT INTO migrations (version, name, sha256, app_version, applied_at) VALUES (:version, :name, :sha256, :appVersion, :appliedAt)')
    .run({ version: migration.version, name: migration.name, sha256: sha256Of(migration.sql), appVersion: options.appVersion, appliedAt: options.now() })
  db.pragma(`user_version = ${migration.version}`)
}

/**
 * Brings the database to the newest version, one transaction for each file. An existing database is copied first.
 * @returns path of the backup, null when none was needed.
 * @throws AppError STORE_MIGRATION_FAILED; the failed file is rolled back, the ones before it stay.
 */
export function migrate(db: Database, migrations: readonly Migration[], options: MigrateOptions): string | null {
  checkSchema(db, migrations)
  const from = schemaVersion(db)
  if (from === migrations.length) return null
  const backup = from === 0 ? null : backUp(db, options)
  // Rebuilding a table needs the keys off; foreign_key_check holds them before each commit instead.
  db.pragma('foreign_keys = OFF')
  try {
    for (const migration of migrations.slice(from)) {
      try {
        db.transaction(() => {
          if (migration.version === 1) {
            db.pragma(`application_id = ${applicationId}`)
            db.exec('CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, app_version TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT')
          }
          applyOne(db, migration, options)
        }).immediate()
      } catch (error) {
        if (backup !== null) keepLastOfVersion(db, options.backupDir, backup)
        const known = toStoreError(error)
        if (known instanceof AppError) throw known
        const kept = backup === null ? '' : ` A copy from before is ${basename(backup)}.`
        throw new AppError('STORE_MIGRATION_FAILED', `Update ${migration.name} failed: ${error instanceof Error ? error.message : String(error)}.${kept}`, { cause: error })
      }
    }
  } finally {
    db.pragma('foreign_keys = ON')
  }
  // Only now: a copy may be needed until the update has gone through.
  if (backup !== null) pruneBackups(db, options.backupDir, backup)
  return backup
}

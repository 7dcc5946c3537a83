import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { Migration } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { addCohort, temporaryFolder } from '../unit/store/fixtures.ts'

/**
 * Pattern for every later migration: build the version before it with `migrate(db, storeMigrations.slice(0, n - 1))`, put data in by SQL, open with all, look at the data.
 */
const options = { appVersion: '0.1.0' }
const next = storeMigrations.length + 1
/** A step after all of ours. */
const second: Migration = { version: next, name: `${String(next).padStart(4, '0')}_add_colour`, sql: `ALTER TABLE cohorts ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';` }

function inspect<T>(path: string, read: (db: SqliteDatabase.Database) => T): T {
  const db = new SqliteDatabase(path)
  try {
    return read(db)
  } finally {
    db.close()
  }
}

const versionOf = (path: string) => inspect(path, (db) => db.pragma('user_version', { simple: true }))

describe('the first start', () => {
  it('makes an empty file a database of the newest version, without a backup', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.db')
    openStore(path, options).close()
    expect(versionOf(path)).toBe(storeMigrations.length)
    expect(readdirSync(folder).filter((name) => name === 'backups')).toEqual([])
    const tables = inspect(path, (db) => db.prepare(`SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'`).all()) as { name: string; strict: number }[]
    expect(tables.map((table) => table.name).sort()).toEqual(['alarm_reports', 'audit_log', 'backbone_files', 'backbone_tensors', 'backbones', 'checkpoints', 'cohorts', 'curation_decisions',
      'curation_undos', 'degraded_results', 'deliveries', 'delivery_rejections', 'delivery_studies', 'epochs', 'image_measures', 'image_text_signs', 'items', 'label_evidence', 'label_words',
      'labels', 'meta', 'migrations', 'patients', 'patterns', 'prediction_sets', 'predictions', 'rejected_rows', 'reviews',
      'run_curation', 'run_missingness', 'runs', 'saved_mappings', 'splits', 'studies', 'study_labels', 'text_decisions'])
    expect(tables.filter((table) => table.strict !== 1)).toEqual([])
  })

  it('numbers its files in order', () => {
    storeMigrations.forEach((migration, index) => expect(migration.name.startsWith(String(index + 1).padStart(4, '0'))).toBe(true))
  })
})

describe('the migration runner', () => {
  it('takes a copy, then changes a database that holds data', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.db')
    const before = openStore(path, options)
    const cohortId = addCohort(before, 10)
    before.close()
    const after = openStore(path, { ...options, migrations: [...storeMigrations, second] })
    expect(after.cohorts.get(cohortId).studyCount).toBe(10)
    expect(after.imports.verifyContent(cohortId)).toBe(true)
    after.close()
    expect(versionOf(path)).toBe(next)
    const copies = readdirSync(join(folder, 'backups'))
    expect(copies).toHaveLength(1)
    const copy = openStore(join(folder, 'backups', copies[0]!), options)
    expect(copy.cohorts.get(cohortId).studyCount).toBe(10)
    copy.close()
  })

  it('rolls a broken file back, keeps the copy and names both', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.db')
    const backupDir = join(folder, 'copies')
    const before = openStore(path, options)
    addCohort(before, 5)
    before.close()
    const broken = { version: next + 1, name: `${String(next + 1).padStart(4, '0')}_broken`, sql: 'CREATE TABLE half (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);' }
    expect(() => openStore(path, { ...options, backupDir, migrations: [...storeMigrations, second, broken] }))
      .toThrow(expect.objectContaining({ code: 'STORE_MIGRATION_FAILED', message: expect.stringMatching(new RegExp(`_broken.*nowhere.*a\\.db\\.v${storeMigrations.length}\\.`)) }))
    expect(versionOf(path)).toBe(next)
    expect(inspect(path, (db) => db.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'half'`).pluck().get())).toBe(0)
    expect(readdirSync(backupDir)).toHaveLength(1)
    const copy = openStore(join(backupDir, readdirSync(backupDir)[0]!), options)
    expect(copy.cohorts.list()[0]!.studyCount).toBe(5)
    copy.close()
  })

  it('rolls back a file that leaves rows without their parent or ends its own transaction', () => {
    const path = join(temporaryFolder(), 'a.db')
    const before = openStore(path, options)
    addCohort(before, 5)
    before.close()
    for (const sql of ['DELETE FROM cohorts;', 'COMMIT; CREATE TABLE outside (id INTEGER);']) {
      expect(() => openStore(path, { ...options, migrations: [...storeMigrations, { version: next, name: '0002_bad', sql }] })).toThrow(expect.objectContaining({ code: 'STORE_MIGRATION_FAILED' }))
      expect(versionOf(path)).toBe(storeMigrations.length)
    }
    const after = openStore(path, options)
    expect(after.cohorts.list()[0]!.studyCount).toBe(5)
    after.close()
  })

  it('refuses a database of a newer app and leaves it alone', () => {
    const path = join(temporaryFolder(), 'a.db')
    openStore(path, { ...options, migrations: [...storeMigrations, second] }).close()
    expect(() => openStore(path, options)).toThrow(expect.objectContaining({ code: 'STORE_NEWER_THAN_APP' }))
    expect(() => openStore(path, { ...options, readonly: true })).toThrow(expect.objectContaining({ code: 'STORE_NEWER_THAN_APP' }))
    expect(versionOf(path)).toBe(next)
  })

  it('refuses a database built by other files of the same number', () => {
    const path = join(temporaryFolder(), 'a.db')
    openStore(path, { ...options, migrations: [...storeMigrations, second] }).close()
    const other = { ...second, sql: second.sql.replace('grey', 'blue') }
    expect(() => openStore(path, { ...options, migrations: [...storeMigrations, other] })).toThrow(expect.objectContaining({ code: 'STORE_MIGRATION_FAILED' }))
  })

  it('does not update a database that is only read', () => {
    const path = join(temporaryFolder(), 'a.db')
    openStore(path, options).close()
    expect(() => openStore(path, { ...options, readonly: true, migrations: [...storeMigrations, second] })).toThrow(expect.objectContaining({ code: 'STORE_UPDATE_NEEDED' }))
    expect(versionOf(path)).toBe(storeMigrations.length)
  })
})

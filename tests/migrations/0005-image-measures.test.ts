import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { addCohort, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('keeps what version 4 holds, with the same content hash, and lists its images as not yet measured', () => {
  const path = join(temporaryFolder(), 'a.db')
  const before = openStore(path, { appVersion: '0.2.0', now })
  const cohortId = addCohort(before, 6)
  const { contentHash } = before.cohorts.get(cohortId)
  before.close()
  const old = join(path, '..', 'old.db')
  const db = new SqliteDatabase(old)
  migrate(db, storeMigrations.slice(0, 4), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  // The rows of today's writer in yesterday's tables: every table that version 4 has, column by column.
  db.exec(`ATTACH '${path}' AS new`)
  db.pragma('foreign_keys = OFF')
  for (const table of ['cohorts', 'labels', 'patients', 'studies', 'items', 'study_labels', 'audit_log']) {
    const columns = (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name).join(', ')
    db.exec(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM new.${table}`)
  }
  db.close()
  const store = openStore(old, { appVersion: '0.3.0', now })
  expect(store.cohorts.get(cohortId)).toMatchObject({ contentHash, studyCount: 6 })
  expect(store.imports.verifyContent(cohortId)).toBe(true)
  expect(store.imageMeasures.ofCohort(cohortId)).toEqual([])
  expect(store.imageMeasures.countUnmeasured(cohortId)).toBe(10)
  store.close()
})

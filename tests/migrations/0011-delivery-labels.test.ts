import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, sha256, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('takes a delivery of version 10 for one that refused labels of its own', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 10), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at) VALUES (1, 'Eyes', '/d', 't.csv', ?, ?)`).run(JSON.stringify(mapping), now())
  db.prepare(`INSERT INTO deliveries (cohort_id, number, on_changed, source_dir, table_file, mapping_json, cohort_before_json, hash_before, created_at) VALUES (1, 2, 'keep', '/e', 'u.csv', ?, '{}', ?, ?)`)
    .run(JSON.stringify(mapping), sha256('content'), now())
  db.close()
  const store = openStore(path, { appVersion: '0.3.0', now })
  expect(store.deliveries.open(1)).toMatchObject({ number: 2, knownLabels: { leaveOutNew: false } })
  store.close()
})

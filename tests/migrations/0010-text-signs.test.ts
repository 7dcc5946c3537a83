import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('takes the images of version 9 as not listed for review', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 9), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at) VALUES (1, 'Eyes', '/d', 't.csv', ?, ?)`).run(JSON.stringify(mapping), now())
  db.prepare(`INSERT INTO patients (id, cohort_id, patient_key) VALUES (1, 1, 'P1')`).run()
  db.prepare(`INSERT INTO studies (id, cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 1, '0', 0, '[2]')`).run()
  db.prepare(`INSERT INTO items (study_id, slot_id, is_present, source_path, sha256, byte_size, width_px, height_px) VALUES (1, 'right-eye', 1, 'a.png', ?, 3, 4, 4)`).run('a'.repeat(64))
  db.close()
  const store = openStore(path, { appVersion: '0.3.0', now })
  expect(store.textSigns.list(1)).toEqual([])
  expect(store.textSigns.count(1)).toEqual({ total: 0, open: 0 })
  store.close()
})

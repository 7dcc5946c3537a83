import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, sha256, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('takes every image of version 11 for the first frame of its file', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 11), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  db.exec(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, slots_json, created_at) VALUES (1, 'Eyes', '/d', 't.csv', '${JSON.stringify(mapping)}', '[]', '${now()}')`)
  db.exec(`INSERT INTO patients (id, cohort_id, patient_key) VALUES (1, 1, 'P-1')`)
  db.exec(`INSERT INTO studies (id, cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 1, 'S', 0, '[2]')`)
  db.exec(`INSERT INTO items (study_id, slot_id, is_present, source_path, sha256, byte_size) VALUES (1, 'photo', 1, 'a.dcm', '${sha256('a')}', 9)`)
  db.close()
  const store = openStore(path, { appVersion: '0.3.0', now })
  expect(store.patients.itemFile(1, 'photo')).toMatchObject({ sha256: sha256('a'), frame: 0 })
  expect(store.originals.files(1, null)).toMatchObject([{ frame: 0 }])
  store.close()
})

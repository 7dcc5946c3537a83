import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('takes the labels of version 8 for labels of a table, without evidence', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 8), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at) VALUES (1, 'Eyes', '/d', 't.csv', ?, ?)`).run(JSON.stringify(mapping), now())
  db.prepare(`INSERT INTO labels (id, cohort_id, position, name) VALUES (7, 1, 0, 'Glaucoma')`).run()
  db.prepare(`INSERT INTO patients (id, cohort_id, patient_key) VALUES (1, 1, 'P1')`).run()
  db.prepare(`INSERT INTO studies (id, cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 1, '0', 0, '[2]')`).run()
  db.close()
  const store = openStore(path, { appVersion: '0.3.0', now })
  expect(store.cohorts.get(1).labels).toEqual([{ labelId: 7, name: 'Glaucoma', position: 0 }])
  expect(store.patients.getStudy(1)).toMatchObject({ evidence: [], labels: [{ labelId: 7, value: null }] })
  store.close()
})

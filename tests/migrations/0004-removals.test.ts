import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { runConfigSchema } from '../../engine/domain/run.ts'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('keeps what version 3 holds, none of it in removal, and lets it be removed', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 3), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at) VALUES (1, 'Eyes', '/d', 't.csv', ?, ?)`).run(JSON.stringify(mapping), now())
  db.prepare(`INSERT INTO patients (id, cohort_id, patient_key) VALUES (1, 1, 'P1')`).run()
  db.prepare(`INSERT INTO studies (id, cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 1, '0', 0, '[2]')`).run()
  db.prepare(`INSERT INTO runs (id, cohort_id, name, status, config_json, seed, app_version, code_version, cohort_hash, created_at, finished_at) VALUES (1, 1, 'Run', 'finished', ?, 1, '0.2.0', 'abc', ?, ?, ?)`)
    .run(JSON.stringify(runConfigSchema.parse({ cohortId: 1, slotIds: ['notes'], labelIds: [1] })), 'c'.repeat(64), now(), now())
  db.prepare(`INSERT INTO patterns (id, key) VALUES (1, 'notes')`).run()
  db.prepare(`INSERT INTO prediction_sets (run_id, fold, study_id, pattern_id, split, is_actual) VALUES (1, 0, 1, 1, 'test', 1)`).run()
  db.close()
  const store = openStore(path, { appVersion: '0.3.0', now })
  expect(store.cohorts.list()).toMatchObject([{ name: 'Eyes', runCount: 1, studyCount: 1 }])
  expect(store.runs.list()).toMatchObject([{ name: 'Run', status: 'finished' }])
  expect(store.removals.runIds()).toEqual([])
  store.cohorts.remove(1)
  Array.from(store.removals.erase())
  store.close()
  const after = new SqliteDatabase(path, { readonly: true })
  expect(['cohorts', 'runs', 'studies', 'prediction_sets'].map((table) => after.prepare(`SELECT count(*) FROM ${table}`).pluck().get())).toEqual([0, 0, 0, 0])
  after.close()
})

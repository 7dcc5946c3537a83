import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, sha256, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('takes what version 6 holds for the first import, whose files lie in the folder of the cohort', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 6), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  const hash = sha256('content')
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at, status, task, table_sha256, content_hash, finished_at, slots_json)
    VALUES (1, 'Eyes', '/d', 't.csv', ?, ?, 'ready', 'multi-label', ?, ?, ?, ?)`).run(JSON.stringify(mapping), now(), hash, hash, now(), JSON.stringify(mapping.slots.map(({ slot }) => slot)))
  db.prepare(`INSERT INTO patients (id, cohort_id, patient_key) VALUES (1, 1, 'P1')`).run()
  db.prepare(`INSERT INTO studies (id, cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 1, 'P1-1', 0, '[2]')`).run()
  db.prepare(`INSERT INTO items (study_id, slot_id, is_present, source_path, sha256) VALUES (1, 'right-eye', 1, 'a.png', ?)`).run(hash)
  db.close()
  openStore(path, { appVersion: '0.3.0', now }).close()
  const after = new SqliteDatabase(path)
  after.pragma('foreign_keys = ON')
  expect(after.prepare('SELECT delivery_id FROM studies UNION ALL SELECT delivery_id FROM items').pluck().all()).toEqual([null, null])
  const begin = after.prepare(`INSERT INTO deliveries (cohort_id, number, status, on_changed, source_dir, table_file, mapping_json, cohort_before_json, hash_before, created_at)
    VALUES (1, ?, ?, 'keep', '/e', 'u.csv', '{}', '{}', ?, ?)`)
  begin.run(2, 'importing', hash, now())
  expect(() => begin.run(3, 'importing', hash, now())).toThrow('UNIQUE')
  expect(() => begin.run(1, 'undone', hash, now())).toThrow('CHECK')
  expect(() => after.prepare(`UPDATE deliveries SET status = 'done'`).run()).toThrow('CHECK')
  expect(() => after.prepare(`UPDATE deliveries SET on_changed = 'replace'`).run()).toThrow('is fixed')
  expect(() => after.prepare(`INSERT INTO delivery_studies (delivery_id, study_id, outcome, row_count) VALUES (1, 1, 'replaced', 1)`).run()).toThrow('CHECK')
  after.prepare(`INSERT INTO delivery_studies (delivery_id, study_id, outcome, row_count) VALUES (1, 1, 'unchanged', 1)`).run()
  after.prepare(`INSERT INTO delivery_rejections (delivery_id, row, code, detail) VALUES (1, 2, 'IMPORT_ID_BLANK', 'x')`).run()
  after.prepare('DELETE FROM cohorts').run()
  expect(['deliveries', 'delivery_studies', 'delivery_rejections', 'items'].map((table) => after.prepare(`SELECT count(*) FROM ${table}`).pluck().get())).toEqual([0, 0, 0, 0])
  after.close()
})

import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, sha256, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('keeps studies without a day, and every decision with its undo, number and guard', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 12), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  db.pragma('foreign_keys = ON')
  const hash = sha256('content')
  for (const id of [1, 2]) {
    db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at, status, task, table_sha256, content_hash, finished_at)
      VALUES (?, ?, '/d', 't.csv', ?, ?, 'ready', 'multi-label', ?, ?, ?)`).run(id, `Eyes ${id}`, JSON.stringify(mapping), now(), hash, hash, now())
  }
  db.prepare(`INSERT INTO patients (id, cohort_id, patient_key) VALUES (1, 1, 'P-1')`).run()
  db.prepare(`INSERT INTO studies (id, cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 1, 'S-1', 0, '[2]')`).run()
  const decide = db.prepare(`INSERT INTO curation_decisions (id, cohort_id, kind, parameters_json, effect, reason, made_by, made_at) VALUES (?, ?, 'drop-slot', '{"kind":"drop-slot","slotId":"notes"}', 'x', 'why', 'me', '2024')`)
  for (const [id, cohortId] of [[3, 1], [5, 1], [9, 2]]) decide.run(id, cohortId)
  db.prepare(`INSERT INTO curation_undos (decision_id, reason, undone_by, undone_at) VALUES (5, 'no', 'you', '2024')`).run()
  // The last number given was of a cohort that is gone.
  db.prepare('DELETE FROM cohorts WHERE id = 2').run()
  db.close()

  openStore(path, { appVersion: '0.3.0', now }).close()
  const after = new SqliteDatabase(path)
  after.pragma('foreign_keys = ON')
  expect(after.prepare('SELECT study_date, date_problems FROM studies').all()).toEqual([{ study_date: null, date_problems: '[]' }])
  expect(after.prepare('SELECT id, cohort_id, reason FROM curation_decisions ORDER BY id').raw().all()).toEqual([[3, 1, 'why'], [5, 1, 'why']])
  expect(after.prepare('SELECT decision_id, reason, undone_by FROM curation_undos').raw().all()).toEqual([[5, 'no', 'you']])
  expect(after.prepare(`INSERT INTO curation_decisions (cohort_id, kind, parameters_json, effect, made_by, made_at) VALUES (1, 'judge-dates', '{}', 'x', 'me', '2024')`).run().lastInsertRowid).toBe(10)
  expect(() => after.prepare(`UPDATE curation_decisions SET kind = 'mask-words'`).run()).toThrow('undone, not changed')
  expect(() => after.prepare('DELETE FROM curation_decisions').run()).toThrow('undone, not deleted')
  expect(() => after.prepare(`UPDATE curation_undos SET undone_by = 'they'`).run()).toThrow('undone, not changed')
  expect(() => after.prepare('DELETE FROM curation_undos').run()).toThrow('undone, not deleted')
  expect(() => after.prepare(`UPDATE studies SET study_date = '14.03.2020'`).run()).toThrow('CHECK')
  expect(after.prepare(`SELECT name FROM sqlite_schema WHERE name LIKE '%_before'`).all()).toEqual([])
  after.prepare('DELETE FROM cohorts').run()
  expect(['curation_decisions', 'curation_undos'].map((table) => after.prepare(`SELECT count(*) FROM ${table}`).pluck().get())).toEqual([0, 0])
  after.close()
})

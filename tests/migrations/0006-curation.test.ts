import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { expect, it } from 'vitest'
import { runConfigSchema } from '../../engine/domain/run.ts'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, sha256, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

it('keeps what version 5 holds, without decisions, so that its cohort hash stays the one its runs recorded', () => {
  const path = join(temporaryFolder(), 'a.db')
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 5), { backupDir: join(path, '..'), appVersion: '0.2.0', now })
  const hash = sha256('content')
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at, status, task, table_sha256, content_hash, finished_at)
    VALUES (1, 'Eyes', '/d', 't.csv', ?, ?, 'ready', 'multi-label', ?, ?, ?)`).run(JSON.stringify(mapping), now(), hash, hash, now())
  db.prepare(`INSERT INTO runs (id, cohort_id, name, status, config_json, seed, app_version, code_version, cohort_hash, created_at, finished_at) VALUES (1, 1, 'Run', 'finished', ?, 1, '0.2.0', 'abc', ?, ?, ?)`)
    .run(JSON.stringify(runConfigSchema.parse({ cohortId: 1, slotIds: ['notes'], labelIds: [1] })), hash, now(), now())
  db.close()
  openStore(path, { appVersion: '0.3.0', now }).close()
  const after = new SqliteDatabase(path)
  expect(after.prepare('SELECT name FROM runs').pluck().all()).toEqual(['Run'])
  after.pragma('foreign_keys = ON')
  after.prepare(`INSERT INTO curation_decisions (id, cohort_id, kind, parameters_json, effect, made_by, made_at) VALUES (1, 1, 'drop-slot', '{"slotId":"notes"}', 'x', 'me', ?)`).run(now())
  after.prepare(`INSERT INTO curation_undos (decision_id, undone_by, undone_at) VALUES (1, 'me', ?)`).run(now())
  after.prepare(`INSERT INTO run_curation (run_id, decision_ids, alarms_json) VALUES (1, '[1]', '[]')`).run()
  expect(() => after.prepare(`UPDATE curation_decisions SET kind = 'mask-words'`).run()).toThrow('undone, not changed')
  expect(() => after.prepare('DELETE FROM curation_decisions').run()).toThrow('undone, not deleted')
  expect(() => after.prepare(`UPDATE curation_undos SET undone_by = 'you'`).run()).toThrow('undone, not changed')
  expect(() => after.prepare('DELETE FROM curation_undos').run()).toThrow('undone, not deleted')
  expect(() => after.prepare(`UPDATE run_curation SET decision_ids = '[]'`).run()).toThrow('is fixed')
  after.prepare('DELETE FROM runs').run()
  after.prepare('DELETE FROM cohorts').run()
  expect(['curation_decisions', 'curation_undos', 'run_curation'].map((table) => after.prepare(`SELECT count(*) FROM ${table}`).pluck().get())).toEqual([0, 0, 0])
  after.close()
})

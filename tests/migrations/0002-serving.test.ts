import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { runConfigSchema } from '../../engine/domain/run.ts'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { makeBlock, mapping, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'

/** A run with one prediction, written by SQL because today's repositories know the new columns. */
function writeVersion1(path: string): void {
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 1), { backupDir: join(path, '..'), appVersion: '0.1.0', now })
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at) VALUES (1, 'Eyes', '/d', 't.csv', ?, ?)`).run(JSON.stringify(mapping), now())
  db.exec(`INSERT INTO labels (id, cohort_id, position, name) VALUES (1, 1, 0, 'glaucoma'), (2, 1, 1, 'cataract');
    INSERT INTO patients (id, cohort_id, patient_key) VALUES (1, 1, 'P-1'), (2, 1, 'P-2');
    INSERT INTO studies (id, cohort_id, patient_id, study_key, ordinal, source_rows) VALUES (1, 1, 1, 'a', 0, '[2]'), (2, 1, 2, 'a', 1, '[3]');`)
  const config = JSON.stringify(runConfigSchema.parse({ cohortId: 1, slotIds: ['notes'], labelIds: [1, 2] }))
  db.prepare(`INSERT INTO runs (id, cohort_id, name, config_json, seed, app_version, code_version, cohort_hash, created_at) VALUES (1, 1, 'Run', ?, 1, '0.1.0', 'abc', ?, ?)`).run(config, 'c'.repeat(64), now())
  db.exec(`INSERT INTO patterns (id, key) VALUES (1, 'notes');
    INSERT INTO prediction_sets (id, run_id, fold, study_id, pattern_id, split, is_actual) VALUES (1, 1, 0, 1, 1, 'test', 1);
    INSERT INTO predictions (set_id, label_id, logit, probability, threshold) VALUES (1, 1, 0.5, 0.6, 0.5), (1, 2, -0.5, 0.4, 0.5);`)
  db.close()
}

describe('migration 0002', () => {
  it('keeps the predictions of version 1 and says that nobody recorded who answered them', () => {
    const path = join(temporaryFolder(), 'a.db')
    writeVersion1(path)
    const store = openStore(path, { appVersion: '0.2.0' })
    expect(store.predictions.forStudy(1, 1)).toMatchObject([{ pattern: 'notes', servedBy: null, labels: [{ probability: 0.6 }, { probability: 0.4 }] }])
    store.predictions.addBlock(1, makeBlock([2], { servedBy: ['base'] }), [1, 2])
    expect(store.predictions.forStudy(1, 2)[0]!.servedBy).toBe('base')
    expect(store.predictions.forRun(1).servedBy).toEqual([null, 'base'])
    expect(() => store.predictions.addBlock(1, makeBlock([2], { fold: 1, servedBy: [] }), [1, 2])).toThrow(/does not fit/)
    store.close()
  })

  it('keeps one missingness table for each run, which nobody changes afterwards', () => {
    const path = join(temporaryFolder(), 'a.db')
    writeVersion1(path)
    const store = openStore(path, { appVersion: '0.2.0' })
    expect(store.runs.getMissingness(1)).toBeNull()
    const table = { hash: 'a'.repeat(64), patterns: ['notes'], shown: { train: [0], val: [0], test: [0] }, descriptions: [] }
    store.runs.setMissingness(1, table)
    expect(store.runs.getMissingness(1)).toEqual(table)
    expect(() => store.runs.setMissingness(1, table)).toThrow()
    store.close()
    const raw = new SqliteDatabase(path)
    expect(() => raw.prepare('UPDATE run_missingness SET hash = hash').run()).toThrow(/fixed/)
    raw.close()
  })
})

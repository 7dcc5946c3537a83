import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { ImportedBackbone } from '../../engine/domain/backbones.ts'
import { runConfigSchema } from '../../engine/domain/run.ts'
import { migrate } from '../../engine/store/migrate.ts'
import { openStore, storeMigrations } from '../../engine/store/open.ts'
import { mapping, temporaryFolder } from '../unit/store/fixtures.ts'

const now = () => '2024-01-01T00:00:00.000Z'
const backbone: ImportedBackbone = {
  backboneId: 'bert-aaaaaaaaaaaa', architecture: 'bert', reads: 'text', parameterCount: 12, contentHash: 'a'.repeat(64), licence: 'mit', source: '', notes: ['a note'],
  sizes: { width: 4, blocks: 1, heads: 1, imageSize: null, patchSize: null, textPositions: 8, vocabulary: 30 },
  files: [{ name: 'config.json', byteSize: 3, sha256: 'b'.repeat(64) }],
  tensors: [{ name: 'x', storedType: 'F32', shape: [3, 4], count: 12, isUsed: true }, { name: 'y', storedType: 'I64', shape: [], count: 1, isUsed: false }],
}
const details = { name: 'Tiny', licence: 'mit', source: '' }

/** Version 2 with a paused run on an imported pair and a run on the embedded backbone, written by SQL. */
function writeVersion2(path: string): void {
  const db = new SqliteDatabase(path)
  migrate(db, storeMigrations.slice(0, 2), { backupDir: join(path, '..'), appVersion: '0.1.0', now })
  db.prepare(`INSERT INTO cohorts (id, name, source_dir, table_file, mapping_json, created_at) VALUES (1, 'Eyes', '/d', 't.csv', ?, ?)`).run(JSON.stringify(mapping), now())
  const insert = db.prepare(`INSERT INTO runs (id, cohort_id, name, status, config_json, seed, app_version, code_version, cohort_hash, created_at) VALUES (?, 1, ?, ?, ?, 1, '0.1.0', 'abc', ?, ?)`)
  const config = (name: string) => JSON.stringify(runConfigSchema.parse({ cohortId: 1, slotIds: ['notes'], labelIds: [1], backbone: name }))
  insert.run(1, 'Pair', 'paused', config('bert-aaaaaaaaaaaa+vit-bbbbbbbbbbbb'), 'c'.repeat(64), now())
  insert.run(2, 'Default', 'paused', config('mmbt-minilm-resnet50'), 'c'.repeat(64), now())
  db.close()
}

describe('migration 0003', () => {
  it('keeps the runs of version 2 and refuses to remove what one of them still needs', () => {
    const path = join(temporaryFolder(), 'a.db')
    writeVersion2(path)
    const store = openStore(path, { appVersion: '0.2.0', now })
    expect(store.runs.list().map((run) => run.config.backbone).sort()).toEqual(['bert-aaaaaaaaaaaa+vit-bbbbbbbbbbbb', 'mmbt-minilm-resnet50'])
    expect(store.backbones.list()).toEqual([])
    store.backbones.add(backbone, details)
    expect(store.backbones.get('bert-aaaaaaaaaaaa')).toMatchObject({ name: 'Tiny', tensorCount: 2, files: backbone.files, notes: ['a note'], removedAt: null })
    expect(store.backbones.tensors('bert-aaaaaaaaaaaa')).toEqual(backbone.tensors)
    expect(() => store.backbones.markRemoved('bert-aaaaaaaaaaaa')).toThrow(expect.objectContaining({ code: 'BACKBONE_IN_USE', message: expect.stringContaining('"Pair"') }))
    store.runs.setStatus(1, 'cancelled')
    store.backbones.markRemoved('bert-aaaaaaaaaaaa')
    expect(store.backbones.list()).toEqual([])
    expect(store.backbones.list({ withRemoved: true })).toMatchObject([{ removedAt: now() }])
    store.backbones.add(backbone, { ...details, name: 'Back again' })
    expect(store.backbones.list()).toMatchObject([{ name: 'Back again', removedAt: null }])
    expect(() => store.backbones.add(backbone, details)).toThrow(expect.objectContaining({ code: 'BACKBONE_ALREADY_ADDED' }))
    expect(store.audit.verify().isIntact).toBe(true)
    store.close()
  })

  it('lets names and licences change, never files, hashes or rows', () => {
    const path = join(temporaryFolder(), 'a.db')
    const store = openStore(path, { appVersion: '0.2.0', now })
    store.backbones.add(backbone, details)
    store.backbones.setDetails('bert-aaaaaaaaaaaa', { name: 'Other', licence: 'apache-2.0', source: 'here' })
    expect(store.backbones.get('bert-aaaaaaaaaaaa')).toMatchObject({ name: 'Other', licence: 'apache-2.0', source: 'here' })
    expect(() => store.backbones.setDetails('vit-0', details)).toThrow(expect.objectContaining({ code: 'BACKBONE_NOT_FOUND' }))
    store.close()
    const raw = new SqliteDatabase(path)
    for (const sql of [`UPDATE backbones SET content_hash = '${'0'.repeat(64)}'`, `UPDATE backbone_files SET sha256 = '${'0'.repeat(64)}'`, 'UPDATE backbone_tensors SET element_count = 0', 'DELETE FROM backbones']) {
      expect(() => raw.exec(sql), sql).toThrow(/fixed|removed/)
    }
    raw.close()
  })
})

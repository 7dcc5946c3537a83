import SqliteDatabase from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { auditEntrySchema } from '../../../engine/domain/records.ts'
import type { Store } from '../../../engine/store/open.ts'
import { addCohort, addRun, openTestStore, steppingClock } from './fixtures.ts'

/** Changes the log the way a forger would: past the triggers. */
function forge(store: Store, sql: string): void {
  const db = new SqliteDatabase(store.path)
  db.exec(`DROP TRIGGER IF EXISTS audit_log_is_append_only; DROP TRIGGER IF EXISTS audit_log_is_kept; ${sql}`)
  db.close()
}

function filled(): Store {
  const store = openTestStore()
  for (let i = 0; i < 5; i++) store.audit.append('export.written', { runId: i, rows: 10 * i, isComplete: true, file: null })
  return store
}

describe('the audit log', () => {
  it('is intact when nothing but the app wrote it', () => {
    const store = filled()
    addRun(store, addCohort(store, 5))
    const verdict = store.audit.verify()
    expect(verdict).toMatchObject({ isIntact: true, brokenAt: null })
    expect(verdict.entryCount).toBe(store.audit.list().length)
    expect(store.audit.list(2)).toHaveLength(2)
    store.audit.list().forEach((entry) => auditEntrySchema.parse(entry))
    expect(store.audit.list().map((entry) => entry.event)).toContain('import.finished')
  })

  it('is intact when empty', () => {
    expect(openTestStore().audit.verify()).toMatchObject({ isIntact: true, entryCount: 0 })
  })

  it.each([
    ['one byte of the details', `UPDATE audit_log SET details_json = replace(details_json, '20', '21') WHERE sequence = 3`, 3],
    ['a blank in the details', `UPDATE audit_log SET details_json = replace(details_json, ':', ': ') WHERE sequence = 2`, 2],
    ['the time', `UPDATE audit_log SET created_at = replace(created_at, '2024', '2023') WHERE sequence = 4`, 4],
    ['the event', `UPDATE audit_log SET event = 'export.Written' WHERE sequence = 1`, 1],
    ['the app version', `UPDATE audit_log SET app_version = '0.1.1' WHERE sequence = 1`, 1],
    ['a hash', `UPDATE audit_log SET hash = replace(hash, substr(hash, 1, 8), '00000000') WHERE sequence = 3`, 3],
    ['a missing line', `DELETE FROM audit_log WHERE sequence = 3`, 3],
    ['a missing first line', `DELETE FROM audit_log WHERE sequence = 1`, 1],
    ['a missing last line', `DELETE FROM audit_log WHERE sequence = 5`, 5],
    ['two lines in other order', `UPDATE audit_log SET sequence = 100 WHERE sequence = 2; UPDATE audit_log SET sequence = 2 WHERE sequence = 3; UPDATE audit_log SET sequence = 3 WHERE sequence = 100`, 2],
    ['everything gone', 'DELETE FROM audit_log', 1],
  ])('shows %s', (_name, sql, line) => {
    const store = filled()
    forge(store, sql)
    expect(store.audit.verify()).toMatchObject({ isIntact: false, brokenAt: line })
  })

  it('gives the same hashes for the same history', () => {
    const hashes = [0, 1].map(() => {
      const store = openTestStore(undefined, { now: steppingClock() })
      store.audit.append('a', { y: 1, x: 'two' })
      return store.audit.append('b', { x: null }).hash
    })
    expect(hashes[0]).toBe(hashes[1])
  })
})

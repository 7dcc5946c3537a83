/** Paths and words that were stored before they were sealed: sealed once, in the database and in the copies from before its updates. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import type { StoreContext } from '../context.ts'
import { createMetaRepository } from '../repositories/meta.ts'
import { inSlices } from '../slices.ts'
import { cutLog } from '../write-ahead-log.ts'

/** Set when nothing unsealed is left, so that later openings do not look through every item again. */
const doneKey = 'paths_sealed_at'
const rowsInStep = 200

export interface ClearPaths {
  /** Items and cohorts that still hold a path in the clear; 0 without a look once all are sealed. */
  count: () => number
  /** Seals them; each step is a short transaction and says how many are done. `seal` must leave a sealed text as it is. */
  seal: (seal: (text: string) => string) => Generator<number>
}

/** The copies that lie beside the database, with a path in the clear in them or not. */
interface BackupOutcome { sealed: number; failed: number }

interface CohortRow { id: number; source_dir: string; table_file: string; mapping_json: string }

const isClear = (column: string): string => `${column} IS NOT NULL AND substr(${column}, 1, 9) <> 'sealed-1-'`

function createSealer(db: Database) {
  const selectCohorts = db.prepare<[], CohortRow>(`SELECT id, source_dir, table_file, mapping_json FROM cohorts WHERE ${isClear('source_dir')} OR ${isClear('table_file')}`)
  const updateCohort = db.prepare<CohortRow>('UPDATE cohorts SET source_dir = :source_dir, table_file = :table_file, mapping_json = :mapping_json WHERE id = :id')
  const selectItems = db.prepare<{ after: number; limit: number }, { id: number; path: string }>(`SELECT id, source_path AS path FROM items WHERE id > :after AND ${isClear('source_path')} ORDER BY id LIMIT :limit`)
  const updateItem = db.prepare<{ id: number; path: string }>('UPDATE items SET source_path = :path WHERE id = :id')
  const countClear = db.prepare<[], { items: number; cohorts: number }>(`SELECT (SELECT count(*) FROM items WHERE ${isClear('source_path')}) AS items, (SELECT count(*) FROM cohorts WHERE ${isClear('source_dir')} OR ${isClear('table_file')}) AS cohorts`)
  return {
    count: () => countClear.get()!,
    * steps(seal: (text: string) => string): Generator<void> {
      for (const row of selectCohorts.all()) {
        updateCohort.run({ ...row, source_dir: seal(row.source_dir), table_file: seal(row.table_file), mapping_json: sealMapping(row.mapping_json, seal) })
        yield
      }
      for (let after = 0, page = selectItems.all({ after, limit: rowsInStep }); page.length > 0; page = selectItems.all({ after, limit: rowsInStep })) {
        for (const { id, path } of page) updateItem.run({ id, path: seal(path) })
        after = page.at(-1)!.id
        yield
      }
    },
  }
}

/** The same fields as sealed-store.ts seals. */
function sealMapping(json: string, seal: (text: string) => string): string {
  const mapping = JSON.parse(json) as { privacy?: { words?: string[]; shapes?: string[] }; join?: { table: string } }
  if (mapping.privacy?.words) mapping.privacy.words = mapping.privacy.words.map(seal)
  if (mapping.privacy?.shapes) mapping.privacy.shapes = mapping.privacy.shapes.map(seal)
  if (mapping.join) mapping.join.table = seal(mapping.join.table)
  return JSON.stringify(mapping)
}

export function createClearPaths({ db, now, audit }: Pick<StoreContext, 'db' | 'now' | 'audit'>, backupDir: string): ClearPaths {
  const meta = createMetaRepository({ db })
  const sealer = createSealer(db)
  return {
    count: () => {
      if (meta.get(doneKey) !== null) return 0
      const { items, cohorts } = sealer.count()
      return items + cohorts
    },
    seal: function* (seal) {
      if (meta.get(doneKey) !== null) return
      const before = sealer.count()
      const slices = inSlices(db, sealer.steps(seal))
      const total = before.items + before.cohorts
      while (slices.next().done !== true) yield Math.max(0, total - sealer.count().items)
      const backups = sealBackups(backupDir, basename(db.name), seal)
      // The log still holds pages as they were.
      if (total > 0) cutLog(db)
      if (total + backups.sealed + backups.failed > 0) audit('privacy.paths-sealed', { items: before.items, cohorts: before.cohorts, backupsSealed: backups.sealed, backupsNotSealed: backups.failed })
      // A copy that could not be opened is tried again at the next start.
      if (backups.failed === 0) meta.set(doneKey, now())
      yield total
    },
  }
}

/** A copy from before an update is as readable as the database was; it stays a copy, with its paths sealed. */
function sealBackups(backupDir: string, storeName: string, seal: (text: string) => string): BackupOutcome {
  const outcome: BackupOutcome = { sealed: 0, failed: 0 }
  if (!existsSync(backupDir)) return outcome
  for (const name of readdirSync(backupDir).filter((name) => name.startsWith(`${storeName}.v`) && name.endsWith('.backup'))) {
    const file = join(backupDir, name)
    if (!statSync(file).isFile()) continue
    try {
      const copy = new SqliteDatabase(file)
      try {
        const sealer = createSealer(copy)
        const { items, cohorts } = sealer.count()
        if (items + cohorts === 0) continue
        copy.pragma('secure_delete = ON')
        copy.transaction(() => { for (const _ of sealer.steps(seal)); }).immediate()
        copy.exec('VACUUM')
        outcome.sealed++
      } finally {
        copy.close()
      }
    } catch {
      // Told by the count: a damaged or read-only copy must not keep the database itself from opening.
      outcome.failed++
    }
  }
  return outcome
}

import { createHash } from 'node:crypto'
import type { AuditDetails, AuditEntry, AuditVerdict } from '../../domain/records.ts'
import { canonicalJson, type StoreContext } from '../context.ts'
import { createMetaRepository } from './meta.ts'

interface AuditRow {
  sequence: number
  event: string
  details_json: string
  created_at: string
  app_version: string
  previous_hash: string
  hash: string
}

const noHash = '0'.repeat(64)
/** Where the end of the chain is kept a second time, so that cutting off the last lines shows. */
const headKey = 'audit.head'

function rowToEntry(row: AuditRow): AuditEntry {
  return { sequence: row.sequence, event: row.event, details: JSON.parse(row.details_json) as AuditDetails, createdAt: row.created_at, appVersion: row.app_version, hash: row.hash }
}

/** The stored text is hashed, not its meaning: a changed blank in the details is a change. */
function hashOf(row: Omit<AuditRow, 'hash'>): string {
  const content = canonicalJson([row.previous_hash, row.sequence, row.event, row.details_json, row.created_at, row.app_version])
  return createHash('sha256').update(content).digest('hex')
}

export interface AuditRepository {
  append: (event: string, details: AuditDetails) => AuditEntry
  list: (limit?: number) => AuditEntry[]
  verify: () => AuditVerdict
}

/**
 * The hash-chained log of what was done to the database. It shows changed, removed and inserted lines; it cannot show
 * a forger who rewrites the whole chain, for which a copy of the last hash must lie elsewhere. Never holds patient data.
 */
export function createAuditRepository(context: Pick<StoreContext, 'db' | 'now' | 'appVersion'>): AuditRepository {
  const { db, now, appVersion } = context
  const meta = createMetaRepository(context)
  const insert = db.prepare<AuditRow>(`INSERT INTO audit_log (sequence, event, details_json, created_at, app_version, previous_hash, hash)
    VALUES (:sequence, :event, :details_json, :created_at, :app_version, :previous_hash, :hash)`)
  const selectLast = db.prepare<[], AuditRow>('SELECT * FROM audit_log ORDER BY sequence DESC LIMIT 1')
  const selectNewest = db.prepare<{ limit: number }, AuditRow>('SELECT * FROM audit_log ORDER BY sequence DESC LIMIT :limit')
  const selectAll = db.prepare<[], AuditRow>('SELECT * FROM audit_log ORDER BY sequence')

  const append = db.transaction((event: string, details: AuditDetails): AuditEntry => {
    const last = selectLast.get()
    const content = {
      sequence: (last?.sequence ?? 0) + 1, event, details_json: canonicalJson(details), created_at: now(),
      app_version: appVersion, previous_hash: last?.hash ?? noHash,
    }
    const row = { ...content, hash: hashOf(content) }
    insert.run(row)
    meta.set(headKey, `${row.sequence}:${row.hash}`)
    return rowToEntry(row)
  })

  function verify(): AuditVerdict {
    let previous = noHash
    let count = 0
    const broken = (sequence: number, reason: string): AuditVerdict => ({ isIntact: false, entryCount: count, brokenAt: sequence, reason })
    for (const row of selectAll.all()) {
      count++
      if (row.sequence !== count) return broken(count, `Line ${count} is missing.`)
      if (row.previous_hash !== previous) return broken(row.sequence, `Line ${row.sequence} does not follow the line before it.`)
      if (row.hash !== hashOf(row)) return broken(row.sequence, `Line ${row.sequence} was changed.`)
      previous = row.hash
    }
    const head = meta.get(headKey)
    if (head !== (count === 0 ? null : `${count}:${previous}`)) return broken(count + 1, `The log ends after line ${count}, but not with its last entry.`)
    return { isIntact: true, entryCount: count, brokenAt: null, reason: null }
  }

  return {
    append: (event, details) => append.immediate(event, details),
    list: (limit = 200) => selectNewest.all({ limit }).map(rowToEntry),
    verify,
  }
}

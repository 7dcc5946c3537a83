import type { Database } from 'better-sqlite3'

const retryMs = 1000

/**
 * Folds the write-ahead log into the database and cuts it to nothing. It still holds notes that were deleted, and at the next start
 * a log that is not empty passes for a crash. False while a reader stands in the way; never waits for one, because windows do not wait.
 */
export function cutLog(db: Database): boolean {
  const before = db.pragma('busy_timeout', { simple: true }) as number
  db.pragma('busy_timeout = 0')
  try {
    const [outcome] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
    return outcome?.busy === 0
  } finally {
    db.pragma(`busy_timeout = ${before}`)
  }
}

/** Cuts the log as soon as no reader stands in the way. */
export function cutLogSoon(db: Database): void {
  if (!db.open || cutLog(db)) return
  setTimeout(() => cutLogSoon(db), retryMs).unref()
}

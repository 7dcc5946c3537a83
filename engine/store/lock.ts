import SqliteDatabase from 'better-sqlite3'
import { AppError } from '../domain/errors.ts'
import { translateErrors } from './sqlite-errors.ts'

export interface StoreLock {
  release: () => void
}

/**
 * Claims the database for one writer. The lock is SQLite's own, on an empty file beside the database: the operating system
 * drops it when the process dies, so a crash leaves nothing stale, which a file with a process id in it would.
 * @throws AppError STORE_LOCKED while another process, or this one, holds it.
 */
export function lockStore(path: string): StoreLock {
  const lock = translateErrors(() => new SqliteDatabase(`${path}.lock`, { timeout: 0 }))
  try {
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new AppError('STORE_LOCKED', 'This database is open in another Lacuna window or command.', { cause: error })
    }
    throw error
  }
  return { release: () => lock.close() }
}

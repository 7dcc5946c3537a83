import type { Database } from 'better-sqlite3'
import { translateErrors } from './sqlite-errors.ts'

/** A transaction ends after the step that passes this; with its commit it stays below the 20 ms that a window does not notice. */
const sliceMs = 10

/**
 * Commits without waiting for the disk: a window would stand still for each of a hundred waits. A power cut can take the last slices
 * back, in order, never a part of one; the next commit of anything else, which waits, makes them lasting.
 */
function withoutWaiting<T>(db: Database, commit: () => T): T {
  if (db.inTransaction) return commit()
  db.pragma('synchronous = NORMAL')
  try {
    return commit()
  } finally {
    db.pragma('synchronous = FULL')
  }
}

/**
 * Long work as a row of short transactions: each `next()` of the result takes steps for about 10 ms and commits them.
 * What stands in the database between two of them must be harmless, and be finished or removed when the store is next opened.
 * @throws what a step throws, translated; the steps of that transaction are undone, the ones before it are kept
 */
export function* inSlices(db: Database, steps: Iterator<void>): Generator<void> {
  const slice = db.transaction((): boolean => {
    const began = performance.now()
    // At least one step, however slow the machine is: every transaction gets further.
    do {
      if (steps.next().done === true) return false
    } while (performance.now() - began < sliceMs)
    return true
  })
  while (translateErrors(() => withoutWaiting(db, () => slice.immediate()))) yield
}

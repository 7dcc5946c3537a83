import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inTurns } from './in-turns.ts'
import type { Workspace } from './workspace.ts'

/**
 * Erases what was removed: the checkpoints of the runs, then the rows, in slices between which everything else is answered.
 * A stop at any point is harmless: nothing of it can be seen any more, and the next opening of the workspace goes on.
 */
export async function eraseRemoved({ store, paths }: Pick<Workspace, 'store' | 'paths'>): Promise<void> {
  for (const runId of store.removals.runIds()) await rm(join(paths.runsDir, `run_${runId}`), { recursive: true, force: true })
  await inTurns(store.removals.erase())
}

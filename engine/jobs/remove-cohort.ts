import { eraseRemoved } from './erase-removed.ts'
import type { Workspace } from './workspace.ts'

/** Deletes a cohort with its runs, their predictions and their checkpoints on disk. Originals stay where they are. */
export async function removeCohort(workspace: Workspace, cohortId: number): Promise<void> {
  workspace.store.cohorts.remove(cohortId)
  await eraseRemoved(workspace)
}

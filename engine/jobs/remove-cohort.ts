import { forgetPrepared } from './deliveries.ts'
import { eraseRemoved } from './erase-removed.ts'
import type { Workspace } from './workspace.ts'

/** Deletes a cohort with its runs, their predictions and their checkpoints on disk, and what was prepared of its images. Originals stay where they are. */
export async function removeCohort(workspace: Workspace, cohortId: number): Promise<void> {
  const hashes = workspace.store.originals.imageHashes({ cohortId })
  workspace.store.cohorts.remove(cohortId)
  await eraseRemoved(workspace)
  await forgetPrepared(workspace, hashes)
}

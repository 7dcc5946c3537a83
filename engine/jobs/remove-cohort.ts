import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Workspace } from './workspace.ts'

/** Deletes a cohort with its runs, their predictions and their checkpoints on disk. Originals stay where they are. */
export function removeCohort(workspace: Workspace, cohortId: number): void {
  const runs = workspace.store.runs.list(cohortId)
  workspace.store.cohorts.remove(cohortId)
  for (const { runId } of runs) rmSync(join(workspace.paths.runsDir, `run_${runId}`), { recursive: true, force: true })
}

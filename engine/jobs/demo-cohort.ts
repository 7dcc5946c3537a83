import type { JobHooks } from '../host/engine-process.ts'
import type { ImportRequest } from './import-cohort.ts'
import type { Workspace } from './workspace.ts'

export const demoCohortName = 'Demo cohort (synthetic)'
const demoSeed = 7

export interface DemoSource {
  /** How to import the files; null after a cancel. */
  request: Promise<ImportRequest | null>
  cancel: () => void
}

/**
 * Makes the synthetic demo cohort's files and says how to import them. Drawn by the engine process: drawing and sharp have
 * no place in the process of the windows. The same seed writes the same bytes, so a cohort imported earlier stays valid.
 * A further demo cohort gets a number, so that trying twice never touches the first one.
 * LACUNA_DEMO_PATIENTS makes it smaller, for tests.
 */
export function makeDemoSource(workspace: Workspace, outDir: string, onProgress?: JobHooks['onProgress']): DemoSource {
  const size = Number(process.env.LACUNA_DEMO_PATIENTS)
  const job = workspace.files.start('demo:generate', { outDir, seed: demoSeed, ...(size > 0 ? { patientCount: size } : {}) }, onProgress ? { onProgress } : {})
  const request = job.outcome.then((outcome) => {
    if (outcome.status === 'cancelled') return null
    const { sourceDir, tableFile, mapping } = outcome.value
    return { source: { sourceDir, tableFile, sheet: null }, mapping, cohortName: freeName(workspace, demoCohortName) }
  })
  return { request, cancel: job.cancel }
}

function freeName(workspace: Workspace, wanted: string): string {
  let name = wanted
  for (let number = 2; workspace.store.cohorts.getByName(name); number++) name = `${wanted} ${number}`
  return name
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { generateDemoCohort } from '../demo/generate.ts'
import type { ImportRequest } from './import-cohort.ts'
import type { Workspace } from './workspace.ts'

const demoName = 'Demo cohort (synthetic)'
const demoSeed = 7

/**
 * Makes the synthetic demo cohort's files, unless they are there, and says how to import them.
 * A further demo cohort gets a number, so that trying twice never touches the first one.
 */
export async function importDemoCohort(workspace: Workspace, outDir: string, patientCount?: number): Promise<ImportRequest> {
  const demo = await generateDemoCohort({ outDir: join(outDir, existsSync(join(outDir, 'patients.csv')) ? '.' : ''), seed: demoSeed, ...(patientCount === undefined ? {} : { patientCount }) })
  return {
    source: { sourceDir: demo.sourceDir, tableFile: demo.tableFile, sheet: null },
    mapping: demo.mapping,
    cohortName: freeName(workspace, demoName),
  }
}

function freeName(workspace: Workspace, wanted: string): string {
  let name = wanted
  for (let number = 2; workspace.store.cohorts.getByName(name); number++) name = `${wanted} ${number}`
  return name
}

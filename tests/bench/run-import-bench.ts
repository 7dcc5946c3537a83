import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { generateLargeSource } from '../../engine/demo/large-source.ts'
import { workspaceOptionsFromEnvironment } from '../../engine/jobs/environment.ts'
import { startImport } from '../../engine/jobs/import-cohort.ts'
import { openWorkspace } from '../../engine/jobs/workspace.ts'

/**
 * Entry of `npm run bench:import`: distinct synthetic 256 x 256 JPEGs through the real path (table, decode, hash, SQLite),
 * with the longest pause of the process that owns the store, which is the app's main process in the app.
 */

const rowCount = Number(process.argv[2] ?? 20_000)
const resolutionMs = 5

const dir = mkdtempSync(join(tmpdir(), 'lacuna-bench-'))
try {
  process.stdout.write(`Making ${rowCount} images ...\n`)
  const source = await generateLargeSource({ outDir: join(dir, 'source'), rowCount, seed: 1 })
  const workspace = openWorkspace(workspaceOptionsFromEnvironment(join(dir, 'lacuna.db'), () => {}))
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const report = await startImport(workspace, { source: { sourceDir: source.sourceDir, tableFile: source.tableFile, sheet: null }, mapping: source.mapping, cohortName: 'bench' }).report
  delay.disable()
  workspace.close()
  process.stdout.write([
    `rows ${report.rowsIn} = ${report.rowsAccepted} accepted + ${report.rowsRejected} rejected; ${report.itemCount} items`,
    `${(report.elapsedMs / 1000).toFixed(1)} s, ${(report.rowsAccepted / (report.elapsedMs / 1000)).toFixed(0)} images/s`,
    `store process: longest pause ${(delay.max / 1e6 - resolutionMs).toFixed(0)} ms, 99th percentile ${(delay.percentile(99) / 1e6 - resolutionMs).toFixed(0)} ms`,
    '',
  ].join('\n'))
} finally {
  rmSync(dir, { recursive: true, force: true })
}

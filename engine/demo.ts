import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createOutput, formatResults, formatSeconds } from './cli/output.ts'
import { AppError, toErrorOutcome } from './domain/errors.ts'
import type { TestSetting } from './domain/results.ts'
import type { RunConfigInput } from './domain/run.ts'
import { makeDemoSource } from './jobs/demo-cohort.ts'
import { workspaceOptionsFromEnvironment } from './jobs/environment.ts'
import { exportPredictions } from './jobs/export-predictions.ts'
import { startImport } from './jobs/import-cohort.ts'
import { evaluateRun } from './jobs/results.ts'
import { suggestRun } from './jobs/suggest-run.ts'
import { startTraining } from './jobs/train-run.ts'
import { openWorkspace, type Workspace } from './jobs/workspace.ts'

/** Entry of `npm run demo`: the main job from files to predictions on the synthetic cohort, without a window. */

const output = createOutput(false)
const outDir = resolve(process.argv[2] ?? 'demo-output')
const shownPatients = 6
const settings: TestSetting[] = [{ kind: 'actual' }, { kind: 'only', modality: 'image' }, { kind: 'only', modality: 'text' }, { kind: 'simulated', image: 0.35, text: 0.35, seed: 1 }]

async function importDemo(workspace: Workspace): Promise<number> {
  const request = await makeDemoSource(workspace, join(outDir, 'cohort'), output.progress).request
  if (!request) throw new AppError('ENGINE_UNAVAILABLE', 'The demo cohort was not drawn.')
  const report = await startImport(workspace, request, output.progress).report
  output.note(`Imported ${report.patientCount} synthetic patients: ${report.rowsIn} rows in = ${report.rowsAccepted} accepted + ${report.rowsRejected} rejected.`)
  return report.cohortId
}

async function train(workspace: Workspace, config: RunConfigInput): Promise<number> {
  const run = await startTraining(workspace, config, { onProgress: output.progress }).done
  output.note(`${run.name}: ${run.epochsDone} epochs in ${formatSeconds((run.elapsedMs ?? 0) / 1000)}, ${run.trainedParameters} of ${run.totalParameters} parameters trained, on ${run.device?.backend}.`)
  return run.runId
}

function printPatients(workspace: Workspace, runId: number): void {
  const { rows } = workspace.store.patients.listStudies({ cohortId: workspace.store.runs.get(runId).cohortId, runId, split: 'test', sortBy: 'confidence', descending: true, limit: shownPatients })
  output.result(null, '\nSome test patients (all are stored, exported and shown in the app)')
  for (const row of rows) {
    const predicted = row.prediction?.predictedLabels.join(', ') || 'none'
    output.result(null, `  ${row.patientKey}  present: ${row.pattern.padEnd(28)} predicted: ${predicted}; reference: ${row.referenceLabels.join(', ') || 'none'}`)
  }
}

/** The rows that matter side by side: macro-AUROC / macro-F1 under four settings of the test patients. */
function printComparison(workspace: Workspace, runs: { title: string; runId: number }[]): void {
  const titles = ['as they are', 'images only', 'text only', '35 % + 35 %']
  const cell = (runId: number, setting: TestSetting) => {
    const { overall } = evaluateRun(workspace, runId, setting)
    return [overall.macroAuroc, overall.macroF1].map((estimate) => estimate.value?.toFixed(2) ?? 'n. e.').join(' / ').padStart(16)
  }
  output.result(null, `\n${'macro-AUROC / macro-F1, test patients'.padEnd(38)}${titles.map((title) => title.padStart(16)).join('')}`)
  for (const { title, runId } of runs) output.result(null, `${title.padEnd(38)}${settings.map((setting) => cell(runId, setting)).join('')}`)
}

async function demo(): Promise<void> {
  mkdirSync(outDir, { recursive: true })
  const storeFile = join(outDir, 'lacuna.db')
  // The demo always starts from nothing, and only ever deletes what it made itself.
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${storeFile}${suffix}`, { force: true })
  rmSync(join(outDir, 'runs'), { recursive: true, force: true })
  const workspace = openWorkspace(workspaceOptionsFromEnvironment(storeFile, output.note))
  try {
    const cohortId = await importDemo(workspace)
    const suggested = suggestRun(workspace, cohortId).config
    const mora = await train(workspace, { ...suggested, name: 'MoRA' })
    // The habit: train on the complete patients, fill what is missing with zeros, hope.
    const blind = await train(workspace, { ...suggested, adapter: 'zero-fill', trainOn: 'complete', modalityDropout: 0, name: 'Missing-blind (complete cases, zero-fill)' })
    const aware = await train(workspace, { ...suggested, adapter: 'zero-fill', name: 'Zero-fill probe with modality dropout' })
    output.result(null, `\n${formatResults(evaluateRun(workspace, mora, { kind: 'actual' }))}`)
    printComparison(workspace, [{ title: 'MoRA', runId: mora }, { title: 'Missing-blind (complete cases)', runId: blind }, { title: 'Zero-fill, modality dropout', runId: aware }])
    printPatients(workspace, mora)
    const rowCount = exportPredictions(workspace, mora, join(outDir, 'predictions.csv'))
    output.result(null, `\nDatabase: ${storeFile}\nPredictions: ${join(outDir, 'predictions.csv')} (${rowCount} rows)`)
  } finally {
    workspace.close()
  }
}

try {
  await demo()
} catch (error) {
  const outcome = toErrorOutcome(error, 'ENGINE_CRASHED')
  process.stderr.write(`\n${outcome.code}: ${outcome.message}\n${outcome.fix}\n`)
  process.exitCode = 1
}

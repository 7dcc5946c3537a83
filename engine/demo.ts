import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createOutput, formatResults, formatSeconds } from './cli/output.ts'
import { compareRuns, isClaimShown, type ComparedRun } from './demo/comparison.ts'
import { formatDifferences, formatMethods } from './demo/format.ts'
import { demoRuns } from './demo/runs.ts'
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
const whatIfs: { title: string; setting: TestSetting }[] = [
  { title: 'images only', setting: { kind: 'only', modality: 'image' } },
  { title: 'text only', setting: { kind: 'only', modality: 'text' } },
  { title: '35 % + 35 %', setting: { kind: 'simulated', image: 0.35, text: 0.35, seed: 1 } },
]

async function importDemo(workspace: Workspace): Promise<number> {
  const request = await makeDemoSource(workspace, join(outDir, 'cohort'), output.progress).request
  if (!request) throw new AppError('ENGINE_UNAVAILABLE', 'The demo cohort was not drawn.')
  const report = await startImport(workspace, request, output.progress).report
  output.note(`Imported ${report.patientCount} synthetic patients: ${report.rowsIn} rows in = ${report.rowsAccepted} accepted + ${report.rowsRejected} rejected.`)
  return report.cohortId
}

/** Null where too few complete patients are there to train on, as in a demo made very small: the habit is then not even possible. */
async function train(workspace: Workspace, config: RunConfigInput): Promise<number | null> {
  const run = await startTraining(workspace, config, { onProgress: output.progress }).then((running) => running.done).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'RUN_TOO_FEW_PATIENTS' || config.trainOn !== 'complete') throw error
    output.note(`${config.name}: not trained. ${error.message}`)
    return null
  })
  if (run === null) return null
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

/** The test patients of a run as they really are, in import order. */
function comparedRun(workspace: Workspace, runId: number, title: string): ComparedRun & { patterns: string[] } {
  const stored = workspace.store.predictions.forRun(runId, { split: 'test', onlyActual: true })
  const width = stored.labelIds.length
  const cells = (values: Float32Array, row: number) => values.subarray(row * width, (row + 1) * width)
  const predictions = Array.from({ length: stored.count }, (_, row) => ({
    patientId: stored.patientIds[row]!, probabilities: cells(stored.probabilities, row), thresholds: cells(stored.thresholds, row), reference: cells(stored.references, row),
  }))
  return { title, predictions, patterns: [...stored.patterns] }
}

/** Every run on the test patients as they are, by what they have, and how far MoRA is ahead of or behind each other run. */
function printComparison(workspace: Workspace, runs: readonly { runId: number; title: string; isMissingBlind: boolean }[]): void {
  const { slots } = workspace.store.cohorts.get(workspace.store.runs.get(runs[0]!.runId).cohortId)
  const compared = runs.map(({ runId, title }) => comparedRun(workspace, runId, title))
  output.result(null, `\n${formatMethods(slots, compared)}`)
  const [mora, ...others] = compared
  const differences = others.map((other) => ({ title: other.title, difference: compareRuns(mora!, other) }))
  output.result(null, `\n${formatDifferences(mora!, differences)}`)
  const blind = differences.filter((_, index) => runs[index + 1]!.isMissingBlind)
  const isShown = blind.length === demoRuns.filter((run) => run.isMissingBlind).length && isClaimShown(blind.map(({ difference }) => difference))
  output.result(null, `The claim "MoRA beats the missing-blind habit" (resources/demo/README.md) is ${isShown ? '' : 'NOT '}shown by this run.`)
  output.result(null, `\nThe same runs when more is missing${' '.repeat(8)}${whatIfs.map(({ title }) => title.padStart(16)).join('')}   (macro-AUROC / macro-F1)`)
  for (const { title, runId } of runs) output.result(null, `${title.padEnd(42)}${whatIfs.map(({ setting }) => whatIfCell(workspace, runId, setting).padStart(16)).join('')}`)
}

function whatIfCell(workspace: Workspace, runId: number, setting: TestSetting): string {
  const { overall } = evaluateRun(workspace, runId, setting)
  return [overall.macroAuroc, overall.macroF1].map((estimate) => estimate.value?.toFixed(2) ?? 'n. e.').join(' / ')
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
    const runs: { runId: number; title: string; isMissingBlind: boolean }[] = []
    for (const { settings, isMissingBlind } of demoRuns) {
      const runId = await train(workspace, { ...suggested, ...settings })
      if (runId !== null) runs.push({ runId, title: settings.name, isMissingBlind })
    }
    const mora = runs[0]!.runId
    output.result(null, `\n${formatResults(evaluateRun(workspace, mora, { kind: 'actual' }))}`)
    printComparison(workspace, runs)
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

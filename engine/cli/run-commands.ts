import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { degradationSchema, type Degradation } from '../domain/degradation.ts'
import { AppError } from '../domain/errors.ts'
import type { RunRecord } from '../domain/records.ts'
import type { RunResults, TestSetting } from '../domain/results.ts'
import { adapterSchema, runConfigSchema, type RunConfigInput } from '../domain/run.ts'
import { startDegradedTests } from '../jobs/degraded/evaluate-degraded.ts'
import { exportPredictions } from '../jobs/export-predictions.ts'
import { predictCohort } from '../jobs/predict-cohort.ts'
import { evaluateRun } from '../jobs/results.ts'
import { collectMaterial, describeMissingness } from '../jobs/run-material.ts'
import { slotWarnings } from '../jobs/slot-warnings.ts'
import { suggestRun } from '../jobs/suggest-run.ts'
import { resumeTraining, startTraining } from '../jobs/train-run.ts'
import type { Workspace } from '../jobs/workspace.ts'
import { cohortNamed } from './import-command.ts'
import { formatMissingness, formatResults, formatSeconds, type CliOutput } from './output.ts'
import { missingRates, required, wholeNumber, type CliOptions } from './options.ts'

/** `lacuna train`: starts or resumes a run and prints its results on the test patients. Ctrl-C stops and keeps the best checkpoint. */
export async function trainCommand(workspace: Workspace, options: CliOptions, output: CliOutput, onInterrupt: (cancel: () => void) => void): Promise<void> {
  const hooks = { onProgress: output.progress }
  const running = await (options.resume ? resumeTraining(workspace, wholeNumber(options, 'run'), hooks) : startTraining(workspace, configOf(workspace, options, output), hooks))
  onInterrupt(running.stop)
  const run = await running.done
  for (const note of run.notes) output.note(note)
  if (run.status === 'cancelled') {
    process.exitCode = 130
    return
  }
  const results = evaluateRun(workspace, run.runId, { kind: 'actual' })
  output.result({ run, results }, `${describeRun(run)}\n${formatResults(results)}`)
}

function configOf(workspace: Workspace, options: CliOptions, output: CliOutput): RunConfigInput {
  const cohort = cohortNamed(workspace, required(options, 'cohort'))
  const base: RunConfigInput = { ...suggestRun(workspace, cohort.cohortId).config, ...readConfig(options.config), cohortId: cohort.cohortId }
  if (options.method) {
    const method = adapterSchema.safeParse(options.method)
    if (!method.success) throw new AppError('CLI_USAGE', `--method must be one of ${adapterSchema.options.join(', ')}.`)
    base.adapter = method.data
  }
  if (options.backbone) base.backbone = options.backbone
  if (options.seed) base.seed = wholeNumber(options, 'seed')
  if (options.epochs) base.epochs = wholeNumber(options, 'epochs')
  if (options.folds) base.split = { kind: 'k-fold', folds: wholeNumber(options, 'folds') }
  if (options.missing) {
    // The tables of a configuration stand in place of these rates: taking both would quietly leave out what was typed.
    if (base.missingness) throw new AppError('CLI_USAGE', '--missing and the "missingness" of the configuration file both say what training patients lose; give one of them.')
    base.trainMissingness = missingRates(options.missing)
  }
  if (options.slots) base.slotIds = options.slots.split(',').map((slotId) => slotId.trim())
  if (options.labels) {
    base.labelIds = options.labels.split(',').map((name) => {
      const label = cohort.labels.find((item) => item.name.toLowerCase() === name.trim().toLowerCase())
      if (!label) throw new AppError('CLI_USAGE', `The cohort has no label "${name.trim()}". It has: ${cohort.labels.map((item) => item.name).join(', ')}.`)
      return label.labelId
    })
  }
  base.name = options.name ?? `${base.adapter} on ${cohort.name}, seed ${base.seed}`.slice(0, 120)
  const unknown = base.slotIds.filter((slotId) => !cohort.slots.some((slot) => slot.slotId === slotId))
  if (unknown.length > 0) throw new AppError('CLI_USAGE', `The cohort has no modality "${unknown[0]}". It has: ${cohort.slots.map((slot) => slot.slotId).join(', ')}.`)
  output.note(formatMissingness(describeMissingness(runConfigSchema.parse(base), collectMaterial(workspace, runConfigSchema.parse(base)))))
  const used = cohort.slots.filter((slot) => base.slotIds.includes(slot.slotId))
  for (const warning of slotWarnings(used, workspace.store.cohorts.labelWords(cohort.cohortId), cohort.labels.filter(({ labelId }) => base.labelIds.includes(labelId)))) output.note(`WARNING: ${warning.text}`)
  return base
}

function readConfig(file: string | undefined): Partial<RunConfigInput> {
  if (!file) return {}
  try {
    return runConfigSchema.partial().strict().parse(JSON.parse(readFileSync(file, 'utf8'))) as Partial<RunConfigInput>
  } catch (error) {
    throw new AppError('CLI_USAGE', `The configuration file does not fit: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** `lacuna evaluate`: results of a stored run under one missingness setting. */
export async function evaluateCommand(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<void> {
  const runId = wholeNumber(options, 'run')
  if (options.degrade && [options.only, options.shown, options.missing].some((setting) => setting !== undefined)) {
    throw new AppError('CLI_USAGE', '--degrade shows test patients with what they really have; it goes together with none of --only, --shown and --missing.')
  }
  const results = options.degrade ? await degradedResults(workspace, runId, degradationOf(options.degrade), output) : evaluateRun(workspace, runId, settingOf(options))
  if (results === null) {
    process.exitCode = 130
    return
  }
  output.result(results, formatResults(results))
}

async function degradedResults(workspace: Workspace, runId: number, degradation: Degradation, output: CliOutput): Promise<RunResults | null> {
  const done = await startDegradedTests(workspace, runId, [degradation], output.progress).done
  return done?.[0]?.results ?? null
}

/** `blur=2`, `noise=0.1` or `truncate=5`. */
function degradationOf(text: string): Degradation {
  const [kind, level] = text.split('=')
  const parsed = degradationSchema.safeParse({ kind, level: Number(level) })
  if (!parsed.success) throw new AppError('CLI_USAGE', `--degrade must look like blur=2, noise=0.1 or truncate=5, not "${text}".`)
  return parsed.data
}

function settingOf(options: CliOptions): TestSetting {
  if (options.only === 'image' || options.only === 'text') return { kind: 'only', modality: options.only }
  if (options.only !== undefined) throw new AppError('CLI_USAGE', '--only must be image or text.')
  if (options.shown) return { kind: 'pattern', pattern: options.shown.split(',').map((slotId) => slotId.trim()).join('+') }
  if (options.missing === 'table') return { kind: 'table' }
  if (options.missing) return { kind: 'simulated', ...missingRates(options.missing), seed: options.seed ? wholeNumber(options, 'seed') : 1 }
  return { kind: 'actual' }
}

/** `lacuna export`: every stored prediction of a run as CSV. */
export function exportCommand(workspace: Workspace, options: CliOptions, output: CliOutput): void {
  const runId = wholeNumber(options, 'run')
  const outFile = resolve(required(options, 'out'))
  const rowCount = exportPredictions(workspace, runId, outFile)
  output.result({ runId, outFile, rowCount }, `${rowCount} rows written to ${outFile}`)
}

/** `lacuna predict`: predictions from the stored checkpoint, for the run's own cohort or another one with the same modalities. */
export async function predictCommand(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<void> {
  const runId = wholeNumber(options, 'run')
  const outFile = resolve(required(options, 'out'))
  const cohortId = options.cohort ? cohortNamed(workspace, options.cohort).cohortId : workspace.store.runs.get(runId).cohortId
  const rowCount = await predictCohort(workspace, { runId, cohortId, outFile }, output.progress)
  output.result({ runId, cohortId, outFile, rowCount }, `${rowCount} rows written to ${outFile}`)
}

function describeRun(run: RunRecord): string {
  const share = run.trainedParameters && run.totalParameters ? ` (${((100 * run.trainedParameters) / run.totalParameters).toFixed(2)} % of ${run.totalParameters})` : ''
  return [
    `Run ${run.runId} "${run.name}": ${run.status}, ${run.epochsDone} epochs, ${formatSeconds((run.elapsedMs ?? 0) / 1000)} on ${run.device?.backend ?? '?'} (${run.device?.reason ?? ''})`,
    `Trained parameters: ${run.trainedParameters}${share}; seed ${run.seed}; cohort ${run.cohortHash.slice(0, 12)}, split ${run.splitHash?.slice(0, 12)}, weights ${run.weightsHash?.slice(0, 12)}`,
  ].join('\n')
}

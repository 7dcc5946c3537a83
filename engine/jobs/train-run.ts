import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, toErrorOutcome, type ErrorCode } from '../domain/errors.ts'
import type { RunRecord } from '../domain/records.ts'
import { runConfigSchema, type RunConfig, type RunConfigInput, type RunEstimate, type Split } from '../domain/run.ts'
import type { EngineData, Progress, TrainingSpec } from '../protocol.ts'
import { assignFolds } from '../training/folds.ts'
import { createRng } from '../training/rng.ts'
import { locationsOf } from './backbones.ts'
import { planMissingness, shownTablesOf } from './missingness/plan.ts'
import { collectMaterial, type RunMaterial } from './run-material.ts'
import type { Workspace } from './workspace.ts'

/** Fewer patients than this on any side of a split make every number on it meaningless. */
const minimumPatientsPerSide = 3

/** Errors after which nothing but time or space is needed to go on. */
const resumableCodes: ReadonlySet<ErrorCode> = new Set(['ENGINE_CRASHED', 'ENGINE_UNRESPONSIVE', 'STORE_DISK_FULL', 'COMPUTE_OUT_OF_MEMORY', 'COMPUTE_DEVICE_LOST'])

export interface RunHooks {
  onProgress?: (progress: Progress) => void
  onData?: (data: EngineData) => void
}

export interface RunningTraining {
  runId: number
  /** The run as it stands at the end: finished, paused after a stop of the engine, cancelled or failed. */
  done: Promise<RunRecord>
  stop: () => void
  cancel: () => void
}

/** Trained parameters, time, memory, device and warnings for a configuration, before it is started. */
export async function estimateRun(workspace: Workspace, config: RunConfig): Promise<RunEstimate> {
  // Every study is looked at, each time a setting changes: not in the process of the windows.
  const { slots, imageCount, ...counted } = await workspace.reader.read('runs:material', { config })
  const estimate = await workspace.compute.run('run:estimate', {
    config, slots, labelCount: config.labelIds.length, studyCount: counted.studyCount, imageCount,
    weightsDir: workspace.paths.weightsDir, cacheDir: workspace.paths.cacheDir, backbones: locationsOf(workspace, config.backbone),
  })
  if (!estimate) throw new AppError('ENGINE_UNAVAILABLE', 'The engine did not answer.')
  return { ...estimate, ...counted }
}

/** Splits by patient, stores the run with everything needed to repeat it, and starts to train. */
export function startTraining(workspace: Workspace, input: RunConfigInput, hooks: RunHooks = {}): RunningTraining {
  const { store } = workspace
  const config = runConfigSchema.parse(input)
  // A backbone that is not there is refused before a run is stored.
  locationsOf(workspace, config.backbone)
  const material = collectMaterial(workspace, config)
  const { assignments, proof } = assignFolds(material.studies, config.split, createRng, config.seed)
  for (const fold of proof.folds) {
    if (Math.min(fold.train, fold.val, fold.test) < minimumPatientsPerSide) {
      throw new AppError('RUN_TOO_FEW_PATIENTS', `Fold ${fold.fold} would have ${fold.train} training, ${fold.val} validation and ${fold.test} test patients.`)
    }
  }
  const runId = store.transaction(() => {
    const inserted = store.runs.insert({ config, codeVersion: workspace.versions.code })
    store.runs.setSplit(inserted, assignments, material.studies.map((study) => study.studyId), proof)
    store.runs.setMissingness(inserted, planMissingness(config, material, assignments, proof.splitHash))
    return inserted
  })
  return execute(workspace, runId, material, hooks)
}

/** Goes on with a paused or failed run from its last finished epoch. Refused when the cohort is no longer the one it began with. */
export function resumeTraining(workspace: Workspace, runId: number, hooks: RunHooks = {}): RunningTraining {
  const { store } = workspace
  const run = store.runs.get(runId)
  if (run.status !== 'paused' && run.status !== 'failed') throw new AppError('RUN_WRONG_STATE', `"${run.name}" is ${run.status}; only a paused or failed run can be resumed.`)
  const material = collectMaterial(workspace, run.config)
  if (material.cohort.contentHash !== run.cohortHash) throw new AppError('RUN_COHORT_CHANGED', `"${material.cohort.name}" is not the cohort that "${run.name}" began with.`)
  return execute(workspace, runId, material, hooks)
}

/** The specification that the engine gets; also used to predict from stored checkpoints. */
export function trainingSpecOf(workspace: Workspace, runId: number): TrainingSpec {
  const run = workspace.store.runs.get(runId)
  return specOf(workspace, runId, run.config, collectMaterial(workspace, run.config))
}

function specOf(workspace: Workspace, runId: number, config: RunConfig, material: RunMaterial): TrainingSpec {
  return {
    runId, config, slots: material.slots, labelNames: material.labelNames, cohortHash: workspace.store.runs.get(runId).cohortHash,
    studies: material.studies.map(({ studyId, patientId, items, labels }) => ({ studyId, patientId, items, labels })),
    assignments: splitInOrder(workspace, runId, material),
    shown: shownInOrder(workspace, runId, material),
    runDir: join(workspace.paths.runsDir, `run_${runId}`),
    cacheDir: workspace.paths.cacheDir,
    weightsDir: workspace.paths.weightsDir,
    backbones: locationsOf(workspace, config.backbone),
  }
}

/** The stored split, checked to be of exactly these studies in this order: a shifted table would mix the sides silently. */
function splitInOrder(workspace: Workspace, runId: number, material: RunMaterial): Split[][] {
  const split = workspace.store.runs.getSplit(runId)
  const isSame = split !== null && split.studyIds.length === material.studies.length && material.studies.every((study, index) => study.studyId === split.studyIds[index])
  if (!isSame) throw new AppError('RUN_COHORT_CHANGED', 'The stored split does not cover the studies that the run would use.')
  return split.assignments
}

/** What the run shows its studies with; undefined for runs of 0.1, whose tables the engine draws from their rates. */
function shownInOrder(workspace: Workspace, runId: number, material: RunMaterial): TrainingSpec['shown'] {
  const stored = workspace.store.runs.getMissingness(runId)
  if (stored === null) return undefined
  const { cohortHash, splitHash } = workspace.store.runs.get(runId)
  return shownTablesOf(stored, material.studies.length, cohortHash, splitHash ?? '')
}

function execute(workspace: Workspace, runId: number, material: RunMaterial, hooks: RunHooks): RunningTraining {
  const { store } = workspace
  const config = store.runs.get(runId).config
  const spec = specOf(workspace, runId, config, material)
  mkdirSync(spec.runDir, { recursive: true })
  store.runs.setStatus(runId, 'running')
  const job = workspace.compute.start('train:run', spec, {
    onProgress: hooks.onProgress,
    onData: (data) => {
      storeRunData(workspace, runId, config.labelIds, data)
      hooks.onData?.(data)
    },
  })
  const done = job.outcome.then(
    (outcome) => {
      if (outcome.status === 'cancelled') store.runs.setStatus(runId, 'cancelled')
      else store.runs.finish(runId, outcome.value)
      return store.runs.get(runId)
    },
    (error: unknown) => {
      // A dead engine loses at most an epoch: the run waits to be resumed. Anything else needs a change first.
      const outcome = toErrorOutcome(error, 'ENGINE_CRASHED')
      store.runs.setStatus(runId, resumableCodes.has(outcome.code) ? 'paused' : 'failed', outcome)
      throw error
    },
  )
  return { runId, done, stop: job.stop, cancel: job.cancel }
}

function storeRunData(workspace: Workspace, runId: number, labelIds: number[], data: EngineData): void {
  const { store } = workspace
  if (data.kind === 'epoch') store.runs.addEpoch(runId, data.epoch)
  else if (data.kind === 'checkpoint') store.runs.addCheckpoint(runId, data.checkpoint)
  else if (data.kind === 'predictions') store.predictions.addBlock(runId, data.block, labelIds)
}

/** Deletes a run with its predictions and checkpoints. */
export function removeRun(workspace: Workspace, runId: number): void {
  workspace.store.runs.remove(runId)
  rmSync(join(workspace.paths.runsDir, `run_${runId}`), { recursive: true, force: true })
}

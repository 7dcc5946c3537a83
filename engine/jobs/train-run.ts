import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { counted } from '../domain/curation.ts'
import { AppError, toErrorOutcome, type ErrorCode } from '../domain/errors.ts'
import type { RunRecord } from '../domain/records.ts'
import { runConfigSchema, type RunConfig, type RunConfigInput, type RunEstimate } from '../domain/run.ts'
import type { EngineData, Progress } from '../protocol.ts'
import { locationsOf } from './backbones.ts'
import { eraseRemoved } from './erase-removed.ts'
import { inTurns } from './in-turns.ts'
import { missingFoldersSentence } from './originals.ts'
import { assignmentsOf } from './planning/plan-run.ts'
import { specPlacesOf } from './planning/training-spec.ts'
import type { Workspace } from './workspace.ts'

/** Errors after which nothing but time or space is needed to go on. */
const resumableCodes: ReadonlySet<ErrorCode> = new Set(['ENGINE_CRASHED', 'ENGINE_UNRESPONSIVE', 'STORE_DISK_FULL', 'COMPUTE_OUT_OF_MEMORY', 'COMPUTE_DEVICE_LOST', 'IMPORT_ORIGINALS_GONE'])

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
  const gone = missingFoldersSentence(workspace, config.cohortId)
  return { ...estimate, ...counted, warnings: gone === null ? counted.warnings : [`${gone} Inputs that are not prepared yet cannot be made.`, ...counted.warnings] }
}

/**
 * Splits by patient, stores the run with everything needed to repeat it, and starts to train. What grows with the cohort happens in the
 * reader process, or in slices between which a window is answered. A run that cannot be stored as a whole is not stored.
 */
export async function startTraining(workspace: Workspace, input: RunConfigInput, hooks: RunHooks = {}): Promise<RunningTraining> {
  const { store, reader } = workspace
  const config = runConfigSchema.parse(input)
  // A backbone that is not there is refused before a run is stored.
  locationsOf(workspace, config.backbone)
  const plan = await reader.read('runs:plan', { config })
  const runId = store.transaction(() => {
    const inserted = store.runs.insert({ config, codeVersion: workspace.versions.code, openAlarms: plan.openAlarms })
    if (store.runs.get(inserted).cohortHash !== plan.cohortHash) throw new AppError('RUN_COHORT_CHANGED', 'The cohort changed while the run was planned.')
    store.runs.setMissingness(inserted, plan.missingness)
    return inserted
  })
  try {
    await inTurns(store.runs.storeSplit(runId, assignmentsOf(plan), plan.studyIds, plan.proof))
    return await execute(workspace, runId, hooks)
  } catch (error) {
    await abandon(workspace, runId)
    throw error
  }
}

/** A run that never trained is of no use. Where it cannot be removed (a full disk), the next opening of the store does it. */
async function abandon(workspace: Workspace, runId: number): Promise<void> {
  const { store, log } = workspace
  try {
    if (store.runs.list().some((run) => run.runId === runId && run.status === 'queued')) await removeRun(workspace, runId)
  } catch (error) {
    log(`run ${runId} was not started and not removed: ${toErrorOutcome(error, 'STORE_NOT_WRITABLE').code}`)
  }
}

/** Goes on with a paused or failed run from its last finished epoch. Refused when the cohort is no longer the one it began with. */
export async function resumeTraining(workspace: Workspace, runId: number, hooks: RunHooks = {}): Promise<RunningTraining> {
  const run = workspace.store.runs.get(runId)
  if (run.status !== 'paused' && run.status !== 'failed') throw new AppError('RUN_WRONG_STATE', `"${run.name}" is ${run.status}; only a paused or failed run can be resumed.`)
  return execute(workspace, runId, hooks)
}

async function execute(workspace: Workspace, runId: number, hooks: RunHooks): Promise<RunningTraining> {
  const { store, paths } = workspace
  const places = specPlacesOf(workspace, runId)
  const requestFile = join(paths.handoverDir, `run_${runId}`)
  mkdirSync(paths.handoverDir, { recursive: true, mode: 0o700 })
  let notes: string[]
  try {
    notes = grownNotes(await workspace.reader.read('runs:hand-over', { runId, places, requestFile }))
    mkdirSync(places.runDir, { recursive: true })
    // Refused when the run was removed or begun elsewhere meanwhile.
    store.runs.setStatus(runId, 'running')
  } catch (error) {
    rmSync(requestFile, { force: true })
    throw error
  }
  const { labelIds } = store.runs.get(runId).config
  const job = workspace.compute.startFromFile('train:run', requestFile, {
    onProgress: hooks.onProgress,
    onData: (data) => {
      storeRunData(workspace, runId, labelIds, data)
      hooks.onData?.(data)
    },
  })
  const done = job.outcome.then(
    (outcome) => {
      if (outcome.status === 'cancelled') store.runs.setStatus(runId, 'cancelled')
      else store.runs.finish(runId, { ...outcome.value, notes: [...outcome.value.notes, ...notes] })
      return store.runs.get(runId)
    },
    (error: unknown) => {
      // A dead engine loses at most an epoch: the run waits to be resumed. Anything else needs a change first.
      const told = withFolder(workspace, runId, error)
      const outcome = toErrorOutcome(told, 'ENGINE_CRASHED')
      store.runs.setStatus(runId, resumableCodes.has(outcome.code) ? 'paused' : 'failed', outcome)
      throw told
    },
  )
  return { runId, done, stop: job.stop, cancel: job.cancel }
}

/** What a run that goes on after further deliveries says of itself: its numbers are not those of the cohort as it is shown now. */
function grownNotes({ studyCount, laterStudyCount }: { studyCount: number; laterStudyCount: number }): string[] {
  if (laterStudyCount === 0) return []
  return [`The cohort has grown since this run began: it went on with the ${counted(studyCount, 'study', 'studies')} it began with; ${counted(laterStudyCount, 'study', 'studies')} that came later ${laterStudyCount === 1 ? 'is' : 'are'} not in it.`]
}

/** A file that cannot be read, while its whole folder is gone: the drive is the cause, and plugging it in is enough to go on. */
function withFolder(workspace: Workspace, runId: number, error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'RUN_FILE_CHANGED') return error
  const sentence = missingFoldersSentence(workspace, workspace.store.runs.get(runId).cohortId)
  return sentence === null ? error : new AppError('IMPORT_ORIGINALS_GONE', sentence, { cause: error })
}

function storeRunData(workspace: Workspace, runId: number, labelIds: number[], data: EngineData): void {
  const { store } = workspace
  if (data.kind === 'epoch') store.runs.addEpoch(runId, data.epoch)
  else if (data.kind === 'checkpoint') store.runs.addCheckpoint(runId, data.checkpoint)
  else if (data.kind === 'predictions') store.predictions.addBlock(runId, data.block, labelIds)
}

/** Deletes a run with its predictions and checkpoints. */
export async function removeRun(workspace: Workspace, runId: number): Promise<void> {
  workspace.store.runs.remove(runId)
  await eraseRemoved(workspace)
}

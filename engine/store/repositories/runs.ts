import type { OpenAlarm } from '../../domain/alarms.ts'
import { AppError, errorCatalog } from '../../domain/errors.ts'
import { errorCodeSchema } from '../../domain/import.ts'
import type { ErrorOutcome } from '../../domain/errors.ts'
import { deviceVerdictSchema, runConfigSchema, splitProofSchema, type RunConfig, type RunStatus } from '../../domain/run.ts'
import type { RunRecord } from '../../domain/records.ts'
import type { TrainingSummary } from '../../domain/exchange.ts'
import { found, slotsOf, type StoreContext } from '../context.ts'
import { createRunProgress, type RunProgressRepository } from './run-progress.ts'
import { createRunSplits, type RunSplitRepository } from './run-splits.ts'

interface RunRow {
  id: number
  cohort_id: number
  cohort_name: string
  name: string
  status: RunStatus
  config_json: string
  seed: number
  app_version: string
  code_version: string
  cohort_hash: string
  weights_hash: string | null
  split_hash: string | null
  split_proof_json: string | null
  device_json: string | null
  trained_parameters: number | null
  total_parameters: number | null
  peak_bytes: number | null
  elapsed_ms: number | null
  notes_json: string
  error_code: string | null
  error_message: string | null
  epochs_done: number
  created_at: string
  started_at: string | null
  finished_at: string | null
}

function rowToRun(row: RunRow): RunRecord {
  return {
    runId: row.id,
    cohortId: row.cohort_id,
    cohortName: row.cohort_name,
    name: row.name,
    status: row.status,
    config: runConfigSchema.parse(JSON.parse(row.config_json)),
    seed: row.seed,
    appVersion: row.app_version,
    codeVersion: row.code_version,
    cohortHash: row.cohort_hash,
    weightsHash: row.weights_hash,
    splitHash: row.split_hash,
    splitProof: row.split_proof_json === null ? null : splitProofSchema.parse(JSON.parse(row.split_proof_json)),
    device: row.device_json === null ? null : deviceVerdictSchema.parse(JSON.parse(row.device_json)),
    trainedParameters: row.trained_parameters,
    totalParameters: row.total_parameters,
    peakBytes: row.peak_bytes,
    elapsedMs: row.elapsed_ms,
    notes: JSON.parse(row.notes_json) as string[],
    error: rowToError(row),
    epochsDone: row.epochs_done,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}

function rowToError(row: RunRow): ErrorOutcome | null {
  if (row.error_code === null || row.error_message === null) return null
  const code = errorCodeSchema.parse(row.error_code)
  return { code, message: row.error_message, fix: errorCatalog[code].fix }
}

/** A finished or cancelled run stays as it is; a failed one may be taken up again from its last checkpoint. */
const nextStatuses: Record<RunStatus, readonly RunStatus[]> = {
  queued: ['running', 'cancelled', 'failed'],
  running: ['paused', 'finished', 'failed', 'cancelled'],
  paused: ['queued', 'running', 'cancelled', 'failed'],
  failed: ['queued', 'running', 'cancelled'],
  cancelled: [],
  finished: [],
}
const endStatuses: readonly RunStatus[] = ['finished', 'failed', 'cancelled']

export interface RunDraft {
  config: RunConfig
  codeVersion: string
  /** What the alarms said of the cohort when the run was started, in words. */
  openAlarms?: readonly OpenAlarm[]
}

export type RunSummary = Omit<TrainingSummary, 'outcome'>

export interface RunRepository extends RunProgressRepository, RunSplitRepository {
  insert: (draft: RunDraft) => number
  get: (runId: number) => RunRecord
  list: (cohortId?: number) => RunRecord[]
  rename: (runId: number, name: string) => void
  setStatus: (runId: number, status: RunStatus, error?: ErrorOutcome) => void
  setSummary: (runId: number, summary: RunSummary) => void
  finish: (runId: number, summary: TrainingSummary) => void
  /** Takes the run out of every list and read; `removals.erase` then erases its rows. */
  remove: (runId: number) => void
  /** Runs that trained when the last owner of the store died: paused, so that they can be resumed. */
  markInterrupted: () => number[]
  /** Removes runs whose start was cut off, most likely with half a split; nothing was ever computed for them. */
  removeUnstarted: () => number[]
}

const runColumns = `runs.*, cohorts.name AS cohort_name, (SELECT count(*) FROM epochs WHERE run_id = runs.id) AS epochs_done FROM runs JOIN cohorts ON cohorts.id = runs.cohort_id`

/** Runs from queue to end. What a run was started with never changes afterwards; the database itself holds that. */
export function createRunRepository(context: StoreContext): RunRepository {
  const { db, now, audit, changed, appVersion, effective } = context
  const selectCohort = db.prepare<{ cohortId: number }, { content_hash: string | null; slots_json: string }>('SELECT content_hash, slots_json FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const selectLabelIds = db.prepare<{ cohortId: number }>('SELECT id FROM labels WHERE cohort_id = :cohortId').pluck()
  const insert = db.prepare<Pick<RunRow, 'cohort_id' | 'name' | 'config_json' | 'seed' | 'app_version' | 'code_version' | 'cohort_hash' | 'created_at'>>(`
    INSERT INTO runs (cohort_id, name, config_json, seed, app_version, code_version, cohort_hash, created_at)
    VALUES (:cohort_id, :name, :config_json, :seed, :app_version, :code_version, :cohort_hash, :created_at)`)
  const insertCuration = db.prepare<{ runId: number; decisionIds: string; alarms: string }>('INSERT INTO run_curation (run_id, decision_ids, alarms_json) VALUES (:runId, :decisionIds, :alarms)')
  const select = db.prepare<{ runId: number }, RunRow>(`SELECT ${runColumns} WHERE runs.id = :runId AND runs.removal_began_at IS NULL`)
  const selectAll = db.prepare<{ cohortId: number | null }, RunRow>(`SELECT ${runColumns} WHERE (:cohortId IS NULL OR runs.cohort_id = :cohortId) AND runs.removal_began_at IS NULL ORDER BY runs.id DESC`)
  const selectRunning = db.prepare<[]>(`SELECT id FROM runs WHERE status = 'running' AND removal_began_at IS NULL ORDER BY id`).pluck()
  const selectUnstarted = db.prepare<[], { id: number; cohort_id: number }>(`SELECT id, cohort_id FROM runs WHERE status = 'queued' AND removal_began_at IS NULL ORDER BY id`)
  const updateName = db.prepare<{ runId: number; name: string }>('UPDATE runs SET name = :name WHERE id = :runId')
  const updateStatus = db.prepare<{ runId: number; status: RunStatus; code: string | null; message: string | null; startedAt: string | null; finishedAt: string | null }>(`
    UPDATE runs SET status = :status, error_code = :code, error_message = :message, started_at = coalesce(started_at, :startedAt), finished_at = :finishedAt WHERE id = :runId`)
  const updateSummary = db.prepare<{ runId: number; weightsHash: string; device: string; trained: number; total: number; peakBytes: number; elapsedMs: number; notes: string }>(`
    UPDATE runs SET weights_hash = :weightsHash, device_json = :device, trained_parameters = :trained, total_parameters = :total,
      peak_bytes = :peakBytes, elapsed_ms = :elapsedMs, notes_json = :notes WHERE id = :runId`)
  const markRemoved = db.prepare<{ runId: number; now: string }>('UPDATE runs SET removal_began_at = :now WHERE id = :runId')
  const rowOf = (runId: number) => found(select.get({ runId }), 'run', runId)

  const insertRun = db.transaction(({ config: rawConfig, codeVersion, openAlarms = [] }: RunDraft): number => {
    const config = runConfigSchema.parse(rawConfig)
    const { cohortId } = config
    const cohort = found(selectCohort.get({ cohortId }), 'cohort', cohortId)
    if (cohort.content_hash === null) throw new AppError('RUN_COHORT_NOT_READY', `The import of cohort ${cohortId} is not complete.`)
    const slotIds = new Set(slotsOf(cohort.slots_json).map((slot) => slot.slotId))
    const labelIds = new Set(selectLabelIds.all({ cohortId }) as number[])
    if (!config.slotIds.every((slotId) => slotIds.has(slotId)) || !config.labelIds.every((labelId) => labelIds.has(labelId))) {
      throw new AppError('STORE_NOT_FOUND', `Cohort ${cohortId} does not have all of the chosen modalities and labels.`)
    }
    const decided = effective.now(cohortId)
    const dropped = config.slotIds.find((slotId) => decided.droppedSlotIds.has(slotId))
    if (dropped !== undefined) throw new AppError('CURATION_INVALID', `"${dropped}" is left out of this cohort by a decision; a run cannot use it.`)
    const row = {
      cohort_id: cohortId, name: config.name.trim(), config_json: JSON.stringify(config), seed: config.seed, app_version: appVersion, code_version: codeVersion,
      cohort_hash: decided.hashOver(cohort.content_hash), created_at: now(),
    }
    const runId = Number(insert.run(row).lastInsertRowid)
    insertCuration.run({ runId, decisionIds: JSON.stringify(decided.decisionIds), alarms: JSON.stringify(openAlarms) })
    audit('run.created', { runId, cohortId, cohortHash: row.cohort_hash, adapter: config.adapter, seed: config.seed, decisions: decided.decisionIds.length })
    return runId
  })

  const setStatus = db.transaction((runId: number, status: RunStatus, error?: ErrorOutcome): void => {
    const row = rowOf(runId)
    if (!nextStatuses[row.status].includes(status)) throw new AppError('RUN_WRONG_STATE', `Run ${runId} is ${row.status} and cannot become ${status}.`)
    if (status === 'failed' && error === undefined) throw new Error(`run ${runId} fails without an error`)
    updateStatus.run({
      runId, status, code: error?.code ?? null, message: error?.message ?? null,
      startedAt: status === 'running' ? now() : null, finishedAt: endStatuses.includes(status) ? now() : null,
    })
    audit(`run.${status}`, { runId, error: error?.code ?? null })
  })

  const setSummary = db.transaction((runId: number, summary: RunSummary): void => {
    if (rowOf(runId).status === 'finished') throw new AppError('RUN_WRONG_STATE', `Run ${runId} is finished; its record is final.`)
    updateSummary.run({
      runId, weightsHash: summary.weightsHash, device: JSON.stringify(summary.verdict), trained: summary.trainedParameters, total: summary.totalParameters,
      peakBytes: summary.peakBytes, elapsedMs: summary.elapsedMs, notes: JSON.stringify(summary.notes),
    })
  })

  const finish = db.transaction((runId: number, summary: TrainingSummary): void => {
    setSummary(runId, summary)
    setStatus(runId, summary.outcome === 'cancelled' ? 'cancelled' : 'finished')
  })

  const rename = db.transaction((runId: number, name: string): void => {
    rowOf(runId)
    updateName.run({ runId, name: name.trim() })
    audit('run.renamed', { runId })
  })

  const removeRun = db.transaction((runId: number): void => {
    const row = rowOf(runId)
    if (row.status === 'running') throw new AppError('RUN_WRONG_STATE', `Run ${runId} is running; cancel it first.`)
    markRemoved.run({ runId, now: now() })
    audit('run.removed', { runId, cohortId: row.cohort_id, status: row.status, splitHash: row.split_hash })
    changed.run(runId)
  })

  const markInterrupted = db.transaction((): number[] => {
    const runIds = selectRunning.all() as number[]
    for (const runId of runIds) setStatus(runId, 'paused')
    return runIds
  })

  const removeUnstarted = db.transaction((): number[] => {
    const rows = selectUnstarted.all()
    for (const { id, cohort_id: cohortId } of rows) {
      markRemoved.run({ runId: id, now: now() })
      audit('run.unstarted-removed', { runId: id, cohortId })
      changed.run(id)
    }
    return rows.map(({ id }) => id)
  })

  return {
    ...createRunProgress(context),
    ...createRunSplits(context),
    insert: (draft) => insertRun.immediate(draft),
    get: (runId) => rowToRun(rowOf(runId)),
    list: (cohortId) => selectAll.all({ cohortId: cohortId ?? null }).map(rowToRun),
    rename: (runId, name) => rename.immediate(runId, name),
    setStatus: (runId, status, error) => setStatus.immediate(runId, status, error),
    setSummary: (runId, summary) => setSummary.immediate(runId, summary),
    finish: (runId, summary) => finish.immediate(runId, summary),
    remove: (runId) => removeRun.immediate(runId),
    markInterrupted: () => markInterrupted.immediate(),
    removeUnstarted: () => removeUnstarted.immediate(),
  }
}

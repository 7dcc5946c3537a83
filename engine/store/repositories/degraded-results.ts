import type { Degradation } from '../../domain/degradation.ts'
import { degradedResultsSchema, type DegradedResults, type RunResults } from '../../domain/results.ts'
import type { StoreContext } from '../context.ts'

export interface DegradedResultsRepository {
  /** What is there already stays: the same checkpoint on the same inputs cannot say anything else. */
  add: (runId: number, degradation: Degradation, results: RunResults) => DegradedResults
  get: (runId: number, degradation: Degradation) => DegradedResults | null
  /** By kind and rising level. */
  list: (runId: number) => DegradedResults[]
}

interface Row { degradation_json: string; results_json: string; created_at: string }

/** Results of finished runs on worse images and shorter texts. They go with their run. */
export function createDegradedResultsRepository({ db, now, audit, appVersion }: StoreContext): DegradedResultsRepository {
  const insert = db.prepare<{ run_id: number; degradation_json: string; results_json: string; app_version: string; created_at: string }>(`
    INSERT INTO degraded_results (run_id, degradation_json, results_json, app_version, created_at) VALUES (:run_id, :degradation_json, :results_json, :app_version, :created_at)
    ON CONFLICT DO NOTHING`)
  const selectOne = db.prepare<{ runId: number; key: string }, Row>('SELECT * FROM degraded_results WHERE run_id = :runId AND degradation_json = :key')
  const selectAll = db.prepare<{ runId: number }, Row>(`SELECT * FROM degraded_results WHERE run_id = :runId ORDER BY degradation_json ->> 'kind', degradation_json ->> 'level'`)
  // The order of the keys is part of the primary key.
  const keyOf = ({ kind, level }: Degradation): string => JSON.stringify({ kind, level })
  const toResults = (row: Row): DegradedResults => degradedResultsSchema.parse({ degradation: JSON.parse(row.degradation_json), results: JSON.parse(row.results_json), createdAt: row.created_at })
  const get = (runId: number, degradation: Degradation): DegradedResults | null => {
    const row = selectOne.get({ runId, key: keyOf(degradation) })
    return row === undefined ? null : toResults(row)
  }
  const add = db.transaction((runId: number, degradation: Degradation, results: RunResults) => {
    const { changes } = insert.run({ run_id: runId, degradation_json: keyOf(degradation), results_json: JSON.stringify(results), app_version: appVersion, created_at: now() })
    if (changes > 0) audit('run.tested-degraded', { runId, kind: degradation.kind, level: degradation.level })
    return get(runId, degradation)!
  })
  return {
    get,
    add: (...args) => add.immediate(...args),
    list: (runId) => selectAll.all({ runId }).map(toResults),
  }
}

import { AppError } from '../../domain/errors.ts'
import type { ImportSource, Mapping } from '../../domain/mapping.ts'
import { taskSchema, type CohortStatus, type CohortSummary, type Label } from '../../domain/records.ts'
import { found, slotsOf, type StoreContext } from '../context.ts'
import type { EffectiveCohort } from '../curation/effective-cohort.ts'
import { isUniqueViolation } from '../sqlite-errors.ts'
import type { StudyIndex } from '../study-index.ts'
import { openDerived } from '../label-evidence.ts'
import { createCohortCounts, type CohortCounts } from './cohort-counts.ts'

interface CohortRow {
  id: number
  name: string
  status: CohortStatus
  source_dir: string
  table_file: string
  sheet: string | null
  mapping_json: string
  slots_json: string
  task: string | null
  table_sha256: string | null
  content_hash: string | null
  created_at: string
  finished_at: string | null
  next_ordinal: number
  rows_in: number
  study_total: number
}

interface CohortCountRow {
  patient_count: number
  study_count: number
  item_count: number
  present_item_count: number
  run_count: number
}

function rowToCohort(row: CohortRow & CohortCountRow, labels: Label[], decided: EffectiveCohort): CohortSummary {
  const mapping = JSON.parse(row.mapping_json) as Mapping
  return {
    cohortId: row.id,
    name: row.name,
    status: row.status,
    sourceDir: row.source_dir,
    tableFile: row.table_file,
    sheet: row.sheet,
    privacyRulesOff: mapping.privacy?.off ?? null,
    reportLabels: mapping.reportLabels ?? null,
    task: row.task === null ? null : taskSchema.parse(row.task),
    slots: slotsOf(row.slots_json),
    labels,
    tableSha256: row.table_sha256,
    contentHash: row.content_hash,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    rowsIn: row.rows_in,
    studyTotal: row.study_total,
    nextOrdinal: row.next_ordinal,
    patientCount: row.patient_count,
    studyCount: row.study_count,
    itemCount: row.item_count,
    presentItemCount: row.present_item_count,
    runCount: row.run_count,
    curation: {
      effectiveHash: row.content_hash === null ? null : decided.hashOver(row.content_hash), decisionCount: decided.decisionIds.length,
      droppedSlotIds: [...decided.droppedSlotIds], excludedStudyCount: decided.excludedStudyIds.size,
    },
  }
}

export interface CohortDraft {
  name: string
  source: ImportSource
  mapping: Mapping
}

/** What the import job needs to start, or to go on where it stopped. */
export interface StoredImportRequest {
  source: ImportSource
  mapping: Mapping
  fromOrdinal: number
  tableSha256: string | null
}

export interface CohortRepository extends CohortCounts {
  create: (draft: CohortDraft) => number
  get: (cohortId: number) => CohortSummary
  getByName: (name: string) => CohortSummary | null
  list: () => CohortSummary[]
  importRequest: (cohortId: number) => StoredImportRequest
  rename: (cohortId: number, name: string) => void
  /** Takes the cohort and its runs out of every list and read; `removals.erase` then erases their rows. */
  remove: (cohortId: number) => void
}

const countColumns = `
  (SELECT count(*) FROM patients WHERE cohort_id = cohorts.id) AS patient_count,
  (SELECT count(*) FROM studies WHERE cohort_id = cohorts.id) AS study_count,
  (SELECT count(*) FROM studies JOIN items ON items.study_id = studies.id WHERE studies.cohort_id = cohorts.id) AS item_count,
  (SELECT count(*) FROM studies JOIN items ON items.study_id = studies.id WHERE studies.cohort_id = cohorts.id AND items.is_present = 1) AS present_item_count,
  (SELECT count(*) FROM runs WHERE cohort_id = cohorts.id AND removal_began_at IS NULL) AS run_count`

function nameTaken<T>(name: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('STORE_NAME_TAKEN', `There is already a cohort named "${name}".`, { cause: error })
    throw error
  }
}

/** Cohorts as a whole; their studies come in through the import repository. */
export function createCohortRepository(context: StoreContext, index: StudyIndex): CohortRepository {
  const { db, now, audit, changed, effective } = context
  const insert = db.prepare<Pick<CohortRow, 'name' | 'source_dir' | 'table_file' | 'sheet' | 'mapping_json' | 'created_at'>>(`
    INSERT INTO cohorts (name, source_dir, table_file, sheet, mapping_json, created_at) VALUES (:name, :source_dir, :table_file, :sheet, :mapping_json, :created_at)`)
  const select = db.prepare<{ cohortId: number }, CohortRow & CohortCountRow>(`SELECT *, ${countColumns} FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL`)
  const selectAll = db.prepare<[], CohortRow & CohortCountRow>(`SELECT *, ${countColumns} FROM cohorts WHERE removal_began_at IS NULL ORDER BY id DESC`)
  const selectByName = db.prepare<{ name: string }, CohortRow & CohortCountRow>(`SELECT *, ${countColumns} FROM cohorts WHERE name = :name AND removal_began_at IS NULL`)
  const selectLabelRows = db.prepare<{ cohortId: number }, Omit<Label, 'derivedFrom'> & { derivedFrom: string | null }>('SELECT id AS labelId, name, position, derived_from AS derivedFrom FROM labels WHERE cohort_id = :cohortId ORDER BY position')
  const updateName = db.prepare<{ cohortId: number; name: string }>('UPDATE cohorts SET name = :name WHERE id = :cohortId')
  const selectRunning = db.prepare<{ cohortId: number }, { id: number }>(`SELECT id FROM runs WHERE cohort_id = :cohortId AND status = 'running' AND removal_began_at IS NULL`)
  // The name is free again at once: no name that was typed begins with a blank.
  const markRemoved = db.prepare<{ cohortId: number; now: string }>(`UPDATE cohorts SET removal_began_at = :now, name = ' removed ' || id WHERE id = :cohortId`)
  const markRunsRemoved = db.prepare<{ cohortId: number; now: string }>('UPDATE runs SET removal_began_at = :now WHERE cohort_id = :cohortId AND removal_began_at IS NULL')

  const toSummary = (row: CohortRow & CohortCountRow) => rowToCohort(row, selectLabelRows.all({ cohortId: row.id }).map(openDerived), effective.now(row.id))
  const rowOf = (cohortId: number) => found(select.get({ cohortId }), 'cohort', cohortId)

  const create = db.transaction((draft: CohortDraft): number => {
    const name = draft.name.trim()
    const id = nameTaken(name, () => Number(insert.run({
      name, source_dir: draft.source.sourceDir, table_file: draft.source.tableFile, sheet: draft.source.sheet,
      mapping_json: JSON.stringify(draft.mapping), created_at: now(),
    }).lastInsertRowid))
    audit('cohort.created', { cohortId: id, profile: draft.mapping.profile })
    return id
  })

  const rename = db.transaction((cohortId: number, name: string): void => {
    rowOf(cohortId)
    nameTaken(name.trim(), () => updateName.run({ cohortId, name: name.trim() }))
    audit('cohort.renamed', { cohortId })
  })

  const remove = db.transaction((cohortId: number): void => {
    const row = rowOf(cohortId)
    const running = selectRunning.get({ cohortId })
    if (running) throw new AppError('RUN_WRONG_STATE', `Run ${running.id} of this cohort is running; cancel it first.`)
    markRemoved.run({ cohortId, now: now() })
    markRunsRemoved.run({ cohortId, now: now() })
    audit('cohort.removed', { cohortId, contentHash: row.content_hash, studies: row.study_count, runs: row.run_count })
    changed.cohort(cohortId)
  })

  return {
    ...createCohortCounts(context, index),
    create: (draft) => create.immediate(draft),
    get: (cohortId) => toSummary(rowOf(cohortId)),
    getByName: (name) => {
      const row = selectByName.get({ name: name.trim() })
      return row === undefined ? null : toSummary(row)
    },
    list: () => selectAll.all().map(toSummary),
    importRequest: (cohortId) => {
      const row = rowOf(cohortId)
      return {
        source: { sourceDir: row.source_dir, tableFile: row.table_file, sheet: row.sheet },
        mapping: JSON.parse(row.mapping_json) as Mapping,
        fromOrdinal: row.next_ordinal,
        tableSha256: row.table_sha256,
      }
    },
    rename: (cohortId, name) => rename.immediate(cohortId, name),
    remove: (cohortId) => remove.immediate(cohortId),
  }
}
